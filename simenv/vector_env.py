"""The environment: n users at once are shown slates and answer. The only place with the logic.

It knows users only through the ``UserModel`` protocol, and no language model. Letters: ``n`` users
in the batch, ``k`` slate places, ``h`` history length, ``m`` the rows that are asked in a step.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from gymnasium import logger
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from simenv.catalog import Catalog
from simenv.events import FloatArray, IntArray, SeedArray, Slates
from simenv.infos import (
    Info,
    describe_feedback,
    move_to_final,
    no_feedback,
    set_rows,
    spread_info,
)
from simenv.lives import Life
from simenv.options import ResetOptions, check_pool, check_settings, parse_options
from simenv.rendering import MODES, Frame, Screen
from simenv.rewards import Outcome, RewardChoice, pay, resolve_reward
from simenv.seeding import row_seeds
from simenv.sessions import Sessions, draw_users
from simenv.snapshots import Arrays, check_shapes, pack_arrays, unpack_arrays
from simenv.spaces import (
    Observation,
    build_action_space,
    build_observation_space,
    check_actions,
)
from simenv.user_model import UserModel
from simenv.visit_effects import TiringUsers, VisitEffects

Step = tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], Info]


class RecVectorEnv(VectorEnv[Observation, IntArray, NDArray[Any]]):
    """n sessions side by side, natively batched: one question to the user model a step.

    Args:
        user_model: answers for the users; kept, not copied.
        catalog: the items; action ids index it.
        num_envs: n, at most the size of the pool.
        slate_size: k distinct items a step.
        history_length: h shown items that an observation reaches back.
        reward: a name of ``simenv.rewards.REWARDS``, weights of several names, or a callable
            ``Outcome -> (n,)``.
        max_episode_steps: an episode is truncated after so many slates.
        life: None = an episode is one session; else it is the life of a user who comes back, which
            is terminated when the user stays away for good.
        effects: fatigue, repetition and boredom within a visit; None = none.
        users: pool of user ids that sessions are drawn from; None = all.
        autoreset_mode: as Gymnasium defines it, the enum or its value. When DISABLED, rows that
            ended are not asked again, earn 0 and stay ended until ``reset``.
        repeats: an item twice in a slate is an error ("raise") or gives way to the next free item
            ("replace", for learners such as PPO that fill every place on its own).
        texts: whether infos also hold the ``titles`` (n, k) of the slates; costs Python time.
        render_mode: None, "human" (prints the first three rows after every call), "ansi" or
            "rgb_array" (``render`` returns one page for each of them).
        on_close: called once by ``close``, for whoever built a user model that holds resources.

    ``reset(options=…)`` knows ``users`` (n,): who sits where, -1 = leave the slot idle;
    ``reset_mask`` (n,) bool: which rows to reset; ``root``: an int that re-keys all draws while
    memories and counters stay; ``forget``: True takes memories back without re-keying.

    ``info`` of a step holds ``user`` (n,), ``ratings`` (n, k), ``taken`` (n, k), ``expected``
    (n, k), ``probabilities`` (n, k, 5), and with ``life`` also ``days_away`` (n,), each with its
    mask ``_key`` (n,): rows that were asked.

    Raises:
        ValueError: a setting is out of range, or the pool is too small or not of this world.
    """

    metadata: dict[str, Any] = {"render_modes": [*MODES], "render_fps": 1}  # noqa: RUF012

    def __init__(
        self,
        user_model: UserModel,
        catalog: Catalog,
        *,
        num_envs: int = 1,
        slate_size: int = 5,
        history_length: int = 50,
        reward: RewardChoice = "expected_rating",
        max_episode_steps: int = 10,
        life: Life | None = None,
        effects: VisitEffects | None = None,
        users: IntArray | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        repeats: Literal["raise", "replace"] = "raise",
        texts: bool = False,
        render_mode: str | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        check_settings(
            num_envs=num_envs,
            slate_size=slate_size,
            history_length=history_length,
            max_episode_steps=max_episode_steps,
            repeats=repeats,
            render_mode=render_mode,
        )
        self.user_model = TiringUsers(user_model, catalog, effects) if effects else user_model
        self.catalog = catalog
        self.num_envs = num_envs
        self.slate_size = slate_size
        self.max_episode_steps = max_episode_steps
        self.life = life
        self.repeats = repeats
        self.render_mode = render_mode
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**type(self).metadata, "autoreset_mode": self.autoreset_mode}
        self._pool = check_pool(users, num_envs, user_model.num_users)
        self._reward = resolve_reward(reward)
        self._titles = np.array(catalog.titles, dtype=object) if texts else None
        self._on_close = on_close

        num_items = len(catalog)
        self.single_observation_space = build_observation_space(
            user_model.num_users, num_items, history_length, life.last_day if life else None
        )
        self.single_action_space = build_action_space(num_items, slate_size, repeats)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

        self._root: int | None = None
        self._lifetime = np.zeros(user_model.num_users, dtype=np.int64)
        self._sessions = Sessions.idle(num_envs, history_length)
        self._screen: Screen | None = None
        if render_mode is not None:
            self._screen = Screen(render_mode, catalog, user_model, slate_size)

    @property
    def live(self) -> NDArray[np.bool_]:
        """(n,) true where a session runs: rows whose action counts in the next step."""
        return self._sessions.live

    @property
    def next_seeds(self) -> SeedArray:
        """(n,) the seeds of the coming answers: a hash of (root, user, lifetime step)."""
        users = self._sessions.users
        return row_seeds(self._ready_root("next_seeds"), users, self._lifetime[users])

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Start sessions; with a seed the whole world goes back to its construction first.

        Args:
            seed: root of every draw. Memories and counters are rolled back, all rows restart.
                Without a seed memories stay and the root lives on.
            options: ``users``, ``reset_mask``, ``root``, ``forget``; see the class.

        Returns:
            The observation and an info with the ``user`` of every started row.

        Raises:
            ValueError: an option is unknown or malformed.
            RuntimeError: the environment was closed.
        """
        self._check_open("reset")
        seated = np.where(self._sessions.live & (seed is None), self._sessions.users, -1)
        may_idle = self.autoreset_mode is AutoresetMode.DISABLED
        chosen = parse_options(options, seed, seated, self.user_model.num_users, may_idle)
        super().reset(seed=seed)
        if chosen.forget:
            self.user_model.reset()
        if seed is not None:
            self._lifetime[:] = 0
            self._sessions = Sessions.idle(self.num_envs, self._sessions.history_items.shape[1])
        self._set_root(seed if chosen.root is None else chosen.root)
        rows = self._begin(chosen)
        info = spread_info({"user": self._sessions.users[rows]}, rows, self.num_envs)
        if self._screen is not None:
            self._screen.clear()
            self._screen.show(self._sessions.users)
        return self._observe(), info

    def step(self, actions: IntArray) -> Step:
        """Show one slate to every live row and take in what its user does.

        Args:
            actions: (n, k) item ids, distinct in a row; rows that are not live may hold anything.

        Returns:
            Observation, rewards (n,) float64, terminated (n,) (the user left), truncated (n,) (the
            step limit was met), info. All arrays are fresh.

        Raises:
            ValueError: the actions have the wrong shape, type or range, or repeat an item.
            RuntimeError: closed, not yet reset, or every session has ended (DISABLED).
        """
        self._ready_root("step")
        live = self._sessions.live
        if self.autoreset_mode is AutoresetMode.DISABLED and not live.any():
            raise RuntimeError(
                "step wanted a running session, but every session has ended;"
                " call reset() to start the next one"
            )
        shape = (self.num_envs, self.slate_size)
        items = check_actions(actions, shape, len(self.catalog), live, self.repeats)
        rewards, info = self._play(np.flatnonzero(live), items)
        if self.autoreset_mode is AutoresetMode.NEXT_STEP:
            self._restart(np.flatnonzero(~live), info)  # ended last time; their action is ignored
        terminated, truncated = self._sessions.terminated.copy(), self._sessions.truncated.copy()
        ended = terminated | truncated
        observation = self._observe()
        if self._screen is not None:
            self._screen.show(observation["user"])
        if self.autoreset_mode is AutoresetMode.SAME_STEP and ended.any():
            info = move_to_final(info, observation, ended)
            self._restart(np.flatnonzero(ended), info)
            observation = self._observe()
        return observation, rewards, terminated, truncated, info

    def render(self) -> tuple[Frame, ...] | None:  # type: ignore[override]
        """The last slates of the first three rows, one page a row; None in "human" mode."""
        if self._screen is None:
            logger.warn("render() shows nothing without a mode; pass render_mode='ansi'")
            return None
        if self._screen.mode == "human":
            return None  # as Gymnasium has it: reset and step have printed
        return self._screen.frames(self._sessions.users)

    def close_extras(self, **kwargs: Any) -> None:
        """Release what the builder of the user model asked to be released."""
        if self._on_close is not None:
            self._on_close()

    def snapshot(self) -> bytes:
        """The exact state, users included: a run can be forked in the middle of a session.

        Raises:
            RuntimeError: closed or not yet reset.
        """
        arrays: Arrays = {
            "user_model": np.frombuffer(self.user_model.snapshot(), dtype=np.uint8),
            "root": np.array(self._ready_root("snapshot") % 2**64, dtype=np.uint64),
            "lifetime": self._lifetime,
        }
        return pack_arrays(arrays | self._sessions.arrays())

    def restore(self, snapshot: bytes) -> None:
        """Bring back the state that ``snapshot`` returned, here or in an equal environment.

        Raises:
            ValueError: the snapshot is of an environment of another size.
        """
        self._check_open("restore")
        arrays = unpack_arrays(snapshot)
        check_shapes(arrays, {"lifetime": self._lifetime, **self._sessions.arrays()})
        self.user_model.restore(arrays["user_model"].tobytes())
        self._root = int(arrays["root"])
        self._lifetime[:] = arrays["lifetime"]
        self._sessions.load(arrays)
        if self._screen is not None:
            self._screen.clear()

    def _observe(self) -> Observation:
        return self._sessions.observe(self.max_episode_steps, self.life is not None)

    def _play(self, rows: IntArray, items: IntArray) -> tuple[NDArray[Any], Info]:
        """Ask the users of ``rows`` (m,), let them remember, move their sessions on."""
        users, slates = self._sessions.users[rows], Slates.of_items(items[rows])
        rewards, away = np.zeros(self.num_envs), np.zeros(len(rows))
        if len(rows):
            seeds = self.next_seeds[rows]
            feedback = self.user_model.respond(users, slates, seeds)
            away = self._sessions.days_away(rows, feedback, seeds, self.life)
            outcome = Outcome(feedback, users, slates.items, self.catalog, away)
            rewards[rows] = pay(self._reward, outcome)
            if self._screen is not None:
                self._screen.watch(rows, users, slates.items, feedback)
            self.user_model.remember(users, slates, feedback)
            self._lifetime[users] += 1
            self._move_on(rows, slates.items, feedback.ratings, away)
        else:  # every row restarts in this step, so nobody is asked
            feedback = no_feedback(self.slate_size)
        pieces: Info = {"user": users} | describe_feedback(feedback)
        if self.life is not None:
            pieces["days_away"] = away
        if self._titles is not None:
            pieces["titles"] = self._titles[slates.items]
        return rewards, spread_info(pieces, rows, self.num_envs)

    def _move_on(
        self, rows: IntArray, items: IntArray, ratings: FloatArray, away: FloatArray
    ) -> None:
        """Sessions go on or end; in a life, whoever comes back starts another visit."""
        limits = self.max_episode_steps, np.inf if self.life is None else self.life.days
        back = self._sessions.advance(rows, items, ratings, away, limits)
        if len(back):
            self.user_model.start_session(self._sessions.users[back])

    def _begin(self, chosen: ResetOptions) -> IntArray:
        """Stop the rows to reset and seat users; returns the rows in which a session started."""
        rows = np.flatnonzero(chosen.mask)
        self._sessions.stop(rows)
        if chosen.users is None:
            self._start(rows)
        else:
            rows = rows[chosen.users[rows] >= 0]
            self._start(rows, chosen.users[rows])
        return rows

    def _restart(self, rows: IntArray, info: Info) -> None:
        """The next session in the rows (m,); ``info`` names who came, as a reset would."""
        self._start(rows)
        set_rows(info, "user", self._sessions.users[rows], rows)

    def _start(self, rows: IntArray, users: IntArray | None = None) -> None:
        if not len(rows):
            return
        if users is None:
            users = draw_users(self._ready_root("reset"), self._pool, rows, self._sessions)
        self._sessions.start(rows, users)
        self.user_model.start_session(users)

    def _set_root(self, seed: int | None) -> None:
        if seed is not None:
            self._root = int(seed)
        elif self._root is None:
            self._root = int(self.np_random.integers(2**63))

    def _ready_root(self, verb: str) -> int:
        self._check_open(verb)
        if self._root is None:
            raise RuntimeError(f"{verb} wanted a running environment; call reset() first")
        return self._root

    def _check_open(self, verb: str) -> None:
        if self.closed:
            raise RuntimeError(
                f"{verb} wanted an open environment, got a closed one; build another"
            )
