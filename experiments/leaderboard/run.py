"""Ranks; the question and the score stand in the package docstring.

Files: ``entries.json`` (what one submits), ``answers/`` (of a language model, as they come; the
same command goes on with them), ``results.json``, ``report.md`` and ``config.yaml``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.leaderboard import leaderboard_page as page
from experiments.leaderboard.entries import FORM, FORMAT, OURS, Anchor, Entry, read_submissions
from experiments.leaderboard.judging import (
    anchor_of,
    panel_of,
    policy_world,
    users_world,
    world_of,
)
from experiments.leaderboard.rules import PANEL, VERSION, Rules
from experiments.leaderboard.standing import policy_standings, users_standings
from experiments.people.predictor_users import non_personal, ridge
from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import public
from experiments.reporting.report import json_text
from experiments.reporting.result import Result
from experiments.tournament.policies import policy_makers
from experiments.tournament.setting import kept_people

_REFERENCES = {"non-personal users": non_personal, "ridge users": ridge}


def run(cfg: DictConfig) -> Result:
    """Rank ``cfg.recommender``, ``cfg.users`` and ``cfg.experiment.submissions``.

    Raises:
        ValueError: the edition is no date.
        SubmissionError: a submitted file cannot stand on this board.
    """
    settings = cfg.experiment
    rules = Rules(
        settings.edition, worlds=settings.worlds, players=settings.players, judges=settings.judges
    )
    worlds = _worlds(cfg, rules)
    anchors = [Anchor(**world["anchor"]) for world in worlds]
    own = _entries(cfg, worlds)
    others = read_submissions(settings.submissions, rules, anchors)
    entries = [*(("", entry) for entry in own), *others]
    values = {
        "experiment": settings.name,
        "debug": cfg.get("debug"),
        "rules": rules.said(),
        "official": rules.official,
        "panel": list(PANEL),
        "policies": [
            one.values()
            for one in policy_standings([e for e in entries if e[1].kind == "policy"], anchors)
        ],
        "users": [
            one.values()
            for one in users_standings([e for e in entries if e[1].kind == "users"], anchors)
        ],
        "card": worlds[0]["card"],
    }
    submitted = _submission(rules, anchors, [one for one in own if one.settings])
    return Result(
        values,
        pages={"entries.json": json_text(submitted), "report.md": page.markdown},
        lines=page.lines(values),
    )


def _worlds(cfg: DictConfig, rules: Rules) -> list[dict[str, Any]]:
    """Every world of the edition."""
    found = []
    with progress_bar("worlds", total=rules.worlds) as tick:
        for seed in rules.seeds():
            tick(f"world {seed}")
            found.append(_world(cfg, rules, seed))
            tick(f"world {seed}", advance=1)
    return found


def _world(cfg: DictConfig, rules: Rules, seed: int) -> dict[str, Any]:
    """Figures of one world: the anchors, policies and users by name, and the users' card."""
    dataset = world_of(seed, rules)
    panel = panel_of(dataset, rules)
    makers = {**_REFERENCES, _users_name(cfg): kept_people(cfg)}
    users: dict[str, Any] = {}
    card: Mapping[str, Any] = {}
    for name, make in makers.items():
        figures, card = users_world(dataset, panel, make, seed, rules)
        users[name] = figures.model_dump()
    return {
        "anchor": anchor_of(dataset, seed, rules).model_dump(),
        "policies": {
            name: policy_world(dataset, make, seed, rules).model_dump()
            for name, make in policy_makers(cfg.recommender).items()
        },
        "users": users,
        "card": public(dict(card)),
    }


def _users_name(cfg: DictConfig) -> str:
    """What the board calls the users of the config."""
    kind = str(cfg.users._target_).rsplit(".", 1)[1].replace("personas", "persona")
    own: str | None = cfg.experiment.users_name
    return own or f"{kind.replace('_', '-')} users"


def _entries(cfg: DictConfig, worlds: Sequence[dict[str, Any]]) -> list[Entry]:
    """What this run can submit: its policies and its users in every world."""
    settings = cfg.experiment
    nodes: dict[str, Any] = {"users": {_users_name(cfg): cfg.users}, "policy": cfg.recommender}
    found = []
    for kind, column in (("policy", "policies"), ("users", "users")):
        for name in worlds[0][column]:
            own = name in nodes[kind]
            node: Any = OmegaConf.to_container(nodes[kind][name], resolve=True) if own else {}
            found.append(
                Entry.model_validate(
                    {
                        "kind": kind,
                        "name": name,
                        "author": settings.author if own and settings.author else OURS,
                        "code": settings.code if own and settings.code else "",
                        "settings": public(node),
                        kind: [world[column][name] for world in worlds],
                    }
                )
            )
    return found


def _submission(
    rules: Rules, anchors: Sequence[Anchor], entries: Sequence[Entry]
) -> dict[str, Any]:
    """``entries.json``: everything of this run that is its author's."""
    return {
        "format": FORMAT,
        "form": FORM,
        "version": VERSION,
        "rules": rules.said(),
        "anchors": [one.model_dump() for one in anchors],
        "entries": [one.model_dump() for one in entries],
    }
