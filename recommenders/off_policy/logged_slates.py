"""The log of a simulation: who was shown what, out of what, with which chance, and the answers.

A ``Recorder`` stands in for a policy while it plays and writes down every slate; the log is a file
that says what the policy saw, so another policy can be valued from it later (``weighing``).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from recommenders.base import Observation, Recommender
from recommenders.off_policy.weighing import LoggedSlates
from recommenders.persistence import read_archive, write_archive
from simenv.events import BoolArray, Feedback, FloatArray, IntArray, Slates
from simenv.observation import concatenate, take_rows

_KIND = "simulated log"


@dataclass(frozen=True)
class SimulatedLog:
    """``n`` slates of ``k`` places in the order shown; place j of a slate is column j."""

    logged_by: str
    observation: Observation  # of the n slates, as the policy saw it
    slates: Slates  # (n, k) with the chance of each item at its place, where the policy says it
    prefix_chances: FloatArray | None  # (n, k) of the slate down to each place
    candidates: BoolArray  # (n, num_items) what could have been shown
    ratings: FloatArray  # (n, k) stars given; 0 = not taken
    taken: BoolArray  # (n, k)
    expected: FloatArray  # (n, k) expected stars of every shown item, before sampling

    @property
    def users(self) -> IntArray:
        """(n,) whose slate."""
        return np.asarray(self.observation["user"], dtype=np.int64).reshape(-1)

    def __len__(self) -> int:
        return len(self.slates.items)

    def earned(self, rewards: FloatArray) -> LoggedSlates:
        """The log for the estimators, with rewards (n, k) of its places or (n,) of its slates."""
        return LoggedSlates(self.observation, self.slates, rewards, self.prefix_chances)

    def save(self, path: str | Path) -> None:
        """Write everything to one file, without pickles."""
        columns: dict[str, Any] = {f"observation.{k}": v for k, v in self.observation.items()}
        columns |= {"items": self.slates.items, "scores": self.slates.scores}
        columns |= {"ratings": self.ratings, "taken": self.taken, "expected": self.expected}
        columns |= {"candidates": self.candidates}
        chances = {"propensities": self.slates.propensities, "prefix_chances": self.prefix_chances}
        columns |= {name: array for name, array in chances.items() if array is not None}
        write_archive(path, {"kind": _KIND, "logged_by": self.logged_by}, columns)

    @classmethod
    def load(cls, path: str | Path) -> "SimulatedLog":
        """Read what ``save`` wrote.

        Raises:
            ValueError: the file holds no simulated log.
        """
        header, columns = read_archive(path)
        if header.get("kind") != _KIND:
            raise ValueError(f"{path} holds no simulated log; write one with Recorder.log().save")
        seen = {k.partition(".")[2]: v for k, v in columns.items() if k.startswith("observation.")}
        return cls(
            header["logged_by"],
            cast(Observation, seen),
            Slates(columns["items"], columns["scores"], columns.get("propensities")),
            columns.get("prefix_chances"),
            columns["candidates"],
            columns["ratings"],
            columns["taken"],
            columns["expected"],
        )


class Recorder:
    """A policy that writes down what it shows and what comes back; it plays as the policy does.

    Chances and candidates are those at the moment of showing, also of a policy that learns online.

    Args:
        policy: fitted; it recommends and learns as if alone.
    """

    def __init__(self, policy: Recommender) -> None:
        self.policy = policy
        self._rows: list[dict[str, Any]] = []
        self._shown: dict[str, Any] = {}

    def recommend(self, observation: Observation, k: int, rng: np.random.Generator) -> Slates:
        """See ``Recommender.recommend``."""
        slates = self.policy.recommend(observation, k, rng)
        seen = self.policy.seen(np.asarray(observation["user"]).reshape(-1), observation)
        self._shown = {
            "observation": take_rows(observation, np.arange(len(slates.items))),
            "slates": slates,
            "prefix_chances": self.policy.prefix_propensities(observation, slates.items),
            "candidates": ~seen,
        }
        return slates

    def update(self, observation: Observation, slates: Slates, feedback: Feedback) -> None:
        """Write down the answer to the slates shown last, then let the policy learn."""
        answer = {name: np.array(getattr(feedback, name)) for name in ("ratings", "taken")}
        self._rows.append(self._shown | answer | {"expected": feedback.expected})
        self.policy.update(observation, slates, feedback)

    def log(self) -> SimulatedLog:
        """Everything shown so far.

        Raises:
            ValueError: nothing was shown yet.
        """
        if not self._rows:
            raise ValueError(
                f"the recorder of {self.policy.name} has seen no slate; play it with"
                " simenv.env.rollout.rollout first"
            )

        def column(name: str) -> Any:
            parts = [row[name] for row in self._rows]
            return None if any(part is None for part in parts) else np.concatenate(parts)

        slates = [row["slates"] for row in self._rows]
        chances = [s.propensities for s in slates]
        return SimulatedLog(
            self.policy.name,
            concatenate([row["observation"] for row in self._rows]),
            Slates(
                np.concatenate([s.items for s in slates]),
                np.concatenate([s.scores for s in slates]),
                None if any(c is None for c in chances) else np.concatenate(chances),
            ),
            column("prefix_chances"),
            column("candidates"),
            column("ratings"),
            column("taken"),
            column("expected"),
        )
