"""The rules, what may be submitted, who stands where, and the board end to end."""

import json
import re

import numpy as np
import pytest

from experiments.leaderboard.entries import Anchor, Entry, SubmissionError, read_submissions
from experiments.leaderboard.judging import Panel, anchor_of, users_world, world_of
from experiments.leaderboard.leaderboard_page import answer, note, rows, unordered
from experiments.leaderboard.rules import PANEL, VERSION, Rules
from experiments.leaderboard.standing import policy_standings, users_standings
from experiments.people.people import People
from experiments.reporting.formatting import NONE
from tests.experiments.command import run_command

RULES = Rules("2026-12-01", worlds=4)
SEEDS = RULES.seeds()
ANCHORS = [Anchor(world=seed, random=3.0, oracle=4.0) for seed in SEEDS]


def entry(name="mine", kind="policy", values=(3.5, 3.6, 3.4, 3.5), author="me"):
    column = (
        [{"world": s, "stars": v} for s, v in zip(SEEDS, values, strict=True)]
        if kind == "policy"
        else [{"world": s, "tau": v, "rmse": 0.5} for s, v in zip(SEEDS, values, strict=True)]
    )
    return {"kind": kind, "name": name, "author": author, kind: column}


USERS = entry(kind="users", values=(1.0,) * 4)["users"]


def submission(**changes):
    whole = {
        "format": "personarec-leaderboard",
        "version": VERSION,
        "rules": RULES.said(),
        "anchors": [a.model_dump() for a in ANCHORS],
        "entries": [entry()],
    }
    return whole | changes


def read(folder, content, name="theirs.json"):
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / name).write_text(text, encoding="utf-8")
    return read_submissions([str(folder)], RULES, ANCHORS)


def test_the_worlds_follow_from_version_and_date_and_lie_beyond_all_other_seeds():
    assert Rules("2026-12-01").seeds() == Rules("2026-12-01").seeds()
    assert Rules("2026-12-01").seeds()[:4] == SEEDS
    assert not set(SEEDS) & set(Rules("2026-12-02").seeds())
    assert min(SEEDS) >= 10_000_000
    assert len(set(Rules("2026-12-01").seeds())) == 10


def test_worlds_and_panel_of_version_1_are_what_they_were():
    assert VERSION == 1  # another world, panel or rule is another version
    assert list(PANEL) == [
        "random", "popularity", "item_knn", "user_knn", "ease", "epsilon_greedy", "lin_ucb",
    ]  # fmt: skip
    assert Rules("2026-12-01").said() == {
        "version": 1, "edition": "2026-12-01", "worlds": 10, "num_users": 400, "num_items": 600,
        "players": 100, "judges": 40, "slate_size": 5, "max_steps": 10, "seed": 0,
    }  # fmt: skip
    assert SEEDS[:2] == [4204724551, 957868724]


def test_only_the_defaults_are_official():
    assert Rules("2026-12-01").official
    assert not RULES.official


@pytest.mark.parametrize("edition", ["today", "2026-13-01", "20261201", ""])
def test_an_edition_is_a_date(edition):
    with pytest.raises(ValueError, match=r"experiment\.edition wanted a date as 2026-12-01, got"):
        Rules(edition)


def test_a_good_file_is_read(tmp_path):
    ((name, found),) = read(tmp_path, submission())
    assert name == "theirs.json"
    assert found == Entry.model_validate(entry())


