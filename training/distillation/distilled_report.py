"""What a model made of a log: profiles and reasons over the offline ones, and whom it failed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from simenv.events import InteractionLog
from training.distillation.chains import Chain
from training.distillation.ledger import Spending
from training.distillation.offline import Distilled


class DistillationReport(NamedTuple):
    """What a model made of a log, whom it failed, and what it cost."""

    distilled: Distilled
    sections: dict[int, dict[str, str]]  # user → Ms in its four sections; only those who succeeded
    failures: dict[int, str]  # user → why they have the offline profile and reasons
    spending: Spending


def distillation_report(
    log: InteractionLog,
    offline: Distilled,
    chains: Mapping[int, Chain],
    failures: dict[int, str],
    spending: Spending,
) -> DistillationReport:
    """Profiles and reasons of finished chains; everybody else keeps the offline ones.

    Args:
        log: training rows.
        offline: of the same rows.
        chains: user → chain.
        failures: user → why the chain was not finished.
        spending: of the run.
    """
    personas, reasons = list(offline.personas), list(offline.reasons)
    offsets = log.offsets()
    sections = {}
    for user in chains.keys() - failures.keys():
        reflections = chains[user].reflections
        sections[user] = reflections[-1].sections()
        personas[user] = replace(personas[user], profile=_one_line(reflections[-1].profile))
        reasons[offsets[user] : offsets[user + 1]] = [
            _one_line(said.reason).rstrip(".") for each in reflections for said in each.reasons
        ]
    return DistillationReport(Distilled(personas, reasons), sections, failures, spending)


def _one_line(text: str) -> str:
    """Prompts put a profile and a reason on one line each."""
    return " ".join(text.split())
