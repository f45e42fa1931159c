"""The environment: n users at once are shown slates and answer, in Gymnasium's vector form.

Spaces, checks, infos, autoreset and pages; what happens to the users is ``dynamics``. It knows them
only through the ``UserModel`` protocol, and no language model. Letters: ``n`` users in the batch,
``k`` slate places, ``h`` history length, ``m`` the rows that are asked in a step.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from gymnasium import logger
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from simenv.catalog import Catalog
from simenv.env.dynamics import Dynamics
from simenv.env.infos import Info, describe_feedback, move_to_final, set_rows, spread, spread_info
from simenv.env.options import (
    check_memory,
    check_pool,
    check_settings,
    parse_autoreset,
    parse_options,
    parse_seed,
)
from simenv.env.rendering import MODES, Frame, Screen
from simenv.env.rewards import RewardChoice, resolve_reward
from simenv.env.sessions import Sessions
from simenv.env.spaces import build_action_space, build_observation_space, check_actions
from simenv.events import IntArray, SeedArray
from simenv.observation import Observation
from simenv.snapshot_differences import combine, difference
from simenv.snapshots import pack_arrays, unpack_arrays
from simenv.user_model import UserModel
from simenv.users.lives import Life
from simenv.users.visit_effects import VisitEffects
from simenv.users.weariness import Wear, affected

Step = tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], Info]


class RecVectorEnv(VectorEnv[Observation, IntArray, NDArray[Any]]):
    """n sessions side by side, natively batched: one question to the user model a step.

    Args:
        user_model: answers for the users; kept, not copied.
        catalog: the items; action ids index it.
        num_envs: n, at most the size of the pool.
        slate_size: k distinct items a step.
        history_length: h shown items that an observation reaches back.
        reward: a name of ``simenv.env.rewards.REWARDS``, weights of several names, or a callable
            ``Outcome -> (n,)``.
        max_episode_steps: an episode is truncated after so many slates.
        life: None = an episode is one session; else it is the life of a user who comes back, which
            is terminated when the user stays away for good.
        effects: fatigue, repetition and boredom within a visit; None = none.
        wear: what tempting items do over a life (so it wants one); None = nothing.
        users: pool of user ids that sessions are drawn from; None = all.
        autoreset_mode: as Gymnasium defines it, the enum or its value. When DISABLED, rows that
            ended are not asked again, earn 0 and stay ended until ``reset``.
        repeats: an item twice in a slate is an error ("raise") or gives way to the next free item
            ("replace", for learners such as PPO that fill every place on its own).
        texts: whether infos also hold the ``titles`` (n, k) of the slates; costs Python time.
        render_mode: None, "human" (prints the first three rows after every call), "ansi" or
            "rgb_array" (``render`` returns one page for each of them).
        on_close: called once by ``close``, to release what the user model holds.

    ``reset(options=…)`` knows ``users``, ``reset_mask``, ``root`` and ``forget``:
    ``simenv.env.options.ResetOptions`` says what they do and how far automatic resets keep them.

    ``info`` of a step holds ``user`` (n,), ``ratings`` (n, k), ``taken`` (n, k), ``expected``
    (n, k), ``probabilities`` (n, k, 5), and with ``life`` also ``days_away`` (n,), each with its
    mask ``_key`` (n,): rows that were asked.

    Raises:
        ValueError: a setting is out of range, or the pool is too small or not of this world.
        TypeError: a setting is of another kind.
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
        wear: Wear | None = None,
        users: IntArray | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        repeats: Literal["raise", "replace"] = "raise",
        texts: bool = False,
        render_mode: str | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        check_settings(
            num_envs=num_envs, slate_size=slate_size, history_length=history_length,
            max_episode_steps=max_episode_steps, repeats=repeats, render_mode=render_mode,
            life=life, effects=effects, wear=wear, texts=texts, on_close=on_close,
        )  # fmt: skip
        check_memory(num_envs, history_length)
        self.catalog = catalog
        self.num_envs = num_envs
        self.slate_size = slate_size
        self.max_episode_steps = max_episode_steps
        self.life = life
        self.repeats = repeats
        self.render_mode = render_mode
        self.autoreset_mode = parse_autoreset(autoreset_mode)
        self.metadata = {**type(self).metadata, "autoreset_mode": self.autoreset_mode}
        self._dynamics = Dynamics(
            affected(user_model, catalog, wear, effects),
            catalog,
            pool=check_pool(users, num_envs, user_model.num_users),
            reward=resolve_reward(reward),
            sessions=Sessions.idle(num_envs, history_length),
            lifetime=np.zeros(user_model.num_users, dtype=np.int64),
        )
        self._titles = np.array(catalog.titles, dtype=object) if texts else None
        self._on_close = on_close
        num_items = len(catalog)
        self.single_observation_space = build_observation_space(
            user_model.num_users, num_items, history_length, life.last_day if life else None
        )
        self.single_action_space = build_action_space(num_items, slate_size, repeats)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

        self._screen = Screen(render_mode, catalog, user_model, slate_size)

    @property
    def user_model(self) -> UserModel:
        """Who answers."""
        return self._dynamics.user_model

    @property
    def live(self) -> NDArray[np.bool_]:
        """(n,) true where a session runs: rows whose action counts in the next step."""
        return self._sessions.live

    @property
    def next_seeds(self) -> SeedArray:
        """(n,) the seeds of the coming answers: a hash of (root, user, lifetime step)."""
        self._check_ready("next_seeds")
        return self._dynamics.seeds(self._sessions.users)

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
            ValueError: an option is unknown or malformed, or the seed is negative.
            TypeError: an option or the seed is of another kind.
            RuntimeError: the environment was closed.
        """
        self._check_open("reset")
        seed = parse_seed(seed)
        nobody = np.full(self.num_envs, -1, dtype=np.int64)
        seated = self._sessions.occupants if seed is None else nobody
        restarts = self.autoreset_mode is not AutoresetMode.DISABLED
        chosen = parse_options(options, seed, seated, self.user_model.num_users, not restarts)
        super().reset(seed=seed)
        if chosen.forget:
            self.user_model.reset()
        if seed is not None:
            self._dynamics.rewind()
        self._dynamics.set_root(seed if chosen.root is None else chosen.root, self.np_random)
        rows = self._dynamics.seat(np.flatnonzero(chosen.mask), chosen.users, restarts)
        info = spread_info({"user": self._sessions.users[rows]}, rows, self.num_envs)
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
        self._check_ready("step")
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
        self._screen.show(observation["user"])
        if self.autoreset_mode is AutoresetMode.SAME_STEP and ended.any():
            info = move_to_final(info, observation, ended)
            self._restart(np.flatnonzero(ended), info)
            observation = self._observe()
        return observation, rewards, terminated, truncated, info

    def render(self) -> tuple[Frame, ...] | None:  # type: ignore[override]
        """The last slates of the first three rows, one page a row; None in "human" mode."""
        if self._screen.mode is None:
            logger.warn("render() shows nothing without a mode; pass render_mode='ansi'")
            return None
        if self._screen.mode == "human":
            return None  # as Gymnasium has it: reset and step have printed
        return self._screen.frames(self._sessions.users)

    def close_extras(self, **kwargs: Any) -> None:
        """Release what the builder of the user model asked to be released."""
        if self._on_close is not None:
            self._on_close()

    def snapshot(self, since: bytes | None = None) -> bytes:
        """The exact state, users included: a run can be forked in the middle of a session.

        With ``since``, an earlier snapshot, what is returned holds only what changed: small where
        memories are long, and ``restore`` wants both.

        Raises:
            RuntimeError: closed or not yet reset.
        """
        self._check_ready("snapshot")
        whole = pack_arrays(self._dynamics.arrays())
        return whole if since is None else difference(whole, since)

    def restore(self, snapshot: bytes, base: bytes | None = None) -> None:
        """Bring back what ``snapshot`` returned, here or in an equal environment.

        ``base`` is the ``since`` it was taken with.

        Raises:
            ValueError: the snapshot is of an environment of another size, or another ``base``.
        """
        self._check_open("restore")
        self._dynamics.load(unpack_arrays(snapshot if base is None else combine(snapshot, base)))
        self._screen.clear()

    @property
    def _sessions(self) -> Sessions:
        return self._dynamics.sessions

    def _observe(self) -> Observation:
        return self._sessions.observe(self.max_episode_steps, self.life is not None)

    def _play(self, rows: IntArray, items: IntArray) -> tuple[NDArray[Any], Info]:
        """One turn of the users of ``rows`` (m,): rewards (n,) and the info."""
        turn = self._dynamics.ask(rows, items[rows], self.life)
        # Before they remember: a page shows what was recalled.
        self._screen.watch(rows, turn.users, turn.slates.items, turn.feedback)
        self._dynamics.take_in(turn, self.max_episode_steps, self.life)
        pieces: Info = {"user": turn.users} | describe_feedback(turn.feedback)
        if self.life is not None:
            pieces["days_away"] = turn.away
        if self._titles is not None:
            pieces["titles"] = self._titles[turn.slates.items]
        rewards = spread(turn.rewards, rows, self.num_envs)
        return rewards, spread_info(pieces, rows, self.num_envs)

    def _restart(self, rows: IntArray, info: Info) -> None:
        """The next session in the rows (m,); ``info`` names who came, as a reset would."""
        self._dynamics.restart(rows)
        set_rows(info, "user", self._sessions.users[rows], rows)

    def _check_ready(self, verb: str) -> None:
        self._check_open(verb)
        self._dynamics.ready_root(verb)

    def _check_open(self, verb: str) -> None:
        if self.closed:
            raise RuntimeError(
                f"{verb} wanted an open environment, got a closed one; build another"
            )
