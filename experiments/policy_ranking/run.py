"""Runs the ranking; the question and the score stand in the package docstring.

Files: ``answers/`` (of a language model, as they come; the same command goes on with them),
``results.json``, ``report.html``, ``report.md``, ``interactions.parquet`` (every slate of
every session, with the policy and the world that answered) and ``config.yaml`` (resolved).
"""

from typing import Any

from omegaconf import DictConfig

from agents.inference.metering.meter import EngineMeter
from experiments.people.people import People
from experiments.policy_ranking import ranking_page as page
from experiments.reporting.parts import Parts
from experiments.reporting.provenance import public
from experiments.reporting.result import Result
from experiments.tournament.cautions import cautions, measured_fidelity
from experiments.tournament.group_summary import summarise_groups
from experiments.tournament.groups import persona_groups
from experiments.tournament.off_policy_check import estimate_from_logs
from experiments.tournament.playing import play_all
from experiments.tournament.policies import policy_makers
from experiments.tournament.sessions import Session, interactions
from experiments.tournament.setting import Setting, described, make_setting
from experiments.tournament.shared_rows import measured_collusion
from experiments.tournament.summary import summarise, summarise_off_policy
from experiments.tournament.traces import trace_of_best


def run(cfg: DictConfig) -> Result:
    """Rank ``cfg.recommender`` with ``cfg.users`` on ``cfg.data``."""
    setting, people = make_setting(cfg)
    asking = EngineMeter(people.engine)
    makers = policy_makers(cfg.recommender)
    sessions, meter = play_all(makers, setting)
    parts = Parts()
    values = {
        "experiment": cfg.experiment.name,
        "debug": cfg.get("debug"),
        "users": people.card,
        **described(setting),
        "stop": meter.report(),
        **_compared(sessions, setting, people, cfg.experiment.num_resamples, parts),
        "traces": parts.get("traces", lambda: trace_of_best(sessions, setting), None),
        "fidelity": parts.get("fidelity", lambda: measured_fidelity(people, setting), None),
        "engine": public(asking.report()),
        "collusion": parts.get(
            "collusion", lambda: measured_collusion(cfg, people, makers, setting), None
        ),
        "failures": parts.failures,
    }
    told = values["fidelity"], values["contrasts"], values["collusion"]
    values["before_you_quote"] = cautions(people, *told)
    return Result(
        values,
        pages={"report.html": page.html, "report.md": page.markdown},
        frames={"interactions.parquet": interactions(sessions)},
        lines=page.lines(values),
        error=_failure(sessions) or parts.error,
    )


def _compared(
    sessions: list[Session], setting: Setting, people: People, num_resamples: int, parts: Parts
) -> dict[str, Any]:
    """Policies by all users, by kinds of users, and by the log of one of them."""
    facts = setting.item_facts()
    off_policy = parts.get("off-policy", lambda: estimate_from_logs(sessions, setting), None)

    none: list[dict[str, Any]] = []

    def groups() -> list[dict[str, Any]]:
        # Each half of the rows makes personas of its own; what all rows say of somebody is one.
        own = people.population if setting.swapped is None else None
        kinds = persona_groups(setting.whole or setting.dataset, own)
        return summarise_groups(sessions, kinds, facts)

    return {
        **summarise(sessions, facts, setting.top, setting.seed, num_resamples, off_policy),
        "groups": parts.get("kinds of people", groups, none),
        "off_policy": summarise_off_policy(off_policy, sessions),
    }


def _failure(sessions: list[Session]) -> str | None:
    if not all(session.error for session in sessions):
        return None
    first = sessions[0].error or {}
    return f"every policy failed, {sessions[0].name} with {first['message']}; see the table above"
