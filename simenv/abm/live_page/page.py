"""The page to watch a society on: choose, run, pause, look at curves, network and single people.

Solara components; Solara's JavaScript comes with ``solara-assets``, so nothing is fetched. Mesa's
own ``SolaraViz`` (3.3.1) does not start beside it: it asks ipyvuetify for ``TabsItems``, which
ipyvuetify 3 has no more. It knows no language model and no recommender: a ``Stage`` builds
societies, ``experiments`` brings one.
"""

import threading
from html import escape
from typing import NamedTuple, Protocol, runtime_checkable

import networkx as nx
import numpy as np
import solara

from simenv.abm.live_page.portrait import COLOURS, curve_svg, distribution_svg
from simenv.abm.model import PersonaSociety
from simenv.events import FloatArray, IntArray
from simenv.user_model import Explains

_CURVES = {
    "active": "people awake",
    "satisfaction": "expected stars of what is shown",
    "gini": "Gini of exposure",
    "filter_bubble": "filter bubble",
    "polarisation": "polarisation between groups",
    "echo_chamber": "echo chamber",
}


class Choice(NamedTuple):
    """What somebody chose on the page."""

    population: str
    recommender: str
    num_users: int
    seed: int
    shock: str


class Stage(Protocol):
    """What the page needs from outside."""

    populations: list[str]
    recommenders: list[str]
    shocks: list[str]
    most_users: int

    def build(self, choice: Choice) -> PersonaSociety:
        """A society at its first tick."""
        ...

    def labels(self, society: PersonaSociety) -> list[str]:
        """What the groups are called."""
        ...


class _Version(Protocol):
    tick: int
    profile: str


@runtime_checkable
class KeepsVersions(Protocol):
    """User models whose people change, and remember who they were."""

    def versions(self, user: int) -> list[_Version]:
        """Every profile of a user, oldest first."""
        ...


class LastSlate(NamedTuple):
    """What somebody was shown last, and what they thought of it."""

    tick: int
    items: IntArray  # (k,)
    probabilities: FloatArray  # (k, 5)
    ratings: FloatArray  # (k,)


class Show:
    """A running society with everything that the page draws."""

    def __init__(self, stage: Stage, choice: Choice) -> None:
        self.society = stage.build(choice)
        self.labels = stage.labels(self.society)
        self.slates: dict[int, LastSlate] = {}
        self.places = nx.spring_layout(self.society.social.graph, seed=choice.seed)
        self._lock = threading.Lock()

    def step(self) -> int:
        """Play one tick; returns its number."""
        with self._lock:
            self.society.step()
        last = self.society.last
        for row, user in enumerate(last.users.tolist()):
            feedback = last.feedback
            self.slates[user] = LastSlate(
                last.tick, last.slates.items[row], feedback.probabilities[row],
                feedback.ratings[row],
            )  # fmt: skip
        return int(self.society.steps)

    def nodes(self) -> list[dict[str, object]]:
        """What the network draws of every user."""
        awake = set(self.society.last.users.tolist())
        groups = self.society.groups.tolist()
        return [
            {
                "user": user, "x": float(x), "y": float(y), "awake": user in awake,
                "colour": COLOURS[groups[user] % len(COLOURS)],
                "label": self.labels[groups[user]],
            }
            for user, (x, y) in sorted(self.places.items())
        ]  # fmt: skip

    def edges(self) -> list[list[float]]:
        """Both ends of every acquaintance."""
        return [
            [float(v) for v in (*self.places[a], *self.places[b])]
            for a, b in self.society.social.graph.edges
        ]


@solara.component_vue("network.vue")
def Network(nodes, edges, chosen=None, event_select=None):  # type: ignore[no-untyped-def]  # noqa: N802
    """The social network as a drawing; a click on somebody selects them."""


@solara.component
def Curves(show: Show, tick: int) -> None:  # noqa: N802
    """The time series up to ``tick``; without it Solara would see nothing new to draw."""
    curves = show.society.datacollector.model_vars
    with solara.ColumnsResponsive(6, medium=4):
        for name, title in _CURVES.items():
            solara.HTML(unsafe_innerHTML=curve_svg(title, curves[name][:tick]))


