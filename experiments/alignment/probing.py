"""Probes of the people: what they make of injected texts, of other words, and of what traits say.

Whom and what is asked about is drawn here; how a probe changes a question stands in
``agents.fidelity.probes``.
"""

from typing import Any

import numpy as np

from agents.fidelity.probes import (
    INJECTIONS,
    NEUTRAL,
    ONE_WORD,
    PARAPHRASES,
    Probe,
    after_ratings,
    effect,
    effect_size,
    in_other_order,
    in_other_words,
    injected,
    neutral,
    slope,
)
from agents.persona_users import PersonaUsers
from experiments.alignment.asked import Asked
from experiments.reporting.formatting import tidy
from experiments.reporting.progress import Tick
from simenv.events import FloatArray, IntArray, expected_stars
from simenv.seeding import Stream, generator

PLACES = 8  # items of one question
AFTER = (10, 100, 1000)  # further ratings
NUM_PARTS = 5


def drawn(asked: Asked, num_users: int) -> tuple[Probe, IntArray]:
    """People and items at random, and for each person (n, m) what is rated meanwhile.

    Where there are fewer items than that, they are rated again.
    """
    rng = generator(asked.seed, Stream.PROBED_USERS)
    users = np.sort(rng.permutation(asked.users)[:num_users])
    size = asked.dataset.num_items
    orders = np.array([rng.permutation(size) for _ in users], dtype=np.int64)
    places = min(PLACES, size)
    others = orders[:, places:]
    rounds = -(-max(AFTER) // max(others.shape[1], 1))
    return Probe(users, orders[:, :places]), np.tile(others, rounds)[:, : max(AFTER)]


def probes(asked: Asked, num_users: int, tick: Tick) -> dict[str, Any]:
    """Every probe by its name; effects are in stars."""
    model = asked.model
    probe, others = drawn(asked, num_users)
    before = expected_stars(model.probabilities(probe.users, probe.items))
    found: dict[str, Any] = {"num_users": len(probe.users), "places": probe.items.shape[1]}
    tick("injected texts")
    found["injected texts"] = _injections(model, probe, before)
    tick("other words", advance=1)
    for name, texts in (("paraphrased", PARAPHRASES), ("one changed word", ONE_WORD)):
        found[name] = {
            f"{old.strip()} → {new.strip()}": effect(
                in_other_words(model, probe, (old, new)), before
            )
            for old, new in texts
        }
    tick("other order", advance=1)
    found["items in other order"] = effect(in_other_order(model, probe), before)
    tick("after ratings", advance=1)
    counts = [count for count in AFTER if count <= others.shape[1]]
    found["the same question later"] = {
        f"after {count} ratings": effect(stars, before)
        for count, stars in after_ratings(model, probe, others, counts).items()
    }
    tick("traits", advance=1)
    found["traits"] = traits(model, probe, before)
    tick("traits", advance=1)
    ready: dict[str, Any] = tidy(found)
    return ready


def _injections(model: PersonaUsers, probe: Probe, before: FloatArray) -> dict[str, Any]:
    """Text → its effect, and its effect beyond that of neutral text of the same length."""
    found: dict[str, Any] = {}
    domain = model.population.catalog.domain
    for name, text in INJECTIONS.items():
        after = injected(model, probe, text)
        plain = injected(model, probe, neutral(text, domain))
        found[name] = {
            "effect": effect(after, before),
            NEUTRAL: effect(plain, before),
            "beyond neutral": effect(after, plain),
        }
    return found


def traits(model: PersonaUsers, probe: Probe, before: FloatArray) -> dict[str, Any]:
    """Do traits become behaviour? Conformity by displayed averages, diversity by likes of genres.

    ``d`` is the effect size between the highest and the lowest level; level 1 of conformity goes
    with the crowd, so its ``d`` should be negative, that of diversity positive.
    """
    personas = [model.population.personas[user] for user in probe.users.tolist()]
    crowd, spread = slope(model, probe), _genre_entropy(model, probe, before)
    conformity = np.array([p.conformity for p in personas])
    diversity = np.array([p.diversity for p in personas])
    return {
        "stars a star of the displayed average": {
            "mean": float(np.nanmean(crowd)), **_levels(crowd, conformity)
        },
        "entropy of liked genres": {
            "mean": float(np.nanmean(spread)), **_levels(spread, diversity)
        },
    }  # fmt: skip


def _levels(values: FloatArray, levels: IntArray) -> dict[str, Any]:
    means = {
        f"level {level}": float(np.nanmean(values[levels == level]))
        for level in (1, 2, 3)
        if np.isfinite(values[levels == level]).any()
    }
    return {**means, "d": effect_size(values, levels)}


def _genre_entropy(model: PersonaUsers, probe: Probe, stars: FloatArray) -> FloatArray:
    """(n,) entropy in nats of the genres of items, weighted by stars above a person's least."""
    above = stars - np.nanmin(stars, axis=1, keepdims=True)
    shares = model.population.catalog.genre_shares[probe.items]
    liked = np.einsum("nk,nkg->ng", np.nan_to_num(above), shares)
    total = liked.sum(axis=1, keepdims=True)
    parts = np.divide(liked, total, out=np.zeros_like(liked), where=total > 0)
    logs = np.log(np.where(parts > 0, parts, 1.0))
    return np.asarray(np.where(total[:, 0] > 0, -(parts * logs).sum(axis=1), np.nan))
