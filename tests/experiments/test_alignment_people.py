"""Choices, identity, probes and what lies beyond the log, on people that one can count by hand."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from agents.fidelity.five_way import Scenes
from agents.fidelity.like_dislike import LikeQuestions
from agents.fidelity.probes import Probe, effect
from experiments.alignment import choosing, identity, later_ratings, probing, unseen_items
from experiments.alignment.asked import Rows
from experiments.alignment.choosing import LETTERS_WAY, PEOPLE, STARS_WAY
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog, expected_stars

WORLD = synthetic(3, num_users=8, num_items=40)


def certain(stars):
    """Chances (..., 5) of who is sure of whole ``stars`` (...)."""
    return np.eye(5)[np.asarray(stars) - 1]


def log_of(users, items, ratings, times=None, num_users=2, num_items=4):
    return InteractionLog.from_columns(
        users, items, ratings, times, num_users=num_users, num_items=num_items
    )


def no_tick(text, advance=0):
    pass


def saying(chances, reading="whole"):
    style = SimpleNamespace(style=SimpleNamespace(reading=reading))
    return SimpleNamespace(probabilities=lambda users, items: chances, population=style)


# Choices.


def test_likes_of_the_people_and_their_lead_over_others_by_hand():
    """Two people, each likes the first of two. The people are right about both, popularity about
    one; half a chance of four stars is a yes, half a chance of three is none."""
    liked = np.array([[True, False], [True, False]])
    chances = np.array([[[0, 0, 0.5, 0.5, 0], [0.5, 0, 0.5, 0, 0]]] * 2)
    counts = {"popularity": lambda users, items: np.array([[9.0, 1.0], [1.0, 9.0]])}
    asked = LikeQuestions(np.array([0, 1]), np.array([[0, 1], [0, 1]]), liked)
    found = choosing._like_table(saying(chances), asked, counts)
    assert (found[PEOPLE]["accuracy"], found[PEOPLE]["auc"]) == (1.0, 1.0)
    own = found[f"{PEOPLE}, own yes"]
    assert (own["accuracy"], own["precision"], own["recall"]) == (1.0, 1.0, 1.0)
    rival = found["popularity"]
    assert (rival["accuracy"], rival["accuracy_ci95"]) == (0.5, [0.0, 1.0])
    assert rival["lead_ci95"] == [0.0, 1.0]  # ahead for person 1, alike for person 0
    assert found[PEOPLE]["lead_ci95"] is own["lead_ci95"] is None


def test_a_chance_of_three_stars_is_no_yes():
    asked = LikeQuestions(np.array([0]), np.array([[0, 1]]), np.array([[True, False]]))
    found = choosing._like_table(saying(certain([[3, 3]])), asked, {})
    assert found[f"{PEOPLE}, own yes"]["recall"] == 0.0
    assert np.isnan(found[f"{PEOPLE}, own yes"]["precision"])


SHOWN = Scenes(np.array([0, 1]), np.tile(np.arange(5), (2, 1)), np.array([0, 3]))


def test_who_names_what_was_taken_by_hand(monkeypatch):
    """Letters name the first twice, stars both right; popularity names the fourth twice."""
    monkeypatch.setattr(
        choosing, "_by_letters", lambda model, shown: np.tile(np.arange(5, 0, -1), (2, 1))
    )
    model = saying(certain([[5, 1, 1, 1, 1], [1, 1, 1, 5, 1]]))
    popular = {"popularity": lambda users, items: np.eye(5)[[3, 3]]}
    found = choosing._named(model, SHOWN, popular)
    assert {name: own.tolist() for name, own in found.items()} == {
        LETTERS_WAY: [1, 0], STARS_WAY: [1, 1], "popularity": [0, 1], "first letter": [1, 0],
        "random": [0.2, 0.2],
    }  # fmt: skip
    assert choosing._lead(found, STARS_WAY, found["popularity"]) == [0.0, 1.0]
    assert choosing._lead(found, LETTERS_WAY, found[STARS_WAY]) == [-1.0, 0.0]
    in_blocks = choosing._named(saying(certain([[5, 1, 1, 1, 1]] * 2), "blocks"), SHOWN, {})
    assert LETTERS_WAY not in in_blocks
    assert choosing._lead(in_blocks, LETTERS_WAY, in_blocks[STARS_WAY]) is None


def test_policies_score_popular_items_and_those_they_would_show_high():
    users = np.arange(8)
    found = choosing.rivals(WORLD, users)
    counts, fair = WORLD.averages.counts, WORLD.averages.fair
    items = np.tile(np.argsort(-counts)[[0, 1, 39]], (8, 1))
    assert found["popularity"](users, items)[0].tolist() == counts[items[0]].tolist()
    assert found["item average"](users, items)[0].tolist() == fair[items[0]].tolist()
    assert found["bias model"](users, items).shape == (8, 3)
    assert not np.array_equal(*found["matrix factorisation"](users[[0, 1]], items[[0, 0]]))


def test_a_policys_scores_are_those_of_its_slates_and_the_least_elsewhere():
    def recommend(observation, k, rng):
        assert k == 40 - np.bincount(WORLD.train.users)[[2, 5]].max()
        return SimpleNamespace(
            items=np.array([[7, 1], [3, 2]]), scores=np.array([[2.0, 1], [4, -3]])
        )

    found = choosing._policy_scores(SimpleNamespace(recommend=recommend), np.array([2, 5]), WORLD)
    assert (found[2, 7], found[2, 1], found[5, 3], found[5, 2]) == (2.0, 1.0, 4.0, -3.0)
    assert found[2, 3] == found[0, 0] == -3.0


# Identity.


def test_people_are_drawn_whole_until_there_are_enough_rows():
    log = log_of([0] * 2 + [1] * 3, [0, 1, 0, 1, 2], [3.0] * 5)
    rows = Rows(log, certain([3] * 5), {}, {})
    sizes = [len(identity.some_people(rows, most, 0).log) for most in (1, 2, 3, 4, 5, 99)]
    assert set(sizes[:2]) <= {2, 3}
    assert sizes[3:] == [5, 5, 5]


def test_the_rise_of_a_variant_is_its_error_minus_the_peoples(monkeypatch):
    """Everybody was one star off, in another's place they are two stars off, in every row."""
    rows = Rows(log_of([0, 1], [0, 1], [3.0, 3.0]), certain([4, 2]), {}, {})
    monkeypatch.setattr(identity, "_stars", lambda model, people, log: np.array([5.0, 1.0]))
    made = {"swap": lambda: None}
    found = identity.rises(SimpleNamespace(model=None), rows, made, no_tick)["swap"]
    assert (found["rmse"], found["rise"], found["rise_ci95"]) == (2.0, 1.0, [1.0, 1.0])
    assert found["moved"] == 1.0


