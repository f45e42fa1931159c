"""Compares the ratios of a run with those of a stored one: seconds differ by machine, ratios less.

A baseline is the ``baseline.json`` of an earlier run; one is kept beside this file.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from simenv.whole_files import write_whole

STORED = Path(__file__).with_name("baseline.json")


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
    """Every ratio of a run by name, larger is better: of whatever parts it has."""
    found = {}
    for cell in results.get("cells", []):
        setting = "{workload} {users}x{slate}, {adapters} adapters".format(**cell)
        for rival, figures in cell["ratios"].items():
            found[f"{setting}: ours / {rival}"] = figures["median"]
    if "memory" in results:
        memory = results["memory"]
        setting = "memory, {users}x{kept}".format(**memory["sizes"])
        for rival, figures in memory["ratios"].items():
            found[f"{setting}: table / {rival}"] = figures["median"]
    for row in results.get("env", []):
        setting = "env.step, {num_users}x{slate}".format(**row)
        found[f"{setting}: share of the model"] = 1 - row["share_outside_model"]["median"]
        found[f"{setting}: utilisation"] = row["utilisation"]
    if "ray" in results:
        setting = "ray, {users}x{slate}, {workers} workers".format(**results["ray"]["sizes"])
        for rival, figures in results["ray"]["ratios"].items():
            found[f"{setting}: {rival}"] = figures["median"]
    if "cost_ratio" in results:
        cost = results["cost_ratio"]
        found["cost of an exposure, {few} users / {many}".format(**cost)] = 1 / cost["median"]
    return found


def compare(now: Mapping[str, float], baseline: str | Path | None) -> list[Change]:
    """Ratios that both runs measured, the worst change first; none without a baseline.

    Args:
        now: of this run.
        baseline: ``baseline.json`` of an earlier run; ``stored`` = the one in this package, which
            need not have any of this run's; None = none.

    Raises:
        FileNotFoundError: there is no such baseline.
        ValueError: the file holds no ratios, or none of this run's.
    """
    if baseline is None or (baseline == "stored" and not STORED.exists()):
        return []
    path = STORED if baseline == "stored" else Path(baseline)
    if not path.exists():
        raise FileNotFoundError(
            f"baseline wanted the baseline.json of an earlier run, got {str(path)!r}, which is not"
            " there; give its path, or experiment.baseline=null to compare with nothing"
        )
    before = _read(path)
    changes = [Change(what, before[what], now[what]) for what in now if what in before]
    if not changes and baseline != "stored":
        raise ValueError(
            f"baseline {path.name!r} has none of the {len(now)} ratios of this run; compare runs of"
            " the same settings"
        )
    return sorted(changes, key=lambda change: change.relative)


def store(now: Mapping[str, float], path: Path = STORED) -> None:
    """Write the ratios into the stored baseline; those of other settings stay in it."""
    before = _read(path) if path.exists() else {}
    kept = {"ratios": dict(sorted({**before, **now}.items()))}
    write_whole(path, json.dumps(kept, indent=1) + "\n")


def _read(path: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8")).get("ratios", {})
    return found


def regressions(changes: list[Change], tolerance: float) -> list[Change]:
    """Changes to less than ``1 - tolerance`` of the baseline, the worst first."""
    return [change for change in changes if change.relative < 1 - tolerance]
