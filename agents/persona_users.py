"""Users who are personas on a language model: one engine call for a whole batch of slates."""

from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import numpy as np

from agents.blocks import BlockWriter, check_reading
from agents.inference.engine import Engine, Request
from agents.inference.facets.mixtures import mixture_name
from agents.memory.base import MakeMemory, TableMemory
from agents.persona import Persona, reason_for
from agents.population.population import Population
from agents.prompt_budget import budget_of
from agents.prompts import RATING_CHOICES, persona_prefix
from agents.questions import asked, recollections
from agents.suffixes import SuffixWriter, ToldNumbers
from agents.wording.aspects import aspects_of
from agents.wording.reasons import ReasonWriter
from simenv.events import NUM_STARS, Feedback, FloatArray, IntArray, SeedArray, Slates
from simenv.ranges import check_flag
from simenv.snapshots import Arrays, check_shapes, pack_arrays, unpack_arrays
from simenv.user_model import Explanation, Question
from simenv.users.behaviour import Behaviour


@runtime_checkable
class Asks(Protocol):
    """Users who answer through an engine and can say what they would ask it."""

    def requests(self, users: IntArray, items: IntArray, chosen: bool = False) -> list[Request]:
        """What is asked when users (n,) meet items (n, k): n·k requests; changes nothing."""
        ...


