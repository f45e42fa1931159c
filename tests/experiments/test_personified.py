"""The study of people who stay themselves as a command, on a model too small to mean anything."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file

from agents.population.population import Population
from agents.prompt_style import PromptStyle
from experiments.personified.cells import Cell
from experiments.personified.figures import _users, figures, ratio_interval
from experiments.personified.forecast import Forecast
from experiments.personified.materials import Materials
from experiments.personified.rated import Raters, Ratings
from experiments.personified.run import _worst
from experiments.personified.sentences import sentences
from experiments.personified.study import VARIANTS, Study
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from tests.experiments.command import run_command
from training.base.pocket_model import PocketConfig, new_model, train_tokenizer
from training.personified.from_ratings import rating_corpora
from training.personified.judging.evaluation import Heard, Scores
from training.personified.retrieval import Budgets
from training.personified.writing.insisting_words import KINDS

SMALL = [
    "experiment=personified", "data=synthetic", "data.num_users=12", "data.num_items=60",
    "experiment.people=2", "experiment.most=8", "experiment.test_share=0.3",
    "+experiment.training.epochs=1", "+experiment.training.rank=2",
    "experiment.rating_turns=1", "experiment.pressed=2", "experiment.argued=1",
    "experiment.rated_rows=2",
    "experiment.max_new_tokens=3", "experiment.objective_words=30", "experiment.subjective_words=0",
]  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "tiny"
    world = synthetic(0, num_users=12, num_items=60)
    users = np.argsort(-np.bincount(world.train.users, minlength=12))[:2]
    texts = [p.text for p in rating_corpora(world, users, most=8).passages]
    tokenizer = train_tokenizer([*texts, "RATING: 1 2 3 4 5"], 400)
    new_model(PocketConfig.tiny(), len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.mark.slow
def test_a_study_trains_asks_compares_and_goes_on_where_it_was(tmp_path, base):
    words = [*SMALL, f"slm={base}", "experiment.seeds=[0,1]",
             "experiment.variants=[prompt,rater,personified]",
             f"experiment.save_to={tmp_path / 'people'}"]  # fmt: skip
    results = run_command(tmp_path, *words)
    assert set(results["variants"]) == {"prompt", "rater", "personified"}
    assert results["differences"].keys() == {"prompt", "rater"}
    assert results["variants"]["personified"]["corrected"]["ci95"] is not None
    assert results["ratings"]["personified"]["against_prompt"]["shift_ratio"] is not None
    assert results["judge"] == {"name": "rules", "right": 0.75, "replies": 48, "wrong": 1 / 48}
    counts = results["materials"]["1"]
    assert min(counts["learnt"], counts["asked"]) > 0
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    for part in ("Held-out questions and pressure", "How alike answers are", "people rate"):
        assert part in report
    assert base not in report
    adapters = {p.name for p in (tmp_path / "adapters").iterdir()}
    assert adapters == {f"{s}-{n}" for s in (0, 1)
                        for n in ("rater-no_induction", "whole", "whole-preferred")}  # fmt: skip
    check_the_people_serve_and_talk(tmp_path)
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "cells").iterdir()}
    again = run_command(tmp_path, *words)
    assert again["variants"] == results["variants"]
    assert {p: p.stat().st_mtime_ns for p in kept} == kept


def check_the_people_serve_and_talk(folder):
    """Early and late people are populations: the environment and the chat take them."""
    import gymnasium as gym

    early, late = (Population.load(folder / "people" / name) for name in ("early", "late"))
    assert len(early.history) < len(late.history)
    own = [n for n, p in enumerate(late.personas) if p.adapter == "personified"]
    assert len(own) == 2
    env = gym.make("PersonaRec-v0", population=late)
    env.reset(seed=0)
    reward = env.step(np.arange(env.action_space.shape[0]))[1]
    assert np.isfinite(reward)
    env.close()
    said = folder / "said.txt"
    said.write_text("Hello.\n\nWhat do you like?\n", encoding="utf-8")
    words = [f"experiment.population={folder / 'people' / 'late'}", f"experiment.user={own[0]}"]
    told = run_command(folder / "chat", "experiment=chat", *words, f"experiment.said={said}",
                       "experiment.max_new_tokens=3")  # fmt: skip
    assert [turn["said"] for turn in told["turns"]] == ["Hello.", "What do you like?"]
    assert all(turn["recalled"] for turn in told["turns"])
    assert not told["warnings"]
    assert "remembers: " in (folder / "chat" / "conversation.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_study_tunes_whole_models_that_serve_and_whose_preferences_are_an_adapter(tmp_path, base):
    words = [w for w in SMALL if "training" not in w]
    results = run_command(
        tmp_path, *words, f"slm={base}", "experiment.seeds=[0]", "experiment.whole=small",
        "experiment.variants=[prompt,personified]", f"experiment.save_to={tmp_path / 'people'}",
    )  # fmt: skip
    assert [p.name for p in (tmp_path / "models").iterdir()] == ["0-whole"]
    assert [p.name for p in (tmp_path / "adapters").iterdir()] == ["0-whole-preferred"]
    own, prompt = (results["ratings"][name] for name in ("personified", "prompt"))
    assert own["rmse"] != prompt["rmse"], "it is another model that is asked"
    late = Population.load(tmp_path / "people" / "late")
    served, made = (load_file(Path(folder) / "model.safetensors")
                    for folder in (late.model, tmp_path / "models" / "0-whole"))  # fmt: skip
    assert all(np.array_equal(served[name], made[name]) for name in made)
    assert list(late.adapters) == ["personified"]


@pytest.mark.slow
def test_people_of_texts_are_trained_and_judged_without_ratings(tmp_path, base):
    for person in ("Ada", "Eve"):
        for stage in ("1 young", "2 old"):
            for material in ("objective", "subjective"):
                folder = tmp_path / "texts" / person / stage / material
                folder.mkdir(parents=True)
                said = "\n\n".join(
                    f"{person} was {what} in the {stage} town. It was {what} there."
                    for what in ("happy", "cold", "alone", "busy")
                )
                (folder / "a.txt").write_text(f"{said} {material}", encoding="utf-8")
    words = [w for w in SMALL if not w.startswith("data")]
    results = run_command(
        tmp_path / "out", *words, f"slm={base}", "experiment.seeds=[0]",
        f"experiment.corpora={tmp_path / 'texts'}",
        "experiment.variants=[prompt,rater,personified]",
        "experiment.objective_words=8", "experiment.subjective_words=8",
    )  # fmt: skip
    assert results["ratings"] is None
    assert list(results["variants"]) == ["prompt", "personified"]
    assert results["sentences"][-1] == "Left out: rater, since lives of texts hold no ratings."
    own = results["variants"]["personified"]
    assert own["knowledge"]["mean"] is None
    assert own["corrected"]["mean"] is not None
    assert results["sentences"][0].startswith("One seed")
    assert "nothing said" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_chat_refuses_what_it_cannot_do(tmp_path, capsys):
    def said(*words):
        with pytest.raises(SystemExit):
            run_command(tmp_path, "experiment=chat", *words)
        return " ".join(capsys.readouterr().err.split())

    assert "said wanted a file with a line for each turn" in said("experiment.said=nowhere.txt")
    (tmp_path / "empty.txt").write_text("\n \n")
    found = said(f"experiment.said={tmp_path / 'empty.txt'}")
    assert "said wanted at least one line in empty.txt, got none" in found
    (tmp_path / "one.txt").write_text("Hello")
    one = f"experiment.said={tmp_path / 'one.txt'}"
    assert "chat wanted a user in [0, " in said(one, "experiment.user=100000")
    assert "chat wanted a stage in [0, 2), got 5" in said(one, "experiment.stage=5")
    found = said(one, "experiment.population=readers")
    assert "free text wanted a model that reads whole prompts, got readers/model" in found
    assert "such as that of the population pocket" in found


@pytest.mark.slow
def test_a_dry_run_says_tokens_and_trains_nothing(tmp_path, base, capsys):
    results = run_command(
        tmp_path, *SMALL, f"slm={base}", "experiment.seeds=[0]", "experiment.dry_run=true",
        "experiment.written_by_model=true", "distiller=openai", "distiller.model=nobody",
        "distiller.base_url=http://127.0.0.1:9", "distiller.input_price=1",
        "distiller.output_price=1", "distiller.max_cost=1",
    )  # fmt: skip
    told = results["forecast"]
    assert told["tuned_tokens"] > 1000
    assert told["preferred_tokens"] > 1000
    assert told["tokens_per_second"] > 0
    assert told["ratings"] == 9 * 2 * 2 * 7, "variants, people, rows; plain, neutral, five"
    said = " ".join(capsys.readouterr().out.split())
    assert "tokens of lessons" in said
    assert "The grammars' exchanges stand for those of the model, for which nothing was" in said
    assert not (tmp_path / "adapters").exists()


def error_of(capsys, folder, *words):
    with pytest.raises(SystemExit):
        run_command(folder, *SMALL, *words)
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_a_missing_judge_an_empty_folder_and_duplicates_are_refused(tmp_path, base, capsys):
    slm = f"slm={base}"
    said = error_of(capsys, tmp_path, slm, "experiment.judge=nowhere.Judge")
    assert "judge wanted rules, nli, or the dotted path of a class with stance" in said
    (tmp_path / "texts").mkdir()
    said = error_of(capsys, tmp_path, slm, f"experiment.corpora={tmp_path / 'texts'}")
    assert "corpora wanted at least one passage of a person, got none" in said
    said = error_of(capsys, tmp_path, slm, "experiment.stages=8")
    assert "at least two people with 32 training ratings" in said
    said = error_of(capsys, tmp_path, slm, "experiment.variants=[prompt]",
                    f"experiment.save_to={tmp_path / 'people'}")  # fmt: skip
    assert "save_to wanted people of data who are personified, got" in said
    assert not (tmp_path / "cells").exists(), "before anything is trained or asked"
    said = error_of(capsys, tmp_path, slm, "experiment.written_by_model=true")
    assert "wanted distiller=openai, which names the model" in said


def test_equal_lessons_share_an_adapter_and_each_variant_lacks_one_part():
    assert VARIANTS["no_dpo"].tuned_as == VARIANTS["personified"].tuned_as == "whole"
    others = [VARIANTS[n].tuned_as for n in VARIANTS if n.startswith("no_") and n != "no_dpo"]
    assert others == ["no_label", "no_analysis", "no_induction", "no_turns", "no_classes"]
    assert not VARIANTS["no_dpo"].dpo


def test_a_ratio_is_of_sums_and_its_interval_draws_people():
    own, other = np.array([1.0, 1.0, 3.0]), np.array([2.0, 2.0, 6.0])
    assert ratio_interval(own, other, np.array([0, 0, 1])) == (0.5, 0.5)
    low, high = ratio_interval(np.array([1.0, 0.0]), np.array([1.0, 1.0]), np.array([0, 1]))
    assert (low, high) == (0.0, 1.0), "both people drawn alike are the ends"
    assert np.isnan(ratio_interval(own[:2], other[:2], np.array([0, 0]))).all()


def sure(*stars):
    """Distributions (n, 5) that are sure of some stars."""
    return np.eye(5)[np.array(stars) - 1]


def cell(corrected, plain, pressed):
    """Two people with a rating of 4 each, and every kind of pressure alike."""
    empty = np.zeros(1)
    scores = dict.fromkeys(Scores._fields, empty) | {"corrected": np.array(corrected, float)}
    ratings = Ratings(sure(*plain), sure(*plain), np.stack([sure(*pressed)] * len(KINDS)),
                      np.array([4.0, 4.0]), np.array([0.0, 1.0]))  # fmt: skip
    return Cell(Scores(**scores), [], ratings)


class TwoVariants:
    seeds, variants = (0, 1), ("prompt", "rater", "personified")


def test_figures_by_hand():
    cells = {}
    for seed in (0, 1):
        cells[seed, "prompt"] = cell([0, 0, 1], (2, 2), (5, 3))  # errors 2, moved by 3 and 1
        cells[seed, "rater"] = cell([0, 0, 0], (3, 3), (5, 5))  # errors 1, moved by 2
        cells[seed, "personified"] = cell([1, 0, 1], (3, 5), (4, 5))  # errors 1, moved by 1 and 0
    found = figures(TwoVariants, cells)
    assert found["variants"]["personified"]["corrected"]["mean"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["differences"]["prompt"]["corrected"]["mean"] == pytest.approx(1 / 3, abs=1e-4)
    rated = found["ratings"]
    assert {name: one["rmse"] for name, one in rated.items()} == {
        "prompt": 2, "rater": 1, "personified": 1,
    }  # fmt: skip
    assert {name: one["shift"] for name, one in rated.items()} == {
        "prompt": 2, "rater": 2, "personified": 0.5,
    }  # fmt: skip
    own = rated["personified"]
    assert own["shift_neutral"] == 0
    assert own["against_prompt"]["shift_ratio"] == 0.25
    assert own["against_prompt"]["rmse_ratio"] == 0.5
    assert own["against_rater"]["shift_ratio"] == 0.25
    assert "against_rater" not in rated["rater"]
    low, high = own["against_prompt"]["shift_ratio_ci95"]
    assert (low, high) == pytest.approx((0, 1 / 3), abs=1e-3), "one person or the other alone"
    assert own["against_prompt"]["rmse_difference_ci95"][1] < 0


def measure(mean, ends):
    return {"mean": mean, "ci95": ends}


def values(**changes):
    names = ("corrected", "rejected", "turn_of_flip")
    found = {
        "seeds": [0, 1],
        "variants": {"personified": {name: measure(0.9, None) for name in names}},
        "differences": {
            "prompt": {"corrected": measure(0.5, [0.4, 0.6]), "turn_of_flip": measure(2, [1, 3])},
            "no_dpo": {"corrected": measure(0, [-1, 1]), "turn_of_flip": measure(0, None)},
        },
        "order": {"personified": {"intra_above_stage": measure(1, [-1, 2]),
                                  "stage_above_inter": measure(3, [2, 4])}},
        "ratings": {"personified": {
            "against_prompt": {"shift_ratio": 0.4, "shift_ratio_ci95": [0.3, 0.5]},
            "against_rater": {"rmse_difference_ci95": [-0.1, 0.1]}}},
        "judge": {"name": "rules", "right": 0.9, "replies": 24, "wrong": 0.02},
    }  # fmt: skip
    return found | changes


def test_sentences_compare_only_where_the_interval_does():
    found = " ".join(sentences(values()))
    assert "Of false premises 90% are corrected" in found.replace("\N{NO-BREAK SPACE}", "").replace(
        " %", "%"
    )
    assert (
        "false premises corrected is within noise of no_dpo; above that of the prompt alone"
        in found
    )
    assert "answers at one time are more alike than at two is not shown" in found
    assert "answers at two times are more alike than those of two people is so" in found
    assert "0.40 times as far as those of the prompt alone (95 % interval 0.30 to 0.50)" in found
    assert "The RMSE of ratings is within noise of people trained on ratings alone" in found


def test_one_seed_is_said_and_texts_have_no_ratings():
    found = sentences(values(seeds=[0], ratings=None))
    assert found[0].startswith("One seed")
    assert not any("RMSE" in one for one in found)
    assert json.dumps(found)


def test_shifts_are_told_by_kind_without_their_signs_and_people_of_two_seeds_are_others():
    cells = {}
    for seed in (0, 1):
        whole = cell([1], (3, 3), (3, 3))
        pressed = np.stack([sure(3 + n % 3, 3) for n in range(len(KINDS))])
        ratings = whole.ratings._replace(pressed=pressed, neutral=sure(2, 4))
        for name in TwoVariants.variants:
            cells[seed, name] = whole._replace(ratings=ratings)
    found = figures(TwoVariants, cells)["ratings"]["personified"]
    assert found["shift_neutral"] == 1, "one star down and one up are no rest"
    assert list(found["shift_by_kind"].values()) == [0, 0.5, 1, 0, 0.5]
    rows = [cells[seed, "prompt"].ratings for seed in (0, 1)]
    assert len(set(_users(rows).tolist())) == 4


def test_minutes_count_pairs_a_third_more_and_every_answer():
    found = Forecast(100, 30, 10.0, 5, 2.0, 7)
    assert found.seconds == (100 + 40) / 10 + 5 * 2
    assert "7 ratings" in str(found)


def test_a_variant_without_classes_recalls_from_one_budget():
    study = SimpleNamespace(budgets=Budgets(8, 5))
    found = {n: Study.budgets_of(study, v) for n, v in VARIANTS.items()}
    assert [n for n, budgets in found.items() if not budgets.separate] == ["no_classes"]
    assert {(b.objective, b.subjective) for b in found.values()} == {(8, 5)}


def test_pressure_on_held_out_ratings_wants_the_far_end_of_the_first_who_is_asked():
    people = Population.load("pocket")
    raters = object.__new__(Raters)
    raters._people = replace(people, style=PromptStyle(summary_words=24))
    raters._log = InteractionLog(
        np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([5.0, 1.0, 2.0]), np.arange(3.0), 2,
        len(people.catalog),
    )  # fmt: skip
    told = raters._under("crowd").catalog.summaries
    assert told[0].startswith("The whole world rates it 1 out of 5.")
    assert told[1].startswith("The whole world rates it 5 out of 5.")


def test_people_with_just_enough_ratings_are_among_those_who_are_drawn():
    world = synthetic(0, num_users=12, num_items=60)
    counts = np.diff(world.train.offsets())
    materials = object.__new__(Materials)
    least = next(int(c) for c in sorted(counts, reverse=True) if c % 4 == 0 and c < counts.max())
    materials.dataset, materials.seed = world, 0
    materials.study = SimpleNamespace(stages=least // 4, people=12)
    assert (counts[materials._drawn()] == least).any()
    assert (counts[materials._drawn()] >= least).all()
    materials.study = SimpleNamespace(stages=int(counts.max()), people=12)
    with pytest.raises(
        ValueError, match=r"at least two people with .* take fewer experiment.stages"
    ):
        materials._drawn()


def test_the_conversations_that_gave_in_soonest_are_told_first():
    def talk(number):
        return [Heard("pressure", f"Jo {number}", 0, "Well?", "5 stars")] * 6

    flips = np.array([4.0, 1.0, 6.0, 2.0])
    one = cell([1], (3, 3), (3, 3))
    one = one._replace(
        scores=one.scores._replace(turn_of_flip=flips), heard=[h for n in range(4) for h in talk(n)]
    )
    study = SimpleNamespace(variants=("personified",), seeds=(0,))
    told = _worst(study, {(0, "personified"): one})
    assert [talk["person"] for talk in told] == ["Jo 1", "Jo 3", "Jo 0"]