@solara.component
def Person(show: Show, user: int, tick: int) -> None:  # noqa: N802
    """Who somebody is: Ms and how it changed, the last slate, and what it brought to mind."""
    society = show.society
    label = show.labels[int(society.groups[user])]
    with solara.Card(f"User {user} · {label}"):
        solara.Text(f"{int(society.tally.num_ratings[user])} ratings in this society")
        if isinstance(society.user_model, KeepsVersions):
            versions = society.user_model.versions(user)
            for place, version in enumerate(reversed(versions)):
                since = f"since tick {version.tick}" if version.tick else "at the start"
                _words(f"Ms {len(versions) - place}, {since}", version.profile)
        else:
            solara.Text("A scripted user: tastes are numbers, there is no profile to read.")
        last = show.slates.get(user)
        if last is None:
            solara.Text("Has not been awake yet.")
        else:
            _slate(show, user, last)


def _slate(show: Show, user: int, last: LastSlate) -> None:
    titles = show.society.catalog.titles
    recalled = [""] * len(last.items)
    if isinstance(show.society.user_model, Explains):
        found = show.society.user_model.explain(np.array([user]), last.items[None, :])
        recalled = found[0].recalled
    _words(f"Last slate, tick {last.tick}", "chances of 1 to 5 stars")
    for item, chances, stars, memory in zip(
        last.items.tolist(), last.probabilities, last.ratings.tolist(), recalled, strict=True
    ):
        given = f"gave {stars:.0f}" if stars else "not taken"
        with solara.Row(gap="12px", style={"align-items": "center"}):
            solara.HTML(unsafe_innerHTML=distribution_svg(chances.tolist(), int(stars)))
            _words(f"{titles[item]} ({given})", f"brings to mind {memory}" if memory else "")


def _words(head: str, text: str) -> None:
    """A line of text. ``solara.Markdown`` would fetch a diagram library from the network."""
    markup = f"<p><b>{escape(head)}</b> {escape(text)}</p>"
    solara.HTML(unsafe_innerHTML=markup)


@solara.component
def Watch(stage: Stage) -> None:  # noqa: N802
    """The whole page."""
    population = solara.use_reactive(stage.populations[0])
    recommender = solara.use_reactive(stage.recommenders[0])
    num_users = solara.use_reactive(min(60, stage.most_users))
    seed = solara.use_reactive(0)
    shock = solara.use_reactive(stage.shocks[0])
    running = solara.use_reactive(False)
    tick = solara.use_reactive(0)
    chosen = solara.use_reactive(-1)
    round_ = solara.use_reactive(0)  # counts resets
    error = solara.use_reactive("")

    choice = Choice(population.value, recommender.value, num_users.value, seed.value, shock.value)
    show = solara.use_memo(lambda: Show(stage, choice), [choice, round_.value])

    def restart() -> None:
        running.set(False)
        tick.set(0)
        chosen.set(-1)
        error.set("")

    solara.use_effect(restart, [choice, round_.value])

    def one() -> None:
        try:
            tick.set(show.step())
        except RuntimeError as failure:
            running.set(False)
            error.set(str(failure))

    def play(cancelled: threading.Event) -> None:
        while running.value and not cancelled.is_set():
            one()
            cancelled.wait(0.05)

    solara.use_thread(play, dependencies=[running.value, choice, round_.value])

    solara.Title("A living population")
    with solara.Column(style={"max-width": "1180px", "margin": "0 auto", "padding": "12px"}):
        with solara.Row(style={"flex-wrap": "wrap"}):
            solara.Select("Population", stage.populations, value=population)
            solara.Select("Recommender", stage.recommenders, value=recommender)
            solara.Select("Shock", stage.shocks, value=shock)
            solara.SliderInt(
                f"Users: {num_users.value}", value=num_users, min=20, max=stage.most_users, step=10
            )
            solara.InputInt("Seed", value=seed)
        with solara.Row(style={"align-items": "center"}):
            label = "Pause" if running.value else "Run"
            solara.Button(label, color="primary", on_click=lambda: running.set(not running.value))
            solara.Button("Step", on_click=one, disabled=running.value)
            solara.Button("Reset", on_click=lambda: round_.set(round_.value + 1))
            solara.Text(f"tick {tick.value}", classes=["tick"])
        if error.value:
            solara.Error(error.value)
        Curves(show, tick.value)
        with solara.ColumnsResponsive(12, medium=[5, 7]):
            with solara.Card("Who knows whom"):
                Network(
                    nodes=show.nodes(), edges=show.edges(), chosen=chosen.value,
                    event_select=chosen.set,
                )  # fmt: skip
                with solara.Row(style={"flex-wrap": "wrap"}):
                    for place, name in enumerate(show.labels):
                        colour = COLOURS[place % len(COLOURS)]
                        solara.Text(f"● {name}", style={"color": colour})
            if chosen.value >= 0:
                Person(show, chosen.value, tick.value)
            else:
                solara.Text("Nobody chosen yet.")