@dataclass
class PersonaUsers:
    """A ``UserModel`` made of a population and an engine.

    Args:
        population: personas, their first memories, the catalogue and the prompt style.
        engine: answers the requests; closed by whoever made it.
        make_memory: memory of item vectors (num_items, d) for so many users.
        behaviour: how distributions become watching, rating and leaving.
        calibrated: whether answers are calibrated, where the population says how; it says nothing
            unless ``experiment=alignment`` was asked to put it there.
    """

    population: Population
    engine: Engine
    make_memory: MakeMemory = TableMemory
    behaviour: Behaviour = field(default_factory=Behaviour)
    calibrated: bool = True

    def __post_init__(self) -> None:
        check_flag("PersonaUsers", "calibrated", self.calibrated)
        people = replace(self.population, personas=list(self.population.personas))
        self.population = people  # a list of our own: who they are may change
        self.num_users = len(people.personas)
        self.memory = self.make_memory(people.vectors, self.num_users)
        log = people.history
        self.memory.add(log.users, log.items, log.ratings, people.reasons)
        self.memory.seal()
        self._budget = budget_of(people.style, people.model)
        told = people.personas, self.memory, people.style, self._budget, people.peers
        writer = SuffixWriter(people.catalog, people.averages, *told)
        self._writer: SuffixWriter | BlockWriter = writer
        if people.style.reading == "blocks":
            self._writer = BlockWriter(people.catalog, people.averages, *told)
        check_reading(people.name, people.style, self.engine.facts)
        self._prefixes = [self._prefix(persona) for persona in people.personas]
        self._adapters = [mixture_name(p.adapter, p.gate) for p in people.personas]
        self._activity = np.array([p.activity for p in people.personas], dtype=np.int64)
        self._clusters = np.array([p.cluster for p in people.personas], dtype=np.int64)
        self._satisfaction = np.full(self.num_users, self.behaviour.content_level)

    def reset(self) -> None:
        """Memories and moods go back to the population's."""
        self.memory.reset()
        self._memories_changed()
        self._satisfaction[:] = self.behaviour.content_level

    def start_session(self, users: IntArray) -> None:
        """The users (n,) come back in a neutral mood; they keep their memories."""
        self._satisfaction[users] = self.behaviour.content_level

    @property
    def activity(self) -> IntArray:
        """(num_users,) trait level 1, 2 or 3; a copy."""
        return self._activity.copy()

    def satisfaction(self, users: IntArray) -> FloatArray:
        """(n,) how content the users are in their session."""
        return self._satisfaction[users]

    def feel(self, users: IntArray, satisfaction: FloatArray) -> None:
        """The users (n,) are as content (n,) as somebody else knows."""
        self._satisfaction[users] = satisfaction

    @property
    def told(self) -> ToldNumbers:
        """The numbers that prompts say of these people, as they are now."""
        return self._writer.numbers

    def requests(self, users: IntArray, items: IntArray, chosen: bool = False) -> list[Request]:
        """What the model is asked when users (n,) meet items (n, k): n·k requests.

        ``chosen`` asks about items that the users picked on their own, as those of a log.
        """
        users, items = np.asarray(users), np.asarray(items)
        owners = np.repeat(users, items.shape[1]).tolist()
        if isinstance(self._writer, BlockWriter):
            return self._block_requests(self._writer, users, items, chosen)
        suffixes = self._writer.write(users, items, chosen)
        return [
            Request(self._prefixes[u], suffix, self._adapters[u])
            for u, suffix in zip(owners, suffixes, strict=True)
        ]

    def _block_requests(
        self, writer: BlockWriter, users: IntArray, items: IntArray, chosen: bool
    ) -> list[Request]:
        owners = np.repeat(users, items.shape[1]).tolist()
        pasts = {user: writer.past(user) for user in dict.fromkeys(owners)}
        cues = writer.cues(users, items, chosen)
        return [
            Request(self._prefixes[u], cue, self._adapters[u], 0, writer.item(item), pasts[u])
            for u, cue, item in zip(owners, cues, items.reshape(-1).tolist(), strict=True)
        ]

    def probabilities(self, users: IntArray, items: IntArray, chosen: bool = False) -> FloatArray:
        """Distribution over stars of users (n,) for items (n, k): (n, k, 5); changes nothing.

        ``chosen``: see ``requests``. Suggestions that a wary population's people would never pick
        lose stars.

        Raises:
            ValueError: an item is not in the catalogue.
        """
        items = np.asarray(items)
        size = len(self.population.catalog)
        if items.size and (items.min() < 0 or items.max() >= size):
            raise ValueError(
                f"slates wanted items in [0, {size}), got {items.min()}..{items.max()};"
                " recommend from this population's catalogue"
            )
        chances = self.answers(users, items, chosen).reshape(*items.shape, NUM_STARS)
        calibration = self.population.calibration if self.calibrated else None
        if calibration is not None:
            clusters = self._clusters[np.asarray(users)][:, None]
            chances = calibration.applied(chances, np.broadcast_to(clusters, items.shape))
        wariness = None if chosen else self.population.wariness
        return chances if wariness is None else wariness.applied(chances, users, items)

    def answers(self, users: IntArray, items: IntArray, chosen: bool = False) -> FloatArray:
        """(n·k, 5) what the model itself says, not calibrated; see ``probabilities``."""
        scores = self.engine.score(self.requests(users, items, chosen), RATING_CHOICES)
        chances = np.exp(scores)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    def respond(self, users: IntArray, slates: Slates, seeds: SeedArray) -> Feedback:
        """See ``UserModel.respond``: one engine call for the whole batch."""
        chances = self.probabilities(users, slates.items)
        return self.behaviour.act(chances, self._satisfaction[users], self._activity[users], seeds)

    def remember(self, users: IntArray, slates: Slates, feedback: Feedback) -> None:
        """Every rated item becomes a memory with its reason; the session's mood moves."""
        rows, places = np.nonzero(feedback.taken)
        owners, items = np.asarray(users)[rows], slates.items[rows, places]
        ratings = feedback.ratings[rows, places]
        self.memory.add(owners, items, ratings, self._reasons(owners, items, ratings))
        self._memories_changed(owners)
        self._satisfaction[users] = self.behaviour.update_satisfaction(
            self._satisfaction[users], feedback.expected
        )

    def _memories_changed(self, users: IntArray | None = None) -> None:
        if isinstance(self._writer, BlockWriter):
            self._writer.forget_pasts(None if users is None else users.tolist())

    def _reasons(self, users: IntArray, items: IntArray, ratings: FloatArray) -> list[str]:
        """Why users (r,) gave these ratings (r,), told as the population tells its people."""
        people = self.population
        if people.style.told == "words":
            aspects = aspects_of(people.catalog)
            writer = ReasonWriter(people.catalog, people.averages, aspects)
            return writer.write(people.personas, users, items, ratings)
        rows = zip(users.tolist(), items.tolist(), ratings.tolist(), strict=True)
        genres = people.catalog.genres
        return [reason_for(people.personas[u], genres[i], r) for u, i, r in rows]

    def _prefix(self, persona: Persona) -> str:
        people = self.population
        return persona_prefix(persona, people.catalog.domain, people.style, self._budget)

    def become(self, user: int, persona: Persona) -> None:
        """``user`` is ``persona`` from now on; activity and memories stay."""
        people = self.population
        people.personas[user] = persona
        self._adapters[user] = mixture_name(persona.adapter, persona.gate)
        self._clusters[user] = persona.cluster
        self._prefixes[user] = self._prefix(persona)
        self._writer.meet(user, persona)

    def hear(self, averages: FloatArray) -> None:
        """Prompts show everybody ``averages`` (num_items,) of the items from now on."""
        shown = replace(self.population.averages, fair=averages)
        self.population = replace(self.population, averages=shown)
        self._writer.hear(shown)

    def put_on(self, users: IntArray, adapter: str, folder: str) -> None:
        """Users (n,) answer with this ordinary adapter from now on; the engine must have it."""
        people = self.population
        for user in users.tolist():
            people.personas[user] = replace(people.personas[user], adapter=adapter, gate=())
            self._adapters[user] = adapter
        self.population = replace(people, adapters={**people.adapters, adapter: folder})

    def explain(self, users: IntArray, items: IntArray) -> list[Explanation]:
        """Each user's profile and what items (n, k) bring back to mind; changes nothing."""
        people = self.population
        recalled = self.memory.recall(users, items, max(1, people.style.verbatim))

        def words(i: int, user: int, j: int) -> str:
            columns = recalled.items[i, j], recalled.ratings[i, j], recalled.rows[i, j]
            return "; ".join(
                f"{people.catalog.titles[item]}, {stars:.0f} stars: {self.memory.reason(user, row)}"
                for item, stars, row in zip(*(c.tolist() for c in columns), strict=True)
                if item >= 0
            )

        return [
            Explanation(people.personas[u].profile, [words(i, u, j) for j in range(items.shape[1])])
            for i, u in enumerate(users.tolist())
        ]

    def question(self, user: int, item: int, chosen: bool = False) -> Question:
        """The exact prompt about one item, what was recalled, the answer, and its tokens.

        Args:
            user: whom to ask.
            item: about what.
            chosen: see ``requests``.

        Raises:
            ValueError: there is no such user or item.
        """
        people = self.population
        for what, number, size in (
            ("user", user, self.num_users), ("item", item, len(people.catalog)),
        ):  # fmt: skip
            if not 0 <= number < size:
                raise ValueError(f"a question wanted a {what} in [0, {size}), got {number}")
        [request] = self.requests(np.array([user]), np.array([[item]]), chosen)
        recalled = recollections(self.memory, people.catalog.titles, people.style, user, item)
        return asked(self.engine, request, recalled)

    def snapshot(self) -> bytes:
        """Memories and moods, exactly."""
        return pack_arrays(self._arrays())

    def restore(self, snapshot: bytes) -> None:
        """Bring back what ``snapshot`` returned.

        Raises:
            ValueError: it was taken from another population.
        """
        arrays = unpack_arrays(snapshot)
        check_shapes(arrays, {"satisfaction": self._satisfaction})
        self.memory.restore(arrays["memory"].tobytes())
        self._memories_changed()
        self._satisfaction = arrays["satisfaction"].astype(np.float64)

    def _arrays(self) -> Arrays:
        memory = np.frombuffer(self.memory.snapshot(), dtype=np.uint8)
        return {"satisfaction": self._satisfaction, "memory": memory}
