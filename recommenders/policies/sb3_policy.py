"""Trained Stable-Baselines3 models as policies beside all others.

The library is needed to ask the model; training is the library's own business.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from recommenders.base import Observation, Recommender
from simenv.events import FloatArray, IntArray, InteractionLog

_BEHIND = 1e-3  # by how much popularity orders the items that the model did not choose


class SB3Policy(Recommender):
    """Shows what a trained model chooses; items the user met give way as everywhere.

    A model with Q-values (DQN) over all items ranks by them. Any other is asked for its action; its
    items come first and popularity fills the places of those the user has met.

    Args:
        model: a trained ``stable_baselines3`` algorithm.
        view: from the environment's observation to the model's (the views it was trained
            through); None = as it is.
        decode: from the model's actions (n, …) to items (n, j), best first; None = the actions are
            item ids.
        label: what reports call it; None = the algorithm's name.
    """

    def __init__(
        self,
        model: Any,
        view: Callable[[Observation], Any] | None = None,
        decode: Callable[[Any], IntArray] | None = None,
        label: str | None = None,
    ) -> None:
        self.model = model
        self.view = view
        self.decode = decode
        self.label = label

    @property
    def name(self) -> str:
        """The label or the algorithm's name."""
        return self.label or type(self.model).__name__

    def _fit(self, log: InteractionLog) -> None:
        counts = np.bincount(log.items, minlength=log.num_items)
        self._behind = _BEHIND * counts / max(int(counts.max()), 1) - 1.0

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        seen = observation if self.view is None else self.view(observation)
        if hasattr(self.model, "q_net"):
            scores = self._q_values(seen)
        else:
            scores = self._ranks(len(users), self.model.predict(seen, deterministic=True)[0])
        if scores.shape != (len(users), self.log.num_items):
            raise ValueError(
                f"policy {self.name} wanted one value for each of {self.log.num_items} items, got"
                f" shape {scores.shape}; train it on this catalogue without candidates"
            )
        return scores

    def _q_values(self, seen: Any) -> FloatArray:
        import torch  # heavy, and only trained models need it

        with torch.no_grad():
            tensors, _ = self.model.policy.obs_to_tensor(seen)
            return np.asarray(self.model.q_net(tensors).cpu().numpy(), dtype=np.float64)

    def _ranks(self, num_rows: int, actions: Any) -> FloatArray:
        items = np.asarray(actions if self.decode is None else self.decode(actions))
        scores = np.tile(self._behind, (num_rows, 1))
        for place in range(items.shape[1] - 1, -1, -1):  # a repeat keeps its best place
            np.put_along_axis(scores, items[:, place, None], items.shape[1] - place, axis=1)
        return scores

    def __deepcopy__(self, memo: dict[int, Any]) -> "SB3Policy":
        return copy.copy(self)  # it does not learn here, and the model holds its environment

    def _params(self) -> dict[str, Any]:
        raise ValueError(
            f"policy {self.name} cannot be saved here; use model.save(path) and wrap the loaded"
            " model again"
        )
