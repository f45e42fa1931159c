"""What a comparison of policies says of its users: held-out ratings, and a box of cautions."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.people.people import People
from experiments.reporting.before_you_quote import SHARED, before_you_quote
from experiments.reporting.progress import progress_bar
from experiments.tournament.sessions import of_figures
from experiments.tournament.setting import Setting

FEW = 50  # users, where held-out ratings are no figure of the report's own
_FAILED = "num_failed"  # stands in the figures of people of whom some answers failed


def measured_fidelity(
    people: People, setting: Setting, most_users: int | None = None
) -> dict[str, Any] | None:
    """Held-out errors of the users beside predictors, and the panel against kind, equal people.

    Args:
        people: who answer.
        setting: whose users are asked.
        most_users: of them; None = all.

    Returns:
        None where it would be circular, or where no people are asked. Of people made of each half
        of the rows the mean of both, on the same held-out rows.
    """
    if people.fidelity is None:
        return None
    made = [people] if people.swapped is None else [people, people.swapped]
    figures: list[dict[str, Any]] = []
    with progress_bar("fidelity", total=len(made)) as tick:
        for own, view in zip(made, setting.views, strict=True):
            tick("held-out ratings")
            users = setting.users[:most_users]
            figures.append(people.fidelity(own.model, view.known_to_people, users))
            tick("done", advance=1)
    failed = sum(own.get(_FAILED, 0) for own in figures)
    found: dict[str, Any] = of_figures([{_FAILED: None, **own} for own in figures])
    del found[_FAILED]
    return {_FAILED: failed, **found} if failed else found


def cautions(
    people: People,
    fidelity: Mapping[str, Any] | None,
    contrasts: Sequence[Mapping[str, Any]],
    collusion: Mapping[str, Any] | None = None,
) -> list[str]:
    """The box of a comparison by these users; see ``before_you_quote``."""
    evidence = "none" if people.card["kind"] == "scripted" else people.card.get("evidence", SHARED)
    return before_you_quote(
        fidelity, contrasts, evidence=evidence, collusion=collusion,
        swapped=people.swapped is not None,
    )  # fmt: skip
