"""The stage as a command: its groups, its elbow and its page."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from agents.embedding import TfidfSvdEmbedder
from experiments.cluster.elbow_figure import elbow_svg
from experiments.cluster.run import _explained, _quality
from simenv.data.synthetic import synthetic
from simenv.data.worlds.reading_world import reading_world
from tests.experiments.command import run_command
from training.distillation.offline import OfflineDistiller
from training.groups.clusters import Clusters
from training.groups.ms_vectors import ms_vectors


def run(folder, *words):
    return run_command(folder, "experiment=cluster", "debug=tiny", *words)


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    run(folder)
    return folder


@pytest.fixture(scope="module")
def results(output_dir):
    return json.loads((output_dir / "results.json").read_text(encoding="utf-8"))


def test_everybody_is_in_one_of_four_groups(results):
    assert results["k"] == len(results["groups"]) == 4
    assert sum(group["people"] for group in results["groups"]) == results["num_users"] == 24
    assert sorted(map(int, results["inertias"])) == list(range(1, 11))


def test_kept_centroids_assign_the_people_they_were_made_of(output_dir):
    world = synthetic(0, num_users=24, num_items=120)
    personas = OfflineDistiller(world.catalog, world.averages).distil(world.train).personas
    vectors = ms_vectors("words", (), TfidfSvdEmbedder(64, 0))
    vectors(personas)  # fitted as it was in the run
    kept = Clusters.load(output_dir / "clusters.json")
    assert kept.assign(personas, vectors).tolist() == kept.labels.tolist()


def test_the_page_shows_the_elbow_and_the_groups_and_nothing_of_this_machine(output_dir, results):
    page = (output_dir / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    assert "K = 4" in page
    assert all(group["exemplar"].split(".")[0] in page for group in results["groups"])
    assert str(output_dir.parent) not in page


def test_the_quality_of_groups_is_told_of_ms_and_of_ratings(output_dir, results):
    for figures in results["quality"].values():
        assert -1 <= figures["silhouette"] <= 1
        assert figures["stability"] <= 1
        assert figures["known"] is None, "nobody knows groups of this world"
    assert list(results["quality"]) == ["Ms", "ratings"]
    page = (output_dir / "report.html").read_text(encoding="utf-8")
    assert f"{results['quality']['ratings']['silhouette']:.3f}" in page


def test_groups_by_numbers_explain_more_of_tastes_than_random_ones(tmp_path, results):
    by_numbers = run(tmp_path, "experiment.ms=numbers", "experiment.k=null")
    assert by_numbers["k_from"] == "the elbow"
    shares = by_numbers["explained"]
    assert shares["random_groups"] < shares["groups"] < 1


def test_the_chosen_number_is_marked_on_the_curve():
    svg = elbow_svg({1: 9.0, 2: 4.0, 3: 3.0}, 2, 40)
    assert "K = 2" in svg
    assert "var(--simulated)" in svg
    assert "--inches: 6.4" in svg  # by which a narrow page keeps its words legible


MS = np.random.default_rng(0).normal(size=(12, 3))


def test_groups_that_cannot_be_judged_are_said_and_are_no_error():
    """Ratings that are all alike form one group; of people who are all alone none is nearer."""
    world = synthetic(3, num_users=12, num_items=30)
    alike = replace(world, train=replace(world.train, ratings=np.full(len(world.train), 4.0)))
    found = _quality(alike, MS, 3)
    assert found["ratings (1 differ)"] == {"silhouette": None, "stability": None, "known": None}
    assert found["Ms"]["silhouette"] is not None
    assert _quality(world, MS, 12)["Ms"]["silhouette"] is None


def test_groups_are_compared_with_those_that_a_world_is_made_of():
    world = reading_world(3, num_users=12, num_items=40)
    known = world.truth.groups[:, None] * np.ones((1, 3))
    k = len(np.unique(known, axis=0))
    assert _quality(world, known, k)["Ms"]["known"] == 1.0


def test_random_groups_are_drawn_anew_and_explain_less():
    corners = np.repeat(np.eye(3), 4, axis=0)
    clusters = SimpleNamespace(labels=np.repeat(np.arange(3), 4))
    explained = _explained(corners, clusters, 0)
    assert explained["groups"] == 1.0
    assert explained["random_groups"] < 0.6


@pytest.mark.slow
def test_one_group_has_no_table_of_how_good_groups_are(tmp_path):
    assert run(tmp_path, "experiment.k=1")["quality"] == {}
    for name in ("report.md", "report.html"):
        assert "How good such groups are" not in (tmp_path / name).read_text(encoding="utf-8")
