"""Logged sessions for offline reinforcement learning: arrays as d3rlpy wants them, and Minari.

Observations are those of the environment, rebuilt from what was shown. Letters: ``n`` sessions,
``r`` transitions, ``k`` slate places, ``h`` history length.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simenv.env.rollout import Rollout
from simenv.env.spaces import build_action_space, build_observation_space
from simenv.events import BoolArray
from simenv.observation import History, Observation, concatenate, observe, take_rows

if TYPE_CHECKING:
    from minari import MinariDataset


def session_observations(
    played: Rollout, row: int, history_length: int, max_steps: int
) -> Observation:
    """What session ``row`` showed its policy: each entry (length + 1, …), the last one final."""
    length = int(played.lengths()[row])
    num_places = played.items.shape[2]
    empty = history_length
    items = np.concatenate([np.full(empty, -1), played.items[row, :length].reshape(-1)])
    stars = np.concatenate([np.zeros(empty), played.ratings[row, :length].reshape(-1)])
    ends = empty + num_places * np.arange(length + 1)
    window = ends[:, None] - history_length + np.arange(history_length)[None]
    history = History(items[window].astype(np.int32), stars[window].astype(np.float32))
    users = np.full(length + 1, played.users[row])
    return observe(users, history, np.arange(length + 1) / max_steps)


def slate_observations(played: Rollout, history_length: int, max_steps: int) -> Observation:
    """What the policy saw when it chose each slate: (r, …), session after session."""
    return concatenate(
        [
            take_rows(
                session_observations(played, row, history_length, max_steps), np.arange(length)
            )
            for row, length in _sessions(played)
        ]
    )


def d3rlpy_arrays(played: Rollout, history_length: int = 50) -> dict[str, NDArray[Any]]:
    """Transitions as ``d3rlpy.dataset.MDPDataset(**arrays)`` takes them, session after session.

    Args:
        played: sessions of n users; not changed.
        history_length: h of the environment.

    Returns:
        ``observations`` (r, 2 + 2h) float32: user, progress, history items, history stars;
        ``actions`` (r, k) float32 item ids; ``rewards`` (r, 1); ``terminals`` (r,) 1 where the
        user left; ``timeouts`` (r,) 1 where the session was truncated.
    """
    columns: dict[str, list[NDArray[Any]]] = {
        name: [] for name in ("observations", "actions", "rewards", "terminals", "timeouts")
    }
    for row, length in _sessions(played):
        seen = session_observations(played, row, history_length, played.items.shape[1])
        flat = np.concatenate(
            [seen["user"][:, None], seen["progress"], seen["history_items"],
             seen["history_ratings"]], axis=1,
        )  # fmt: skip
        terminated, truncated = _ends(played, row, length)
        columns["observations"].append(flat[:-1].astype(np.float32))
        columns["actions"].append(played.items[row, :length].astype(np.float32))
        columns["rewards"].append(played.rewards[row, :length, None].astype(np.float32))
        columns["terminals"].append(terminated.astype(np.float32))
        columns["timeouts"].append(truncated.astype(np.float32))
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def minari_dataset(
    played: Rollout,
    dataset_id: str,
    *,
    num_users: int,
    num_items: int,
    history_length: int = 50,
    **settings: Any,
) -> "MinariDataset":
    """The sessions as a Minari data set in its local store (``MINARI_DATASETS_PATH``).

    Args:
        played: sessions of n users; not changed.
        dataset_id: such as ``personarec/als-v0``.
        num_users: of the world.
        num_items: of the catalogue.
        history_length: h of the environment.
        settings: of ``minari.create_dataset_from_buffers`` (author, description, …).

    Raises:
        ImportError: Minari is not installed.
    """
    try:
        import minari
        from minari.data_collector import EpisodeBuffer
    except ImportError as error:
        raise ImportError("minari_dataset needs Minari: pip install 'minari>=0.5'") from error
    buffers = [
        EpisodeBuffer(id=number, **_episode(played, row, length, history_length))
        for number, (row, length) in enumerate(_sessions(played))
    ]
    settings.setdefault("data_format", "arrow")  # pyarrow is there; HDF5 would be another package
    return minari.create_dataset_from_buffers(
        dataset_id,
        buffers,
        observation_space=build_observation_space(num_users, num_items, history_length),
        action_space=build_action_space(num_items, played.items.shape[2], "replace"),
        **settings,
    )


def _episode(played: Rollout, row: int, length: int, history_length: int) -> dict[str, Any]:
    """One session as Minari's ``EpisodeBuffer`` takes it."""
    terminated, truncated = _ends(played, row, length)
    return {
        "observations": session_observations(played, row, history_length, played.items.shape[1]),
        "actions": played.items[row, :length].tolist(),
        "rewards": played.rewards[row, :length].tolist(),
        "terminations": terminated.tolist(),
        "truncations": truncated.tolist(),
    }


def _sessions(played: Rollout) -> Iterator[tuple[int, int]]:
    """Row and length of every session that showed anything."""
    for row, length in enumerate(played.lengths().tolist()):
        if length:
            yield row, length


def _ends(played: Rollout, row: int, length: int) -> tuple[BoolArray, BoolArray]:
    """(length,) terminated and truncated of one session."""
    last = np.arange(length) == length - 1
    left = bool(played.quits[row])
    return last & left, last & (not left)
