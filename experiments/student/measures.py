"""What a student loses and gains: distributions, real ratings, the order of policies, and time."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from agents.fidelity.error_measures import log_loss
from agents.fidelity.held_out import earliest_rows, rate
from agents.persona_users import PersonaUsers
from agents.student.cascade_users import CascadeUsers
from agents.student.counting import students_counted
from agents.student.ensemble import Guess
from experiments.tournament.playing import play_all
from experiments.tournament.policies import policy_makers
from experiments.tournament.sessions import mean_ratings
from experiments.tournament.setting import Setting
from recommenders.evaluation.statistics import kendall_tau
from simenv.events import FloatArray, IntArray, expected_stars
from simenv.seeding import Stream, generator

_ROWS = 40  # held-out ratings of a person
_LEAST = 1e-9  # probability in a logarithm
_BATCH = 256  # people in a timed call


def learning(guess: Guess, answers: FloatArray, unsure: float) -> dict[str, Any]:
    """How far a student is from answers (r, 5), alone and where doubt is asked away."""
    asked = guess.doubt > unsure
    cascade = np.where(asked[:, None], answers, guess.chances)
    return {
        "judged_on": len(answers),
        "share_asked": float(asked.mean()),
        "student": _apart(guess.chances, answers),
        "cascade": _apart(cascade, answers),
        "of_the_asked": _apart(guess.chances[asked], answers[asked]) if asked.any() else None,
    }


def _apart(chances: FloatArray, answers: FloatArray) -> dict[str, float]:
    logs = np.log(np.maximum(answers, _LEAST)) - np.log(np.maximum(chances, _LEAST))
    stars = np.abs(expected_stars(chances) - expected_stars(answers))
    return {"nats": float((answers * logs).sum(axis=1).mean()), "stars": float(stars.mean())}


def held_out(people: PersonaUsers, quick: CascadeUsers, setting: Setting) -> dict[str, Any]:
    """Log loss (nats) of real later ratings, by the model and by the cascade."""
    rows = earliest_rows(setting.dataset.test, setting.users, _ROWS)
    log = setting.dataset.test.take(rows)
    with students_counted() as count:
        found = {name: rate(users, log) for name, users in (("model", people), ("cascade", quick))}
    losses = {
        name: log_loss(np.log(np.maximum(chances, _LEAST)), log.ratings)
        for name, chances in found.items()
    }
    return {"num_ratings": len(log), "share_asked": count.share_asked, **losses}


def orders(
    policies: Mapping[Any, Any], setting: Setting, people: PersonaUsers, quick: CascadeUsers
) -> dict[str, Any]:
    """Mean ratings of the same policies by both, best by the model first, and tau of the orders."""
    means, seconds = {}, {}
    with students_counted() as count:
        for name, users in (("model", people), ("cascade", quick)):
            sessions, _ = play_all(policy_makers(policies), replace(setting, simulated=users))
            played = [one for one in sessions if one.simulated is not None]
            means[name] = {
                one.name: float(np.nanmean(mean_ratings(one.simulated)))
                for one in played
                if one.simulated is not None
            }
            seconds[name] = sum(one.play_seconds for one in played)
    both = [name for name in means["model"] if name in means["cascade"]]
    tau = kendall_tau(*([own[name] for name in both] for own in means.values()))
    ranked = sorted(both, key=lambda name: -means["model"][name])
    rows = [{"name": name, **{by: own[name] for by, own in means.items()}} for name in ranked]
    return {
        "policies": rows,
        "tau": None if np.isnan(tau) else float(tau),
        "share_asked": count.share_asked,
        "questions": count.questions,
        "play_seconds": seconds,
    }


def speed(
    people: PersonaUsers, quick: CascadeUsers, setting: Setting, rounds: int
) -> dict[str, Any]:
    """Exposures a second of both over the same slates, by turns; two rounds warm up.

    ``ratio`` is of seconds on the wall, ``processor_ratio`` of this process's own, which other work
    on the machine does not move. Everybody remembers what they were made with; nothing is
    remembered between rounds.
    """
    rng = generator(setting.seed, Stream.STUDENT_SLATES)
    users, size = np.resize(setting.users, _BATCH), setting.slate_size
    times: dict[str, list[tuple[float, float]]] = {"model": [], "cascade": []}
    with students_counted() as count:
        for turn in range(rounds + 2):
            items = np.array([rng.permutation(setting.dataset.num_items)[:size] for _ in users])
            for name, who in (("model", people), ("cascade", quick)):
                taken = _timed(who, users, items)
                if turn >= 2:
                    times[name].append(taken)
    model, cascade = (np.array(own) for own in times.values())
    ratios = model / cascade
    return {
        "model": _spread(users.size * size / model[:, 0]),
        "cascade": _spread(users.size * size / cascade[:, 0]),
        "ratio": _spread(ratios[:, 0]),
        "processor_ratio": _spread(ratios[:, 1]),
        "share_asked": count.share_asked,
    }


def _timed(who: PersonaUsers, users: IntArray, items: IntArray) -> tuple[float, float]:
    """Seconds of one call, on the wall and of the processor."""
    started, busy = time.perf_counter(), time.process_time()
    who.probabilities(users, items)
    return time.perf_counter() - started, time.process_time() - busy


def _spread(values: FloatArray) -> dict[str, float]:
    return {
        "median": float(np.median(values)),
        "min": float(values.min()),
        "max": float(values.max()),
    }
