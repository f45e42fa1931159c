"""Groups of people: by what their Ms says, the elbow, newcomers, and the random control."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from agents.embedding import HashingEmbedder, TfidfSvdEmbedder
from agents.persona import Persona
from training.groups.clusters import (
    Clusters,
    elbow,
    explained_share,
    find_clusters,
    random_clusters,
)
from training.groups.ms_vectors import MsNumbers, MsWords, ms_text, ms_vectors

KINDS = ("drama theatre tears", "space robots lasers", "ghosts blood screams")


def people(num=30):
    """Three kinds of people by turns, each with a word of their own."""
    return [Persona(2, 2, 2, f"I love {KINDS[i % 3]} word{i % 7}") for i in range(num)]


@pytest.fixture(scope="module")
def words():
    return MsWords(HashingEmbedder())


@pytest.fixture(scope="module")
def clusters(words):
    return find_clusters(people(), words, k=3)


def test_people_who_say_the_same_are_in_one_group(clusters):
    groups = [set(clusters.labels[kind::3].tolist()) for kind in range(3)]
    assert [len(g) for g in groups] == [1, 1, 1]
    assert set().union(*groups) == {0, 1, 2}
    assert clusters.sizes.tolist() == [10, 10, 10]


def test_the_traits_are_part_of_what_is_compared(words):
    same = [Persona(1 + 2 * (i % 2), 2, 1 + 2 * (i % 2), "I love drama") for i in range(10)]
    assert ms_text(same[0]).endswith("I love drama")
    labels = find_clusters(same, words, k=2).labels
    assert set(labels[::2]) != set(labels[1::2])


def test_the_elbow_finds_the_number_of_kinds(words):
    found = find_clusters(people(), words, k=None, tried=range(1, 8))
    assert len(found.centroids) == 3
    assert sorted(found.inertias) == list(range(1, 8))
    values = [found.inertias[k] for k in range(1, 8)]
    assert values == sorted(values, reverse=True)


def test_an_elbow_is_where_the_curve_bends():
    assert elbow({1: 100.0, 2: 40.0, 3: 10.0, 4: 9.0, 5: 8.5, 6: 8.0}) == 3


@pytest.mark.parametrize("curve", [{}, {2: 1.0, 3: 0.5}, {1: 4.0, 2: 3.0, 3: 2.0, 4: 1.0}])
def test_a_curve_that_bends_nowhere_has_no_elbow(curve):
    with pytest.raises(
        ValueError, match=r"no elbow .* try more values, or name K \(the paper's is"
    ):
        elbow(curve)


def test_groups_are_the_same_for_the_same_seed_and_centroids_are_their_means(clusters, words):
    again = find_clusters(people(), words, k=3)
    np.testing.assert_array_equal(again.labels, clusters.labels)
    vectors = words(people())
    for group in range(3):
        mean = vectors[clusters.labels == group].mean(axis=0)
        np.testing.assert_allclose(clusters.centroids[group], mean, atol=1e-6)


def test_newcomers_join_the_nearest_group(clusters, words):
    newcomers = [Persona(1, 1, 1, f"I love {kind} unheard") for kind in KINDS]
    np.testing.assert_array_equal(clusters.assign(newcomers, words), clusters.labels[:3])
    np.testing.assert_array_equal(clusters.assign(people(), words), clusters.labels)
    assert clusters.assign([], words).shape == (0,)


def test_saved_groups_assign_as_before(clusters, words, tmp_path):
    clusters.save(tmp_path / "clusters.json")
    loaded = Clusters.load(tmp_path / "clusters.json")
    np.testing.assert_array_equal(loaded.centroids, clusters.centroids)
    np.testing.assert_array_equal(loaded.labels, clusters.labels)
    np.testing.assert_array_equal(loaded.exemplar_vectors, clusters.exemplar_vectors)
    assert loaded.labels.dtype == np.int64
    assert loaded.exemplars == clusters.exemplars
    assert loaded.inertias == clusters.inertias
    np.testing.assert_array_equal(loaded.assign(people(), words), clusters.labels)


def test_names_are_saved_as_they_are_written(clusters, tmp_path):
    kept = replace(clusters, exemplars=[replace(p, profile="Ämi") for p in clusters.exemplars])
    kept.save(tmp_path / "clusters.json")
    assert "Ämi" in (tmp_path / "clusters.json").read_text(encoding="utf-8")


def numbers_of(personas):
    """The number that each persona's text is, as a vector of one."""
    return np.array([[float(p.profile)] for p in personas]).reshape(-1, 1)


