"""From the results of many runs to one table: what varied, what repeats, what came out.

Pure: the dicts of ``results.json`` files in, plain dicts out.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.reporting.formatting import estimate, rounded
from recommenders.evaluation.statistics import kendall_tau, mean_interval

Run = Mapping[str, Any]
SEEDS = ("seed", "data.seed")
_STARS, _SHARE = (1.0, 5.0), (0.0, 1.0)  # scales of the figures
_POLICY_GROUP = "recommender."


def collect(runs: Sequence[Run]) -> dict[str, Any]:
    """Rows (one a setting and policy), rankings (one a setting) and failures.

    Args:
        runs: of ``experiment=policy_ranking``, in the order of the jobs.
    """
    configs = [_flat(run["provenance"]["config"]) for run in runs]
    varied = _varied(configs)
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    failures = []
    for run, config in zip(runs, configs, strict=True):
        for policy in run["policies"]:
            own = [k for k in varied if _concerns(k, policy["name"])]
            setting = ", ".join(f"{key}={config[key]}" for key in own if key in config)
            if policy["error"]:
                failures.append({"setting": setting, "policy": policy["name"], **policy["error"]})
            else:
                grouped.setdefault((setting, policy["name"]), []).append(_cell(run, config, policy))
    rows = [_row(setting, name, cells) for (setting, name), cells in grouped.items()]
    return {
        "num_runs": len(runs),
        "varied": varied,
        "rows": sorted(rows, key=lambda row: (row["setting"], -(row["simulated"]["mean"] or 0))),
        "rankings": _rankings(rows),
        "failures": failures,
    }


def _flat(config: Any, path: str = "") -> dict[str, str]:
    """Dotted key → text of every leaf."""
    if not isinstance(config, Mapping):
        return {path: str(config)}
    found: dict[str, str] = {}
    for key, value in config.items():
        found |= _flat(value, f"{path}.{key}" if path else str(key))
    return found


def _varied(configs: Sequence[dict[str, str]]) -> list[str]:
    """Keys whose values differ between runs, seeds and folders left out."""
    keys = {key for config in configs for key in config}
    found = {key: {config.get(key) for config in configs} - {None} for key in keys}
    ignored = ("output_dir", *SEEDS)
    return sorted(k for k, values in found.items() if len(values) > 1 and k not in ignored)


def _concerns(key: str, policy: str) -> bool:
    """Whether a key says something about a policy: another policy's parameters do not."""
    return not key.startswith(_POLICY_GROUP) or key.startswith(f"{_POLICY_GROUP}{policy}.")


def _cell(run: Run, config: dict[str, str], policy: Run) -> dict[str, Any]:
    top = f"ndcg@{run['setting']['top']}"
    return {
        "seeds": "/".join(dict.fromkeys(config[key] for key in SEEDS if key in config)),
        "simulated": policy["simulated"]["mean_rating"],
        "ci95": policy["simulated"]["ci95"],
        "true": policy["true_mean_rating"],
        "offline": policy["offline"].get(top),
        "users": run["stop"]["users"],
        "fit_seconds": policy["fit_seconds"],
        "play_seconds": policy["play_seconds"],
        "cost": run["stop"]["cost"],
        "commit": run["provenance"]["git"]["commit"],
        "dirty": run["provenance"]["git"]["dirty"],
    }


def _row(setting: str, policy: str, cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over repeats; a single run keeps its interval over users."""
    simulated = _mean([c["simulated"] for c in cells], _STARS)
    if len(cells) == 1:
        simulated["ci95"] = cells[0]["ci95"]
    commits = dict.fromkeys(_commit(c) for c in cells)
    return {
        "setting": setting,
        "policy": policy,
        "seeds": [c["seeds"] for c in cells],
        "interval_over": "users" if len(cells) == 1 else "seeds",
        "simulated": simulated,
        "true": _mean([c["true"] for c in cells], _STARS),
        "offline": _mean([c["offline"] for c in cells], _SHARE),
        "users": sum(c["users"] for c in cells),
        "seconds": round(sum((c["fit_seconds"] or 0) + (c["play_seconds"] or 0) for c in cells), 2),
        "cost": round(sum(c["cost"] or 0 for c in cells), 6),
        "commits": list(commits),
    }


def _commit(cell: dict[str, Any]) -> str:
    return f"{(cell['commit'] or 'unknown')[:9]}{'+' if cell['dirty'] else ''}"


def _mean(values: Sequence[float | None], scale: tuple[float, float]) -> dict[str, Any]:
    """Mean and interval, whose ends stay within the scale: nothing outside is possible."""
    mean, low, high = mean_interval([math.nan if v is None else v for v in values])
    low, high = np.clip([low, high], *scale).tolist()
    return estimate((mean, low, high))


def _rankings(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each setting's order of the policies by simulated stars, next to the first setting's."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row["setting"], {})[row["policy"]] = row["simulated"]["mean"]
    first = next(iter(found.values()), {})
    rankings = []
    for setting, means in found.items():
        shared = [name for name in first if name in means]
        tau = math.nan
        if len(shared) > 1:
            tau = float(kendall_tau([first[n] for n in shared], [means[n] for n in shared]))
        order = sorted(means, key=lambda name: -means[name])
        rankings.append({"setting": setting, "order": order, "tau_with_first": rounded(tau)})
    return rankings
