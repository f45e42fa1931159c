from importlib.metadata import EntryPoint

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


def test_nothing_is_offered_without_packages() -> None:
    assert isinstance(plugins.plugin_names(), list)