def test_everybody_is_in_the_group_of_the_nearest_mean():
    """0, 1, 9 and 10 are nearer to their mean 5 than to 30; 18 is not."""
    five = [Persona(2, 2, 2, text) for text in ("0", "1", "9", "10", "30")]
    found = find_clusters(five, numbers_of, k=2)
    means = found.centroids.ravel()
    assert sorted(means) == [5.0, 30.0]
    assert [means[g] for g in found.labels] == [5, 5, 5, 5, 30]
    others = [Persona(2, 2, 2, text) for text in ("17", "18", "-9")]
    assert [means[g] for g in found.assign(others, numbers_of)] == [5, 30, 5]
    assert found.inertias[2] == 5**2 + 4**2 + 4**2 + 5**2


def test_of_ten_starts_the_best_is_kept():
    """One start alone ends in a worse place."""
    points = np.random.default_rng(0).normal(size=60)
    crowd = [Persona(2, 2, 2, str(x)) for x in points]
    found = find_clusters(crowd, numbers_of, k=8, tried=(), seed=1).inertias[8]
    assert found == KMeans(8, n_init=10, random_state=1).fit(points[:, None]).inertia_
    assert found < KMeans(8, n_init=1, random_state=1).fit(points[:, None]).inertia_


def test_a_fitted_embedder_is_good_for_newcomers_and_a_fresh_one_is_refused():
    vectors = MsWords(TfidfSvdEmbedder(8))
    made = find_clusters(people(), vectors, k=3)
    np.testing.assert_array_equal(made.assign(people(6), vectors), made.labels[:6])
    with pytest.raises(ValueError, match=r"wanted the vectors they were made with \(8 wide\)"):
        made.assign(people(6), MsWords(TfidfSvdEmbedder(8)))
    texts = [f"{ms_text(p)} {i}" for i, p in enumerate(people(40)[::-1])]
    with pytest.raises(ValueError, match=r"place their own exemplars elsewhere \(8 wide\); use th"):
        made.assign(people(6), MsWords(TfidfSvdEmbedder(8).fit(texts)))


def test_numbers_group_people_by_taste_however_they_word_it():
    """Half of them love war, half hate it; as words, the two say the same."""
    signs = [1, -1] * 10
    armed = [
        Persona(2, 2, 2, f"I tell of War. word{i % 7}", {"War": s * (0.5 + 0.1 * (i % 3))}, 0.05)
        for i, s in enumerate(signs)
    ]
    numbers = ms_vectors("numbers", ["Comedy", "War"])
    assert numbers == MsNumbers(("Comedy", "War"))
    vector = numbers(armed[:1])[0]
    np.testing.assert_allclose(vector, np.array([0.05, 0, 0.5]) / np.hypot(0.05, 0.5), atol=1e-6)
    labels = find_clusters(armed, numbers, k=2).labels
    assert len(set(labels[::2].tolist())) == len(set(labels[1::2].tolist())) == 1
    assert labels[0] != labels[1]
    assert numbers([]).shape == (0, 3)


def test_ms_is_words_or_numbers():
    assert isinstance(ms_vectors("words", []), MsWords)
    with pytest.raises(ValueError, match="wanted Ms as words or numbers, got 'sounds'"):
        ms_vectors("sounds", [])


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"labels": 1'])
def test_a_corrupt_file_is_refused(tmp_path, text):
    (tmp_path / "clusters.json").write_text(text)
    with pytest.raises(ValueError, match=r"clusters.json' cannot be read .* cluster anew"):
        Clusters.load(tmp_path / "clusters.json")


def test_more_groups_than_different_people_are_refused(words):
    with pytest.raises(ValueError, match=r"from 1 to the number of .* 21 \(of 30\), got K=22; low"):
        find_clusters(people(), words, k=22)
    with pytest.raises(ValueError, match=r"personas, 1 \(of 9\), got K=4; lower K .*or bring more"):
        find_clusters([people()[0]] * 9, words)
    with pytest.raises(ValueError, match="got K=0"):
        find_clusters(people(), words, k=0)
    with pytest.raises(ValueError, match="wanted at least one persona, got none; distil"):
        find_clusters([], words)


