from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from recommenders import plugins
from recommenders.policies.heuristics import Popularity


def offer(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    points = [EntryPoint(name, value, plugins.GROUP) for name, value in values.items()]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points)


def test_an_installed_policy_is_made_with_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, recent="recommenders.policies.heuristics:Popularity")
    policy = plugins.make_policy("recent", recent_days=3)
    assert isinstance(policy, Popularity)
    assert policy.recent_days == 3
    assert plugins.plugin_names() == ["recent"]


def test_an_unknown_policy_lists_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, recent="recommenders.policies.heuristics:Popularity")
    with pytest.raises(
        ValueError, match=r"offers the policy 'best' .* found \['recent'\]: install"
    ):
        plugins.make_policy("best")


def test_what_is_no_policy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, wrong="collections:OrderedDict")
    with pytest.raises(TypeError, match=r"names collections:OrderedDict, which is no Recommender"):
        plugins.make_policy("wrong")


def test_two_packages_with_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("twin", f"recommenders.{m}", plugins.GROUP) for m in ("a:A", "b:B")]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points)
    with pytest.raises(ValueError, match=r"several packages offer the policy 'twin': .*uninstall"):
        plugins.make_policy("twin")


def test_names_are_sorted_and_nothing_is_imported_to_list_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offer(monkeypatch, zeta="no.such.module:Policy", alpha="no.such.module:Other")
    assert plugins.plugin_names() == ["alpha", "zeta"]


def test_an_installed_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "from_a_wheel" not in plugins.plugin_names()
    installed = tmp_path / "their_policies-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: their-policies\nVersion: 1.0\n"
    )
    (installed / "entry_points.txt").write_text(
        "[personarec.recommenders]\n"
        "from_a_wheel = recommenders.policies.heuristics:Popularity\n"
        "[personarec.others]\n"
        "no_policy = recommenders.policies.heuristics:Random\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert "from_a_wheel" in plugins.plugin_names()
    assert "no_policy" not in plugins.plugin_names()
    assert isinstance(plugins.make_policy("from_a_wheel"), Popularity)