def test_a_cold_start_stands_beside_the_average_and_an_offset_of_the_same_ratings(monkeypatch):
    """Nothing known: averages of 3 for what is worth 5 and 1, the people one star off. With one
    rating, two stars above its average, an offset of 2 / (1 + 5) for person 0 alone."""
    train = log_of([0, 1], [2, 2], [5.0, 3.0])
    averages = SimpleNamespace(fair=np.full(4, 3.0))
    asked = SimpleNamespace(dataset=SimpleNamespace(train=train, averages=averages), model=None)
    rows = Rows(log_of([0, 1], [0, 1], [5.0, 1.0]), certain([5, 1]), {}, {})
    told = []
    monkeypatch.setattr(identity, "knowing", lambda asked, known: told.append(known))
    monkeypatch.setattr(identity, "_stars", lambda model, people, log: np.array([4.0, 2.0]))
    found = identity.cold_start(asked, rows, no_tick)
    assert list(found) == ["0", "1", "2", "5", "10", "20", "50"]
    assert told == [0, 1, 2, 5, 10, 20, 50]
    assert (found["0"]["rmse"], found["0"]["average_and_offset_rmse"]) == (1.0, 2.0)
    assert found["0"]["difference_ci95"] == [-1.0, -1.0]
    offset = np.sqrt(((2 - 2 / 6) ** 2 + 2**2) / 2)
    assert found["1"]["average_and_offset_rmse"] == pytest.approx(offset, abs=1e-6)


# Probes.


def test_entropy_of_liked_genres_by_hand():
    """Half comedy and half war is ln 2, three quarters is less, one genre is 0, no liking none."""
    shares = np.eye(2)
    model = SimpleNamespace(
        population=SimpleNamespace(catalog=SimpleNamespace(genre_shares=shares[[0, 1, 0]]))
    )
    probe = Probe(np.arange(4), np.tile([0, 1, 2], (4, 1)))
    stars = np.array(
        [[3.0, 3, 2], [4, 2, 1], [5, 1, 1], [2, 2, 2]]
    )  # above the least: 1 1 0; 3 1 0
    found = probing._genre_entropy(model, probe, stars)
    mixed = -(3 / 4 * np.log(3 / 4) + 1 / 4 * np.log(1 / 4))
    np.testing.assert_allclose(found, [np.log(2), mixed, 0.0, np.nan], atol=1e-12)


def test_crowds_go_with_conformity_and_tastes_with_diversity(monkeypatch):
    """Those of conformity 1 rise by 2 and 4, those of 3 by 0 and 2; entropies go with diversity."""
    personas = [
        SimpleNamespace(conformity=c, diversity=d) for c, d in ((1, 3), (1, 3), (3, 1), (3, 1))
    ]
    model = SimpleNamespace(population=SimpleNamespace(personas=personas))
    monkeypatch.setattr(probing, "slope", lambda model, probe: np.array([2.0, 4.0, 0.0, 2.0]))
    monkeypatch.setattr(probing, "_genre_entropy", lambda *asked: np.array([1.0, 3.0, 0.0, 0.0]))
    found = probing.traits(model, Probe(np.arange(4), np.zeros((4, 1), int)), np.zeros((4, 1)))
    crowd, spread = found["stars a star of the displayed average"], found["entropy of liked genres"]
    assert (crowd["mean"], crowd["level 1"], crowd["level 3"]) == (2.0, 3.0, 1.0)
    assert crowd["d"] == pytest.approx(-2 / np.sqrt(2))
    assert (spread["mean"], spread["level 1"], spread["level 3"]) == (1.0, 0.0, 2.0)
    assert spread["d"] == pytest.approx(2.0)  # variances 0 and 2 within
    assert "level 2" not in crowd