def test_numbers_of_groups_that_cannot_be_are_not_tried(words):
    few = find_clusters(people(5), words, k=2, tried=range(2, 11))
    assert sorted(few.inertias) == [2, 3, 4, 5]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=50), st.integers(0, 2**32 - 1))
def test_random_groups_have_the_sizes_of_the_real_ones(labels, seed):
    labels = np.array(labels)
    drawn = random_clusters(labels, np.random.default_rng(seed))
    np.testing.assert_array_equal(np.bincount(drawn, minlength=4), np.bincount(labels, minlength=4))


def test_random_groups_say_nothing_about_the_real_ones():
    labels = np.repeat(np.arange(4), 250)
    drawn = random_clusters(labels, np.random.default_rng(0))
    assert abs((drawn == labels).mean() - 1 / 4) < 0.05
    assert replace(people()[0], cluster=int(drawn[0])).cluster == drawn[0]


def test_groups_tell_a_share_of_the_variance():
    """Values 0 2 | 4 6 around 3: 9 + 1 + 1 + 9 in all, 4 · 1 within."""
    values = np.array([[0.0], [2.0], [4.0], [6.0]])
    assert explained_share(values, np.array([0, 0, 1, 1])) == pytest.approx(1 - 4 / 20)
    assert explained_share(values, np.array([0, 1, 1, 0])) == pytest.approx(1 - (18 + 2) / 20)
    assert explained_share(values * 0, np.array([0, 0, 1, 1])) == 1.0
    assert explained_share(values, np.array([0, 1, 2, 2])) == pytest.approx(1 - 2 / 20)
    # Two figures around 3 and 10, the second all the same; one group of one, one of three.
    wide = np.column_stack([values, np.full(4, 10.0)])
    assert explained_share(wide, np.array([0, 1, 1, 1])) == pytest.approx(1 - (4 + 0 + 4) / 20)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_tastes_that_are_no_numbers_make_no_groups_and_join_none(wrong):
    def of_taste(level, drama):
        return Persona(2, 2, 2, "", {"Drama": drama}, level)

    good = [of_taste(i % 3 - 1.0, i % 2 - 0.5) for i in range(12)]
    vectors = ms_vectors("numbers", ["Drama"])
    for bad in (of_taste(wrong, 0.0), of_taste(0.5, wrong)):
        with np.errstate(invalid="ignore"):
            with pytest.raises(ValueError, match="for 1 of 13 personas, the first in row 3"):
                find_clusters([*good[:3], bad, *good[3:]], vectors, k=2)
            found = find_clusters(good, vectors, k=2)
            with pytest.raises(ValueError, match="for 1 of 2 personas, the first in row 1; mend"):
                found.assign([good[0], bad], vectors)


def test_vectors_that_are_no_numbers_are_not_the_ones_the_groups_were_made_with(words, clusters):
    with pytest.raises(ValueError, match="wanted the vectors they were made with"):
        clusters.assign(people(3), lambda whose: words(whose) * np.nan)


def test_saved_groups_that_hold_no_numbers_are_refused(clusters, tmp_path):
    path = tmp_path / "clusters.json"
    replace(clusters, centroids=clusters.centroids * np.nan).save(path)
    with pytest.raises(ValueError, match=r"clusters\.json' cannot be read .*finite vectors of Ms"):
        Clusters.load(path)


@pytest.mark.parametrize("wrong", [2.5, np.nan, "3", True])
def test_a_number_of_groups_is_whole(words, wrong):
    with pytest.raises((ValueError, TypeError), match=r"clusters wanted K .*; the paper's is 4"):
        find_clusters(people(), words, k=wrong)
    with pytest.raises((ValueError, TypeError), match=r"clusters wanted K .*; the paper's is 4"):
        find_clusters(people(), words, k=3, tried=[2, wrong])


def crowd_of(*texts):
    return [Persona(2, 2, 2, text) for text in texts]


