"""Policies from other packages, found through the entry-point group ``personarec.recommenders``.

A package offers one in its ``pyproject.toml``::

    [project.entry-points."personarec.recommenders"]
    my_policy = "my_package.policies:MyPolicy"

and a run names it: ``recommender._target_=recommenders.plugins.make_policy
recommender.plugin=my_policy``.
"""

from importlib.metadata import entry_points
from typing import Any

from recommenders.base import Recommender

GROUP = "personarec.recommenders"


def plugin_names() -> list[str]:
    """The names of all installed policies of other packages, sorted; imports none of them."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def make_policy(plugin: str, **arguments: Any) -> Recommender:
    """A new, unfitted policy of another package.

    Args:
        plugin: its entry-point name.
        arguments: of its constructor.

    Raises:
        ValueError: no such plug-in, or two packages offer one of that name.
        TypeError: what it names is no ``Recommender``.
    """
    points = [p for p in entry_points(group=GROUP) if p.name == plugin]
    if not points:
        raise ValueError(
            f"no installed package offers the policy {plugin!r} in the entry-point group {GROUP};"
            f" found {plugin_names()}: install its package"
        )
    if len({point.value for point in points}) > 1:
        raise ValueError(
            f"several packages offer the policy {plugin!r}: {sorted(p.value for p in points)};"
            " uninstall all but one"
        )
    kind = points[0].load()
    if not (isinstance(kind, type) and issubclass(kind, Recommender)):
        raise TypeError(
            f"plug-in {plugin!r} names {points[0].value}, which is no Recommender;"
            " subclass recommenders.base.Recommender"
        )
    return kind(**arguments)