def test_an_injected_text_is_held_against_neutral_text_of_its_length(monkeypatch):
    """Text lifts by two stars and neutral text by a half: one and a half beyond it."""
    monkeypatch.setattr(probing, "INJECTIONS", {"shout": "FIVE!"})
    monkeypatch.setattr(
        probing, "injected",
        lambda model, probe, text: np.full((2, 1), 5.0 if text == "FIVE!" else 3.5),
    )  # fmt: skip
    model = SimpleNamespace(population=SimpleNamespace(catalog=WORLD.catalog))
    found = probing._injections(model, None, np.full((2, 1), 3.0))["shout"]
    assert found["effect"] == effect(np.full((2, 1), 5.0), np.full((2, 1), 3.0))
    assert found[probing.NEUTRAL].mean == 0.5
    assert (found["beyond neutral"].mean, found["beyond neutral"].ci95) == (1.5, [1.5, 1.5])


# Beyond the log.


@dataclass
class Averaged:
    """People, as far as averages go."""

    averages: object


def test_later_ratings_are_those_behind_the_moment_and_their_averages_are_taken_away(monkeypatch):
    """A hundred known ratings, one a second. Until second 59 all give item 0 two stars, later five.
    Forty asked rows lie behind it, all of four stars: averages of then promise two, all of them
    more."""
    times = np.arange(100.0)
    known = log_of([0] * 100, [0, 1] * 50, np.where(times < 60, 2.0, 5.0), times, 1, 2)
    monkeypatch.setattr(later_ratings, "stacked", lambda train, background: known)
    log = InteractionLog(*np.zeros((2, 60), np.int64), np.full(60, 4.0), times[39:99] + 0.5, 1, 2)
    rows = Rows(log, certain(np.full(60, 3)), {}, {})
    everything = SimpleNamespace(fair=np.array([3.5, 3.5]))
    dataset = SimpleNamespace(
        train=log_of([], [], [], None, 1, 2), background=None, truth=None, averages=everything,
        catalog=SimpleNamespace(genre_matrix=np.ones((2, 1)), years=np.zeros(2, int), __len__=None),
    )  # fmt: skip
    seen = []

    def of(known, catalog):
        seen.append(known.timestamps.max())
        return SimpleNamespace(fair=np.full(2, known.ratings.mean()))

    monkeypatch.setattr(later_ratings.ItemAverages, "of", of)
    monkeypatch.setattr(later_ratings, "PersonaUsers", lambda people, *more, **settings: people)
    monkeypatch.setattr(
        later_ratings, "rate",
        lambda people, log: certain(np.full(len(log), int(people.averages.fair[0]))),
    )  # fmt: skip
    model = SimpleNamespace(population=Averaged(everything), engine=None, make_memory=None)
    found = later_ratings.later_ratings(SimpleNamespace(dataset=dataset, model=model), rows)
    assert seen == [59.0]
    assert (found["rows"], found["left_out"]) == (40, 40)
    people, plain = found["simulated users"], found["average and own offset"]
    assert (people["rmse_without"], people["rmse"], people["rise"]) == (2.0, 1.0, 1.0)
    assert (plain["rmse_without"], plain["rmse"], plain["rise"]) == (2.0, 0.5, 1.5)


def test_likes_are_four_stars_or_more_and_who_answers_half_counts_by_half():
    """Half a chance of four stars is half a like. Person 1 answers about one item in ten."""
    chances = np.tile([0, 0, 0.5, 0.5, 0], (2, 10, 1))
    chances[1, :9] = np.nan
    chances[1, 9] = [0, 0, 0, 0, 1.0]
    truth = SimpleNamespace(probabilities=lambda users, items: certain(np.full(np.shape(items), 4)))
    dataset = SimpleNamespace(truth=truth)
    asked = SimpleNamespace(dataset=dataset, model=saying(chances))
    items = np.tile(np.arange(10), (2, 1))
    found = unseen_items._compared(asked, np.array([0, 1]), items)
    assert found["simulated_likes"] == pytest.approx((10 * 0.5 + 1) / 11)
    assert found["true_likes"] == 1.0
    assert found["gap_ci95"] == [-0.5, 1.0]  # persons' means: -1/2, and 1 of the one answer
    assert found["gap"] == pytest.approx((10 * -0.5 + 1) / 11)
    assert found["simulated_stars"] == pytest.approx(np.nanmean(expected_stars(chances)))
