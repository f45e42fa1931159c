"""What a comparison of policies says of its users: held-out ratings, and a box of cautions."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.people.people import People
from experiments.reporting.before_you_quote import SHARED, before_you_quote
from experiments.reporting.progress import progress_bar
from experiments.tournament.setting import Setting

FEW = 50  # users, where held-out ratings are no figure of the report's own


def measured_fidelity(
    people: People, setting: Setting, most_users: int | None = None
) -> dict[str, Any] | None:
    """Held-out errors of the users beside predictors, and the panel against kind, equal people.

    Args:
        people: who answer.
        setting: whose users are asked.
        most_users: of them; None = all.

    Returns:
        None where it would be circular, or where no people are asked.
    """
    if people.fidelity is None:
        return None
    with progress_bar("fidelity", total=1) as tick:
        tick("held-out ratings")
        figures = people.fidelity(people.model, setting.known_to_people, setting.users[:most_users])
        tick("done", advance=1)
    return figures


def cautions(
    people: People,
    fidelity: Mapping[str, Any] | None,
    contrasts: Sequence[Mapping[str, Any]],
    collusion: Mapping[str, Any] | None = None,
) -> list[str]:
    """The box of a comparison by these users; see ``before_you_quote``."""
    evidence = "none" if people.card["kind"] == "scripted" else people.card.get("evidence", SHARED)
    return before_you_quote(fidelity, contrasts, evidence=evidence, collusion=collusion)
