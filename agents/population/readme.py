"""A population's card as a page for people: what it is, how it was made, how far to trust it."""

import json
from collections.abc import Mapping
from typing import Any

_COLUMNS = {"rmse": "RMSE", "mae": "MAE", "ece": "ECE"}


def population_readme(
    name: str, facts: Mapping[str, Any], card: Mapping[str, Any], hub_model: str | None
) -> str:
    """Markdown with the front matter that the Hugging Face Hub reads.

    Args:
        name: of the population.
        facts: what is counted (people, items, adapters, …).
        card: of the population; ``card["fidelity"]`` (world → ``agents.fidelity.held_out.measure``)
            becomes tables, of ``card["alignment"]`` the gate is told, the rest is printed as it
            is.
        hub_model: the base model's hub name; None = it lies in the folder.
    """
    rest = {k: v for k, v in card.items() if k not in ("fidelity", "alignment")}
    parts = [
        _front_matter(hub_model),
        f"# {name}",
        "Simulated users of a recommender, made with PersonaRec: language-model people with a"
        " profile, a memory and, where there are any, persona adapters.",
        _listed(facts),
        "```python\nimport gymnasium as gym\nimport simenv\n\n"
        'env = gym.make("PersonaRec-v0", population="PATH_OR_OWNER/NAME")\n```',
        *_fidelity(card.get("fidelity") or {}),
        *_gate(card.get("alignment")),
        "## How it was made",
        f"```json\n{json.dumps(rest, indent=2, ensure_ascii=False)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(hub_model: str | None) -> str:
    lines = ["library_name: personarec", "tags:", "- personarec", "- user-simulation"]
    if hub_model:
        lines.append(f"base_model: {json.dumps(hub_model)}")
    return "\n".join(["---", *lines, "---"])


def _listed(facts: Mapping[str, Any]) -> str:
    return "\n".join(f"- {key}: {value}" for key, value in facts.items())


def _fidelity(worlds: Mapping[str, Any]) -> list[str]:
    if not worlds:
        return ["## How far to trust them", "Fidelity was not measured."]
    parts = ["## How far to trust them", "Errors on held-out ratings; lower is better."]
    for world, figures in worlds.items():
        if not isinstance(figures, Mapping) or "predictors" not in figures:
            parts.append(f"- {world}: {json.dumps(figures, ensure_ascii=False)}")
            continue
        count = f"{figures['num_ratings']} ratings of {figures['num_users']} users"
        parts += [f"### {world} ({count})", _table(figures["predictors"])]
    return parts


def _gate(card: Any) -> list[str]:
    """The word of the fidelity card and what it stands on; nothing without one."""
    gate = card.get("gate") if isinstance(card, Mapping) else None
    if not isinstance(gate, Mapping):
        return []
    checks = gate.get("checks")
    known = [c for c in checks if isinstance(c, Mapping)] if isinstance(checks, list) else []
    rows = [f"- {c.get('measure')}: **{c.get('word')}**, {c.get('said')}" for c in known]
    return [f"### Fidelity card: {gate.get('word')}", *(["\n".join(rows)] if rows else [])]


def _table(predictors: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [["", *_COLUMNS.values(), "95 % CI of RMSE"], ["---", *["---:"] * (len(_COLUMNS) + 1)]]
    for name, figures in predictors.items():
        cells = [f"{figures[c]:.3f}" if c in figures else "" for c in _COLUMNS]
        interval = " to ".join(f"{x:.3f}" for x in figures.get("rmse_ci95", ()))
        rows.append([name, *cells, interval])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