def test_four_groups_and_a_curve_from_2_to_10_are_the_default(words):
    found = find_clusters(people(), words)
    assert len(found.centroids) == 4
    assert sorted(found.inertias) == list(range(2, 11))
    np.testing.assert_array_equal(
        found.centroids, find_clusters(people(), words, k=4, tried=(), seed=0).centroids
    )
    other = find_clusters(people(), words, seed=1)
    assert not np.array_equal(found.centroids, other.centroids)


def test_as_many_groups_as_people_or_one_alone_are_groups():
    five = crowd_of("0", "1", "9", "10", "30")
    assert find_clusters(five, numbers_of, k=5, tried=()).inertias == {5: 0.0}
    assert find_clusters(five, numbers_of, k=1, tried=()).centroids.tolist() == [[10.0]]
    assert sorted(find_clusters(five, numbers_of, k=1, tried=[0, 1, 5, 6]).inertias) == [1, 5]


def test_the_one_nearest_to_the_mean_stands_for_a_group():
    found = find_clusters(crowd_of("0", "2", "9", "10", "30"), numbers_of, k=2)
    means = found.centroids.ravel().tolist()
    assert sorted(means) == [5.25, 30.0]
    stands = {mean: p.profile for mean, p in zip(means, found.exemplars, strict=True)}
    assert stands == {5.25: "2", 30.0: "30"}
    assert found.exemplar_vectors[means.index(5.25)].tolist() == [2.0]


def test_somebody_between_two_groups_joins_the_first():
    found = find_clusters(crowd_of("0", "10"), numbers_of, k=2, tried=())
    assert found.assign(crowd_of("5"), numbers_of).tolist() == [0]


def test_vectors_may_differ_by_a_thousandth():
    found = find_clusters(crowd_of("0", "10"), numbers_of, k=2, tried=())
    everybody = crowd_of("0", "10")
    near = found.assign(everybody, lambda whose: numbers_of(whose) + 9.9e-4)
    np.testing.assert_array_equal(near, found.labels)
    for off in (1.1e-3, -1.1e-3):
        with pytest.raises(ValueError, match="made with"):
            found.assign(everybody, lambda whose, off=off: numbers_of(whose) + off)
    wide = r"made with \(1 wide\), got .* \(2 wide\); use that embedder or those genres, or cluster"
    with pytest.raises(ValueError, match=wide):
        found.assign(everybody, lambda whose: np.tile(numbers_of(whose), 2))


def test_a_group_that_nobody_is_in_has_size_0(clusters):
    sizes = replace(clusters, labels=np.array([1, 1])).sizes
    assert sizes.tolist() == [0, 2, 0]
    assert sizes.dtype == np.int64


def test_a_file_is_one_line_of_json_and_a_missing_one_is_said_so(clusters, tmp_path):
    clusters.save(tmp_path / "clusters.json")
    text = (tmp_path / "clusters.json").read_text(encoding="utf-8")
    assert text.count("\n") == 1
    assert text.endswith("}\n")
    assert set(json.loads(text)) == {
        "labels", "centroids", "inertias", "exemplars", "exemplar_vectors"
    }  # fmt: skip
    with pytest.raises(FileNotFoundError):
        Clusters.load(tmp_path / "other.json")


@pytest.mark.parametrize("curve", [{}, {2: 1.0, 3: 0.5}])
def test_a_curve_without_an_elbow_is_named(curve):
    named = "2, 3" if curve else "nothing"
    with pytest.raises(ValueError, match=rf"^no elbow in the inertias of K = {named}; .* is 4\)$"):
        elbow(curve)


def test_four_points_may_bend_in_whatever_order_they_were_tried():
    assert elbow({1: 10.0, 2: 1.0, 3: 0.5, 4: 0.4}) == 2
    assert elbow({4: 0.4, 3: 0.5, 1: 10.0, 2: 1.0}) == 2


def test_the_elbow_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "kneed", None)
    with pytest.raises(
        ModuleNotFoundError,
        match=r"^the elbow needs kneed: pip install 'personarec\[train\]'; or name K$",
    ) as error:
        elbow({1: 10.0, 2: 1.0, 3: 0.5})
    assert error.value.name == "kneed"


def test_a_seed_is_a_whole_number_from_0(words):
    with pytest.raises(ValueError, match=r"^clusters wanted a seed .*-1"):
        find_clusters(people(), words, k=3, seed=-1)
