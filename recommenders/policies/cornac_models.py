"""Any model of Cornac as a policy: one adapter, sequential models and all others.

Cornac is the library of choice since it installs beside today's numpy and torch and is maintained;
RecTools and RecBole want older ones. Salah, Truong, Lauw: Cornac: A comparative framework for
multimodal recommender systems (JMLR 2020). Its models that need TensorFlow or DGL want those
installed as well.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from recommenders.base import Observation, Recommender
from recommenders.policies.liked_rows import no_liked_row
from simenv.events import FloatArray, IntArray, InteractionLog


class CornacPolicy(Recommender):
    """A model of ``cornac.models``, learnt from the positives of the log.

    A next-item model reads what the user liked, log and session, in that order. Every other model
    scores all users when it is fitted: a session does not move it. Items without a positive get
    the lowest score of the row; who liked nothing gets equal scores, so popularity decides.

    Cornac keeps models as pickles only, which we do not read. So the scores of a model are saved,
    and a next-item model is learnt again from the saved log when it is loaded: with the same seed,
    versions and machine it is the same one.

    Args:
        model: its name in ``cornac.models``, such as SASRec, GRU4Rec, VAECF or MF.
        arguments: of its constructor, without name and seed; numbers, texts, lists.
        min_rating: stars from which a row is a positive.
        explicit: learn from the stars of all rows (rating models), not from positives alone.
        seed: of the first weights and the sampled rows.

    Raises:
        ValueError: Cornac has no such model, or it wants more than users, items and times.
        ImportError: Cornac, or a library that this model needs, is not installed.
    """

    _state: ClassVar[tuple[str, ...]] = ("_scores", "_items")

    def __init__(
        self,
        model: str = "SASRec",
        arguments: dict[str, Any] | None = None,
        min_rating: float = 4.0,
        explicit: bool = False,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.arguments = {key: _plain(value) for key, value in (arguments or {}).items()}
        self.min_rating = min_rating
        self.explicit = explicit
        self.seed = seed

    @property
    def name(self) -> str:
        """What reports call it: the model."""
        return self.model

    def _fit(self, log: InteractionLog) -> None:
        rows = log if self.explicit else log.take(log.ratings >= self.min_rating)
        if not len(rows):
            raise no_liked_row(self.name, log, self.min_rating)
        self._items = np.unique(rows.items)  # Cornac's item j is our self._items[j]
        kind = self._kind()
        with _own_generators(self.seed):
            learner = kind(**self._constructor(kind))
            learner.fit(self._cornac_log(rows))
            self._learner = learner if self._is_sequential(kind) else None
            self._scores = self._all_scores(learner, np.unique(rows.users), log.num_users)

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        if self._learner is None:
            found = self._scores[users].astype(np.float64)
        else:
            with _own_generators(self.seed):
                found = np.stack(
                    [
                        self._next_scores(int(user), history)
                        for user, history in zip(
                            users, self._histories(users, observation), strict=True
                        )
                    ]
                )
        lowest = found.min(axis=1, keepdims=True)
        scores = np.repeat(lowest, self.log.num_items, axis=1)
        scores[:, self._items] = found
        return scores

    def _restored(self) -> None:
        self._learner = None
        if not len(self._scores):  # a next-item model, see the docstring
            self._fit(self.log)

    def _kind(self) -> Any:
        models = _needed("cornac.models")
        kind = getattr(models, self.model, None)
        if not (isinstance(kind, type) and issubclass(kind, models.Recommender)):
            raise ValueError(
                f"cornac.models has no model {self.model!r}; its names are in"
                " dir(cornac.models), such as SASRec, GRU4Rec, VAECF, RecVAE, MF"
            )
        if issubclass(kind, models.NextBasketRecommender):
            raise ValueError(
                f"{self.model} of Cornac recommends baskets and a log has none; use a next-item"
                " model such as SASRec, or one of users and items such as VAECF"
            )
        return kind

    def _constructor(self, kind: Any) -> dict[str, Any]:
        """The arguments given, quiet, and the seed if the model takes one."""
        takes = kind._get_init_params()
        unknown = sorted(set(self.arguments) - set(takes))
        if unknown:
            raise ValueError(
                f"{self.model} of Cornac takes no argument {unknown[0]!r};"
                f" it takes {', '.join(sorted(takes))}"
            )
        usual = {"verbose": False, "seed": self.seed}
        return {key: usual[key] for key in usual if key in takes} | self.arguments

    def _is_sequential(self, kind: Any) -> bool:
        return issubclass(kind, _needed("cornac.models").NextItemRecommender)

    def _cornac_log(self, rows: InteractionLog) -> Any:
        """The rows as Cornac wants them; its user u is ours, its item j is ``self._items[j]``."""
        data = _needed("cornac.data")
        user_ids = {user: user for user in range(rows.num_users)}
        item_ids = {int(item): j for j, item in enumerate(self._items)}
        users, items, times = rows.users.tolist(), rows.items.tolist(), rows.timestamps.tolist()
        common = {"global_uid_map": user_ids, "global_iid_map": item_ids, "seed": self.seed}
        if self._is_sequential(self._kind()):
            columns = list(zip(users, users, items, times, strict=True))  # one session a user
            return data.SequentialDataset.build(columns, fmt="USIT", **common)
        last = {
            (u, i): (r, t) for u, i, r, t in zip(users, items, rows.ratings, times, strict=True)
        }
        columns = [(u, i, float(r), t) for (u, i), (r, t) in last.items()]
        return data.Dataset.build(columns, fmt="UIRT", **common)

    def _all_scores(self, learner: Any, known: IntArray, num_users: int) -> Any:
        """(num_users, known items) float32; no rows for a next-item model."""
        if self._learner is not None:
            return np.zeros((0, len(self._items)), dtype=np.float32)
        scores = np.zeros((num_users, len(self._items)), dtype=np.float32)
        for user in known:
            scores[user] = np.asarray(learner.score(int(user))).ravel()[: len(self._items)]
        return scores

    def _histories(self, users: IntArray, observation: Observation) -> Iterator[list[int]]:
        """Cornac's numbers of what each user liked, oldest first."""
        liked = self.log.ratings >= (0.0 if self.explicit else self.min_rating)
        offsets = self.log.offsets()
        numbers = np.full(self.log.num_items, -1, dtype=np.int64)
        numbers[self._items] = np.arange(len(self._items))
        session = np.asarray(observation["history_items"]).reshape(len(users), -1)
        stars = np.asarray(observation["history_ratings"]).reshape(session.shape)
        for row, user in enumerate(users):
            own = slice(offsets[user], offsets[user + 1])
            now = session[row][(session[row] >= 0) & (stars[row] >= self.min_rating)]
            path = numbers[np.concatenate([self.log.items[own][liked[own]], now])]
            yield path[path >= 0].tolist()

    def _next_scores(self, user: int, history: list[int]) -> FloatArray:
        """(known items,) of one user."""
        if not history:
            return np.zeros(len(self._items))
        learner: Any = self._learner  # there is one: sequential models alone come here
        scores = learner.score(user, history)
        return np.asarray(scores, dtype=np.float64).ravel()[: len(self._items)]


def _plain(value: Any) -> Any:
    """Lists of a YAML file as lists, so that arguments fit into JSON."""
    is_list = not isinstance(value, str) and hasattr(value, "__iter__")
    return [_plain(part) for part in value] if is_list else value


def _needed(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            "policies of Cornac need cornac and torch: pip install personarec[rec,local]"
        ) from error


@contextmanager
def _own_generators(seed: int) -> Iterator[None]:
    """Seed the global generators of numpy and torch, from which Cornac draws, and put them back.

    Raises:
        ImportError: naming the library that the model misses.
    """
    torch = _needed("torch")
    before = np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            np.random.seed(seed)
            yield
    except ImportError as error:
        raise ImportError(
            f"this model of Cornac needs {error.name}, which is not installed; install it, or"
            " choose another model"
        ) from error
    finally:
        np.random.set_state(before)
