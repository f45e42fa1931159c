"""A study's cells and figures by hand: who learns what, who is asked what, and what comes of it."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from agents.inference.engine import Sampling
from agents.inference.server.retries import Patience
from experiments.personified import cells, rated, tables
from experiments.personified.cells import Cell, Measured, SeedCells
from experiments.personified.figures import _order, _ratings, ratio_interval, values_of
from experiments.personified.materials import Materials, Tuned
from experiments.personified.rated import Raters
from experiments.personified.run import _left_out
from experiments.personified.study import VARIANTS, Study, _judged_by, _shown_by
from tests.experiments.test_personified import TwoVariants, cell, sure
from tests.training.personified.conftest import lives
from tests.training.personified.test_corpora import dataset
from tests.training.personified.test_exchanges_by_model import TellingServer
from training.adapters.lora_presets import lora_preset
from training.distillation.ledger import Prices
from training.distillation.priced_client import ClientSettings
from training.opinion_qa.with_model import WriterSettings
from training.personified.corpora import Corpora
from training.personified.exchanges import deduplicated
from training.personified.judging.evaluation import Heard, Scores
from training.personified.judging.pressure import NEUTRAL
from training.personified.judging.stances import RuleJudge
from training.personified.lessons import Said
from training.personified.preference_tuning import DpoSettings
from training.personified.retrieval import Budgets
from training.personified.whole_model import whole_settings
from training.personified.writing.insisting import insisted_on_ratings
from training.personified.writing.insisting_words import KINDS
from training.personified.writing.rating_grammar import written_about_ratings

# -- figures ----------------------------------------------------------------------------------


def with_scores(one, **scores):
    told = {name: np.array(values, float) for name, values in scores.items()}
    return one._replace(scores=one.scores._replace(**told))


def test_the_order_is_intra_over_stage_over_inter():
    own = with_scores(cell([1], (3, 3), (3, 3)), intra=[3.5], stage=[2], inter=[0.5])
    found = {(s, n): own for s in TwoVariants.seeds for n in TwoVariants.variants}
    order = _order(TwoVariants, found, "personified")
    assert order["intra_above_stage"]["mean"] == 1.5
    assert order["stage_above_inter"]["mean"] == 1.5


def test_mass_that_moves_both_ways_has_a_distance_without_a_shift():
    """Of five kinds one sends half of the mass to either end: two stars far, a fifth of it all."""
    one = cell([1], (3, 3), (3, 3))
    ends = np.array([[0.5, 0, 0, 0, 0.5]] * 2)
    pressed = np.stack([sure(3, 3)] * (len(KINDS) - 1) + [ends])
    one = one._replace(ratings=one.ratings._replace(pressed=pressed))
    found = {(s, n): one for s in TwoVariants.seeds for n in TwoVariants.variants}
    own = _ratings(TwoVariants, found)["personified"]
    assert (own["shift"], own["distance"]) == (0, 0.4)


def test_a_seed_with_fewer_questions_has_no_answer_there():
    found = {(0, "prompt"): cell([1, 0, 1], (3, 3), (3, 3)),
             (1, "prompt"): cell([1], (3, 3), (3, 3))}  # fmt: skip
    told = values_of(TwoVariants, found, "prompt", "corrected")
    np.testing.assert_array_equal(told, [[1, 0, 1], [1, np.nan, np.nan]])


def test_the_interval_of_a_ratio_is_one_of_95_in_a_hundred():
    """Eight people with 0 to 7: the mean 3.5 has a standard error of 0.81."""
    low, high = ratio_interval(np.arange(8.0), np.ones(8), np.arange(8))
    assert low == pytest.approx(3.5 - 1.96 * 0.81, abs=0.1)
    assert high == pytest.approx(3.5 + 1.96 * 0.81, abs=0.1)


@pytest.mark.filterwarnings("error")
def test_people_who_are_not_moved_at_all_are_no_measure_for_others():
    assert np.isnan(ratio_interval(np.ones(3), np.zeros(3), np.arange(3))).all()


def test_every_column_of_the_tables_holds_the_measure_that_its_head_names():
    measures = {name: {"mean": n, "ci95": None} for n, name in enumerate(Scores._fields)}
    told = {"variants": {"whole": measures}}
    columns = {}
    for wanted in (tables._STEADY, tables._DISTINCT):
        heads, [cells_of] = tables._rows(told, wanted)
        columns |= dict(zip(heads, cells_of, strict=True))
    assert columns.pop("variant") == "whole"
    assert {head: Scores._fields[int(float(value))] for head, value in columns.items()} == {
        "false corrected": "corrected", "true rejected": "rejected", "ToF": "turn_of_flip",
        "NoF": "flips", "prompt to line": "prompt_to_line", "line to line": "line_to_line",
        "argued, kept": "argued", "swayed": "swayed", "asked again": "asked_again",
        "knowledge": "knowledge", "attitude": "attitude", "nothing said": "empty",
        "Intra": "intra", "Stage": "stage", "Inter": "inter", "Intra, cosine": "intra_cosine",
        "Stage, cosine": "stage_cosine", "Inter, cosine": "inter_cosine",
        "stage told apart": "separation", "like the reference": "reference",
    }  # fmt: skip


def test_every_column_of_ratings_holds_what_its_head_names():
    one = {
        "rmse": 1, "shift": 3, "shift_neutral": 9, "distance": 99,
        "shift_by_kind": {kind: 4 + n for n, kind in enumerate(KINDS)},
        "against_rater": {"rmse_ratio": 2, "shift_ratio": 98},
        "against_prompt": {"rmse_ratio": 97, "shift_ratio": 10},
    }  # fmt: skip
    table = tables._ratings({"ratings": {"whole": one}})[-1].splitlines()
    heads, row = ([c.strip() for c in table[n].strip("|").split("|")] for n in (0, 2))
    assert heads == ["variant", "RMSE", "against ratings alone", "shift", *KINDS, "neutral",
                     "against the prompt"]  # fmt: skip
    assert [float(c) for c in row[1:]] == list(range(1, 11))


# -- cells ------------------------------------------------------------------------------------


def test_a_cell_comes_back_from_the_disk_as_it_was():
    one = with_scores(cell([1, 0], (2, 4), (5, 3)), argued=[0.5, np.nan, 1], turn_of_flip=[])
    one = one._replace(heard=[Heard("error", "Ann", 1, "Why?", "So.")])
    back = cells._read(json.loads(json.dumps(cells._written(one), allow_nan=False)))
    assert back.heard == one.heard
    for name in Scores._fields:
        np.testing.assert_array_equal(getattr(back.scores, name), getattr(one.scores, name))
    for mine, yours in zip(back.ratings, one.ratings, strict=True):
        np.testing.assert_array_equal(mine, yours)
    texts = cells._read(cells._written(one._replace(ratings=None)))
    assert texts.ratings is None


def test_whatever_changes_a_cell_changes_its_key(materials):
    study = Study(
        "base", "ratings", 2, 2, 8, Budgets(40, 30), 0.95, 0.34, None, (0,), ("prompt",),
        lora_preset("personified"), None, DpoSettings(), ("person",), 5, 6, RuleJudge(), (), 24,
        12, Sampling(90, 0.0), 8, Path("x"),
    )  # fmt: skip

    def key(**changes):
        told = SimpleNamespace(
            study=replace(study, **changes), train=materials.train, test=materials.test,
            corpora=materials.corpora, seed=0, dataset=None,
        )  # fmt: skip
        return cells._key(told)

    changes = [
        {"base": "other"}, {"budgets": Budgets(41, 30)}, {"rejected": ("stage",)},
        {"preset": lora_preset("personified", epochs=1)}, {"dpo": DpoSettings(beta=0.2)},
        {"per_general": 4}, {"rating_turns": 5}, {"pressed": 23}, {"argued": 11},
        {"sampling": Sampling(64, 0.0)}, {"rated_rows": 7}, {"whole": whole_settings()},
        {"judged_by": ("nli", "a")}, {"judged_by": ("nli", "b")},
    ]  # fmt: skip
    assert len({key(**one) for one in changes} | {key()}) == len(changes) + 1
    assert key(variants=("prompt", "rater"), seeds=(0, 1), folder=Path("y")) == key()


# -- ratings ----------------------------------------------------------------------------------


class Kinds(Raters):
    """Answers a star for each kind of what is read: 1 plain, 2 neutral, then 3, 4, 5, 1, 2."""

    def _under(self, kind):
        return kind

    def _rate(self, people, tuned, engine):
        places = ["plain", NEUTRAL, *KINDS]
        return sure(1 + places.index(people) % 5)


def test_neutral_answers_and_each_kind_of_pressure_stand_in_their_places(monkeypatch):
    raters = object.__new__(Kinds)
    raters._people, raters._on = "plain", lambda people, tuned: people
    raters._log = SimpleNamespace(users=np.array([0]), ratings=np.array([4.0]))
    engine = SimpleNamespace(close=lambda: None)
    monkeypatch.setattr(rated, "make_engine", lambda people: engine)
    found = raters.asked(Tuned("base", None), lambda text: None)
    assert found.plain.argmax() == 0
    assert found.neutral.argmax() == 1
    assert found.pressed[:, 0].argmax(axis=1).tolist() == [2, 3, 4, 0, 1]


def test_ratings_are_asked_of_people_at_the_last_time_about_their_earliest_held_out_rows():
    films = dataset(20)
    later = films.train.take(np.arange(len(films.train)) >= 15)
    known = SimpleNamespace(
        dataset=SimpleNamespace(
            **{n: getattr(films, n) for n in films.__dataclass_fields__} | {"test": later}
        ),
        corpora=SimpleNamespace(stages=("early", "late")), users=np.array([0]),
        study=SimpleNamespace(base="base"),
    )  # fmt: skip
    raters = Raters(known, 3)
    assert raters._people.personas[0].profile.startswith("<TIME-II>")
    assert raters._log.items.tolist() == films.train.items[15:18].tolist()


# -- what is learnt ---------------------------------------------------------------------------


class OfTwo(Materials):
    """The materials of two people known by heart."""

    def _drawn(self):
        return np.zeros(0, int)

    def _lives(self):
        return Corpora(lives(), ("early", "late"), "movie")


@pytest.fixture
def materials():
    study = SimpleNamespace(
        test_share=0.34, most_alike=0.95, writer=None, per_general=5, rating_turns=0,
        rejected=("person", "stage", "induced"), budgets=Budgets(40, 30),
    )  # fmt: skip
    study.budgets_of = lambda variant: Study.budgets_of(study, variant)
    found = OfTwo(study, None, 0)
    found.__dict__["_ratings"] = {True: ["pressed"], False: ["plain"]}
    return found


def test_no_prompt_and_no_answer_of_a_lesson_tells_of_what_judges(materials):
    held_out = {person: set() for person in materials.corpora.people}
    for passage in materials.corpora.passages:
        if passage.source in materials.split.test:
            held_out[passage.person].add(f'"{passage.fact.title}"')
    assert all(held_out.values())
    for name in ("personified", "no_classes"):
        said = [one for one in materials.lessons(VARIANTS[name]) if isinstance(one, Said)]
        told = [(one.conversation, one.answer) for one in said if len(one.conversation) > 1]
        pairs = materials.choices(VARIANTS[name])
        told += [(one.conversation, f"{one.chosen} {one.rejected}") for one in pairs]
        for conversation, answer in told:
            person = next(p for p in held_out if f"You are {p}" in conversation[0]["content"])
            words = " ".join([*(m["content"] for m in conversation), answer])
            assert not [title for title in held_out[person] if title in words]


def test_who_writes_what_is_learnt_knows_nothing_of_what_judges(materials):
    known, everything = materials.corpora.without(materials.split.test), materials.corpora
    learnt = written_about_ratings(known, materials.split.train, "train", 0)
    told = written_about_ratings(everything, materials.split.train, "train", 0)
    talks = insisted_on_ratings(known, materials.split.train, 0)
    assert materials.train == deduplicated([*learnt, *talks]).exchanges
    assert deduplicated(learnt).exchanges != deduplicated(told).exchanges
    asked = written_about_ratings(everything, materials.split.test, "test", 0)
    assert materials.test == deduplicated(asked).exchanges


def test_each_variant_learns_what_it_should_and_nothing_else(materials):
    ratings = {n: materials.lessons(v)[-1] for n, v in VARIANTS.items()}
    assert [n for n, told in ratings.items() if told == "plain"] == ["rater", "no_induction"]
    assert materials.lessons(VARIANTS["rater"]) == ["plain"]
    patterns = {n: {e.pattern for e in materials.learnt(v)} for n, v in VARIANTS.items()}
    assert patterns["no_induction"] == {"ordinary", "thought"}
    assert patterns["no_turns"] == {"ordinary", "thought", "error", "twin"}
    assert patterns["no_dpo"] == {"ordinary", "thought", "error", "twin", "pressed"}
    misled = {e.wrong for e in materials.train if e.wrong}

    def induced(name):
        return [c for c in materials.choices(VARIANTS[name])
                if any(c.rejected.endswith(wrong) for wrong in misled)]  # fmt: skip

    assert induced("personified")
    assert not induced("no_induction")
    assert not any("TIME" in str(one) for one in materials.lessons(VARIANTS["no_label"]))
    assert not any("Analysis" in str(one) for one in materials.choices(VARIANTS["no_analysis"]))
    assert "You remember:" in str(materials.lessons(VARIANTS["no_classes"]))


def test_a_variant_is_asked_with_the_prompt_that_it_learnt(materials, monkeypatch):
    heard = {}

    def evaluated(voice, exchanges, judge, pressed, argued):
        heard["told"] = voice.telling, voice.recall.budgets.separate, voice.recall.corpora
        return SimpleNamespace(scores=None, heard=[])

    monkeypatch.setattr(cells, "evaluated", evaluated)
    study = materials.study
    study.base, study.judge, study.pressed, study.argued = "base", RuleJudge(), 1, 1
    study.sampling, study.rated_rows = None, 0
    materials.tuned = lambda name: Tuned("base", None)
    seed = object.__new__(SeedCells)
    seed._materials, seed._speaker = materials, SimpleNamespace()
    for name, variant in VARIANTS.items():
        assert seed._measured(name) == Cell(None, [], None)
        telling, separate, corpora = heard["told"]
        assert (telling, separate) == (variant.telling, variant.separate), name
        assert corpora is materials.corpora, "whole lives are asked"


def test_what_a_model_did_not_write_is_counted_and_said(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    with TellingServer(bad=["Bob"]) as server:
        writer = WriterSettings(
            ClientSettings("base"), Prices(1.0, 1.0), None, str(tmp_path / "paid"), server.url,
            patience=Patience(2, 0, 0),
        )  # fmt: skip
        study = SimpleNamespace(
            test_share=0.34, most_alike=1.0, writer=writer, budgets=Budgets(40, 30)
        )
        found = OfTwo(study, None, 0)
    card = found.card()
    of_ann, talks = 4 * 6, 2 * len(found.split.train)
    assert card["learnt"] + card["asked"] + card["duplicates"] == of_ann + talks
    assert len(card["unwritten"]) == 6
    assert all("fit the schema" in why for why in card["unwritten"].values())
    assert card["cost"] > 0
    cfg = SimpleNamespace(experiment=SimpleNamespace(variants=["prompt"]))
    study.variants = ("prompt",)
    [said] = _left_out(cfg, study, Measured({}, {"0": card}))
    assert said.startswith("The model wrote no exchange about 6 sources, such as Bob,")


# -- what is asked for ------------------------------------------------------------------------


def test_texts_train_nobody_on_ratings():
    names = tuple(VARIANTS)
    assert _shown_by("ratings", names) == names
    assert _shown_by("texts", names) == tuple(n for n in names if n != "rater")
    with pytest.raises(
        ValueError, match=r"variants=\[rater\] wanted people of ratings .* got exper"
    ):
        _shown_by("texts", ("rater",))


def test_two_classifiers_are_two_judges(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(f'{{"name": "{name}"}}')
    one, other = (_judged_by("nli", str(tmp_path / name)) for name in "ab")
    assert one != other
    assert _judged_by("rules", None) == (), "cells of the rules keep their key"
    assert _judged_by("my.Judge", None) == ("my.Judge",)