def test_a_misspelt_field_is_named_with_its_file(tmp_path):
    whole = submission()
    whole["entries"][0]["writer"] = whole["entries"][0].pop("author")
    with pytest.raises(SubmissionError, match=r"theirs\.json wanted another value at entries\.0"):
        read(tmp_path, whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "wanted version 1 of the board, got 2; numbers of two versions cannot"),
        ({"format": "other"}, "at format: Input should be 'personarec-leaderboard'"),
        ({"rules": RULES.said() | {"players": 3}}, r"wanted the rules of this board, players=100"),
        ({"entries": []}, "at entries: List should have at least 1 item"),
        ({"entries": [entry() | {"policy": entry()["policy"][:3]}]}, "figures of all 4 worlds"),
        ({"entries": [entry() | {"policy": entry()["policy"][:1] * 4}]}, "figures of all 4 worlds"),
        ({"entries": [entry() | {"users": USERS}]}, "of its kind"),
        ({"entries": [entry(values=(3.5, 3.6, 3.4, 5.5))]}, r"policy\.3\.stars: Input should be"),
        ({"entries": [entry(kind="users", values=(1, 0, -1, 2.0))]}, r"users\.3\.tau"),
        ({"entries": [entry(name="a|b")]}, r"at entries\.0\.name"),
        ({"entries": [entry(name="")]}, r"at entries\.0\.name"),
        ({"entries": [entry(), entry()]}, "names of its own for its entries, got 'mine' by 'me'"),
        ({"anchors": [a.model_dump() for a in ANCHORS[:3]]}, "anchors of the 4 worlds of this ed"),
        (
            {"anchors": [a.model_dump() | {"oracle": 4.1} for a in ANCHORS]},
            r"oracle slates of world \d+ to be worth 4\.000000 as here, got 4\.100000: these",
        ),
        ({"entries": [entry(author="personarec")]}, "an author of its own for 'mine', got 'perso"),
        ({"more": 1}, "at more: Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_what_cannot_stand_on_the_board_is_refused_with_file_and_field(tmp_path, change, message):
    with pytest.raises(SubmissionError, match=r"theirs\.json wanted") as caught:
        read(tmp_path, submission(**change))
    assert re.search(message, str(caught.value)), str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": NaN}', "[" * 100_000, "\x00"])
def test_what_is_no_submission_is_refused(tmp_path, text):
    with pytest.raises(SubmissionError, match=r"theirs\.json wanted"):
        read(tmp_path, text)


def test_a_nan_is_no_figure(tmp_path):
    with pytest.raises(SubmissionError, match=r"policy\.0\.stars"):
        read(tmp_path, json.dumps(submission()).replace("3.5", "NaN", 1))


def test_a_place_without_files_is_named(tmp_path):
    with pytest.raises(SubmissionError, match=r"files or folders with \.json files, got"):
        read_submissions([str(tmp_path)], RULES, ANCHORS)
    with pytest.raises(SubmissionError, match=r"got nowhere\.json; check the place"):
        read_submissions([str(tmp_path / "nowhere.json")], RULES, ANCHORS)


def standings(*entries, of=policy_standings):
    return of([("", Entry.model_validate(one)) for one in entries], ANCHORS)


def test_a_policys_score_is_its_share_of_the_way_from_random_to_the_oracle():
    best, worst = standings(entry("bad", values=(3.1,) * 4), entry("good", values=(3.5,) * 4))
    assert (best.name, best.score, best.more) == ("good", 0.5, {"stars": 3.5})
    assert worst.score == pytest.approx(0.1)
    assert (best.place, worst.place) == (1, 2)


def test_a_place_counts_only_who_is_better_beyond_noise():
    noisy = entry("noisy", values=(3.9, 3.1, 3.8, 3.3))
    middle = entry("middle", values=(3.5, 3.5, 3.49, 3.5))
    low = entry("low", values=(3.1, 3.1, 3.11, 3.1))
    found = {one.name: one.place for one in standings(low, middle, noisy)}
    assert found == {"noisy": 1, "middle": 1, "low": 2}


def test_user_models_are_ranked_by_tau():
    high, low = standings(
        entry("low", "users", (0.1, 0.2, 0.1, 0.2)), entry("high", "users", (0.9, 0.8, 0.9, 0.8)),
        of=users_standings,
    )  # fmt: skip
    assert (high.name, high.score) == ("high", pytest.approx(0.85))
    assert high.more == {"rmse": 0.5, "no_order": 0}
    assert (high.place, low.place) == (1, 2)


def test_who_orders_nothing_anywhere_has_neither_tau_nor_place_and_stands_last():
    found = standings(
        entry("flat", "users", (None,) * 4), entry("wrong", "users", (-0.9, -0.8, -0.9, -0.8)),
        entry("good", "users", (0.9, 0.8, 0.9, 0.8)), of=users_standings,
    )  # fmt: skip
    assert [(one.name, one.place) for one in found] == [("good", 1), ("wrong", 2), ("flat", None)]
    assert (found[-1].score, found[-1].ci95) == (None, [None, None])
    board = {"users": [one.values() for one in found], "rules": {"worlds": 4}}
    assert rows(board, "users")[-1][:5] == [NONE, "flat", "me", "no order", NONE]
    assert unordered(board) == [
        "flat gave all policies the same stars in 4 of 4 worlds: there is no tau and no place."
    ]


def test_a_world_without_an_order_counts_as_0_beside_others_and_is_named():
    (only,) = standings(entry("half", "users", (0.8, None, 0.8, None)), of=users_standings)
    assert (only.place, only.score, only.more["no_order"]) == (1, 0.4, 2)
    board = {"users": [only.values()], "rules": {"worlds": 4}}
    assert rows(board, "users")[0][3] == "0.400"
    assert unordered(board) == [
        "half gave all policies the same stars in 2 of 4 worlds: where there is no order, a world"
        " counts as 0."
    ]


def test_files_of_the_first_form_are_read_and_of_an_unknown_one_are_not(tmp_path):
    whole = submission(entries=[entry(kind="users", values=(0.0, 0.1, 0.2, 0.3))])
    assert read(tmp_path, whole)[0][1].users[0].tau == 0.0
    assert read(tmp_path, whole | {"form": 2})[0][1].users[0].tau == 0.0
    with pytest.raises(SubmissionError, match=r"wanted another value at form: Input should be 1"):
        read(tmp_path, whole | {"form": 3})


class Flat:
    """Users who give every item the same, or the reverse of the truth."""

    def __init__(self, truth, sign):
        self.truth, self.sign = truth, sign

    def respond(self, users, slates, seeds):
        from simenv.users.behaviour import Behaviour

        stars = self.truth.probabilities(users, slates.items)
        chances = stars[..., ::-1] if self.sign < 0 else stars
        n = len(users)
        return Behaviour().act(chances, np.full(n, 3.6), np.full(n, 2), seeds)


def test_users_who_are_the_truth_get_a_tau_of_one_and_their_reverse_the_opposite():
    rules = Rules("2026-12-01", judges=12, num_users=40, num_items=80)
    dataset = world_of(5, rules)
    from experiments.leaderboard.judging import panel_of

    panel = panel_of(dataset, rules)
    assert isinstance(panel, Panel)
    for sign, tau in ((1, 1.0), (-1, -1.0)):
        people = People(Flat(dataset.truth, sign), {"kind": "test"})
        found, _ = users_world(dataset, panel, lambda _, p=people: p, 5, rules)
        assert found.tau == pytest.approx(tau)
        assert (found.rmse < 1e-9) == (sign > 0)
    anchor = anchor_of(dataset, 5, Rules("2026-12-01", players=12, num_users=40, num_items=80))
    assert anchor.oracle > anchor.random + 0.3


class Level(Flat):
    """Users who think the same of everything, but for what rounding leaves."""

    def respond(self, users, slates, seeds):
        found = super().respond(users, slates, seeds)
        found.probabilities[:] = 0.2 + 1e-13 * found.probabilities
        return found


def test_who_gives_every_policy_the_same_has_no_order():
    from experiments.leaderboard.judging import panel_of

    rules = Rules("2026-12-01", judges=12, num_users=40, num_items=80)
    dataset = world_of(5, rules)
    people = People(Level(dataset.truth, 1), {"kind": "test"})
    found, _ = users_world(dataset, panel_of(dataset, rules), lambda _: people, 5, rules)
    assert found.tau is None
    assert json.loads(json.dumps(found.model_dump()))["tau"] is None


class Silent(Flat):
    """Users who say nothing about some items."""

    def __init__(self, truth, items):
        super().__init__(truth, 1)
        self.items = items

    def respond(self, users, slates, seeds):
        found = super().respond(users, slates, seeds)
        found.probabilities[np.isin(slates.items, self.items)] = np.nan
        return found


def test_who_says_nothing_about_one_policy_has_no_tau():
    from experiments.leaderboard.judging import panel_of

    rules = Rules("2026-12-01", judges=12, num_users=40, num_items=80)
    dataset = world_of(5, rules)
    panel = panel_of(dataset, rules)
    first = panel.items[:, : rules.slate_size]  # of the first policy
    people = People(Silent(dataset.truth, first), {"kind": "test"})
    with pytest.raises(RuntimeError, match=r"no answer came from test users in world 5 about the"):
        users_world(dataset, panel, lambda _: people, 5, rules)


SMALL = ["experiment=leaderboard", "users=ridge", "experiment.worlds=2", "experiment.players=8",
         "experiment.judges=6"]  # fmt: skip


@pytest.mark.slow  # fits policies in worlds
def test_what_a_run_writes_can_be_submitted_to_another(tmp_path):
    first = run_command(
        tmp_path / "theirs", *SMALL, "recommender=[ease]", "experiment.author=somebody",
        "experiment.code=https://example.org/code",
    )  # fmt: skip
    assert not first["official"]
    assert "NOT OFFICIAL" in note(first)
    results = run_command(
        tmp_path / "ours", *SMALL, "recommender=[random,popularity]",
        f"experiment.submissions=[{tmp_path}/theirs/entries.json]",
    )  # fmt: skip
    board = {(one["name"], one["author"]): one for one in results["policies"]}
    assert set(board) == {("random", "personarec"), ("popularity", "personarec"),
                          ("ease", "somebody")}  # fmt: skip
    assert board["ease", "somebody"]["source"] == "entries.json"
    mine = next(one for one in first["policies"] if one["name"] == "ease")
    assert board["ease", "somebody"]["score"] == mine["score"]
    assert board["random", "personarec"]["score"] == 0
    assert rows(results, "policies")[0][1] in answer(results)
    assert sorted((one["name"], one["author"]) for one in results["users"]) == [
        ("non-personal users", "personarec"), ("ridge users", "personarec"),
        ("ridge users", "somebody"),
    ]  # fmt: skip
