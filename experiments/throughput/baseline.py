"""Compares the ratios of a run with those of a stored one: seconds differ by machine, ratios less.

A baseline is the ``baseline.json`` of an earlier run.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Change(NamedTuple):
    """One ratio, then and now; above 1 is better than the baseline."""

    what: str
    before: float
    now: float

    @property
    def relative(self) -> float:
        """Now over before."""
        return self.now / self.before


def ratios(results: Mapping[str, Any]) -> dict[str, float]:
    """Every ratio of a run by name, larger is better: races, memory, and the model's share."""
    found = {}
    for cell in results["cells"]:
        setting = "{workload} {users}x{slate}, {adapters} adapters".format(**cell)
        for rival, figures in cell["ratios"].items():
            found[f"{setting}: ours / {rival}"] = figures["median"]
    memory = results["memory"]
    for rival, figures in memory["ratios"].items():
        found["memory, {users}x{kept}".format(**memory["sizes"]) + f": table / {rival}"] = figures[
            "median"
        ]
    for row in results["env"]:
        share = 1 - row["share_outside_model"]["median"]
        found["env.step, {num_users}x{slate}: share of the model".format(**row)] = share
    found["floor: utilisation"] = results["floor"]["utilisation"]
    return found


def compare(now: Mapping[str, float], baseline: str | Path) -> list[Change]:
    """Ratios that both runs measured, the worst change first.

    Raises:
        FileNotFoundError: there is no such baseline.
        ValueError: the file holds no ratios, or none of this run's.
    """
    path = Path(baseline)
    if not path.exists():
        raise FileNotFoundError(
            f"baseline wanted the baseline.json of an earlier run, got {str(path)!r}, which is not"
            " there; give its path, or experiment.baseline=null to compare with nothing"
        )
    before = json.loads(path.read_text(encoding="utf-8")).get("ratios", {})
    changes = [Change(what, before[what], now[what]) for what in now if what in before]
    if not changes:
        raise ValueError(
            f"baseline {path.name!r} has none of the {len(now)} ratios of this run; compare runs of"
            " the same settings"
        )
    return sorted(changes, key=lambda change: change.relative)


def regressions(changes: list[Change], tolerance: float) -> list[Change]:
    """Changes to less than ``1 - tolerance`` of the baseline, the worst first."""
    return [change for change in changes if change.relative < 1 - tolerance]
