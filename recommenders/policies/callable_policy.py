"""Any function (users, observation) -> scores as a policy."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from recommenders.base import Observation, Recommender
from simenv.events import FloatArray, IntArray, InteractionLog

ScoreFunction = Callable[[IntArray, Observation], FloatArray]


class CallablePolicy(Recommender):
    """Shows the items that a function scores highest; seen items, ties and errors as elsewhere.

    ``CallablePolicy(lambda users, observation: my_model.predict(users), label="mine")``

    Args:
        score: users (n,) and the observation to scores (n, num_items); the row of a user must not
            depend on the other users. Or ``"module:function"`` of a module already imported.
        label: what reports call it; None = the function's name.
    """

    def __init__(self, score: ScoreFunction | str, label: str | None = None) -> None:
        self.score = _find(score) if isinstance(score, str) else score
        self.label = label

    @property
    def name(self) -> str:
        """The label or the function's name."""
        return self.label or str(getattr(self.score, "__name__", type(self.score).__name__))

    def _fit(self, log: InteractionLog) -> None:
        pass  # the function has learnt elsewhere; the base keeps what was seen

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        return np.asarray(self.score(users, observation), dtype=np.float64)

    def _params(self) -> dict[str, Any]:
        path = f"{getattr(self.score, '__module__', '')}:{getattr(self.score, '__qualname__', '')}"
        try:
            known = _find(path) is self.score
        except ValueError:
            known = False
        if not known:
            raise ValueError(
                f"policy {self.name} cannot be saved: {path} is no function of a module; define it"
                " at the top of a module, or write a Recommender"
            )
        return {"score": path, "label": self.label}


def _find(path: str) -> ScoreFunction:
    """The function ``module:name``. It imports nothing: a policy file must not run code."""
    module, _, name = path.partition(":")
    found = getattr(sys.modules.get(module), name, None)
    if not callable(found):
        raise ValueError(
            f"CallablePolicy wants a function 'module:name' of an imported module, got {path!r};"
            f" import {module or 'it'} first"
        )
    return found  # type: ignore[no-any-return]
