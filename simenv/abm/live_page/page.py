"""The page to watch a society on: choose, run, pause, look at curves, network and single people.

Solara components; Solara's JavaScript comes with ``solara-assets``, so nothing is fetched. Mesa's
own ``SolaraViz`` (3.3.1) does not start beside it: it asks ipyvuetify for ``TabsItems``, which
ipyvuetify 3 has no more. What is drawn comes from ``running_society.Show``.
"""

import threading
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
import solara

from simenv.abm.live_page.interview_card import InterviewCard, error_box
from simenv.abm.live_page.portrait import COLOURS, curve_svg, distribution_svg, question_markup
from simenv.abm.live_page.running_society import Choice, LastSlate, Show, Stage
from simenv.abm.living_users import KeepsVersions
from simenv.abm.time_series import DRAWN
from simenv.look.palette import style_sheet
from simenv.user_model import Explains, Questions

_CURVES = ("active", "satisfaction", "gini", "filter_bubble", "polarisation", "echo_chamber")
_LOOK = style_sheet() + (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


@solara.component_vue("network.vue")
def Network(nodes, edges, chosen=None, event_select=None):  # type: ignore[no-untyped-def]  # noqa: N802
    """The social network as a drawing; a click on somebody selects them."""


@solara.component
def CurvePlots(show: Show, tick: int) -> None:  # noqa: N802
    """The time series up to ``tick``; without it Solara would see nothing new to draw."""
    curves = show.society.datacollector.model_vars
    with solara.ColumnsResponsive(12, small=6, medium=4):
        for name in _CURVES:
            title, unit = DRAWN[name]
            solara.HTML(unsafe_innerHTML=curve_svg(title, unit, curves[name][:tick]))


@solara.component
def PersonCard(show: Show, user: int, tick: int) -> None:  # noqa: N802
    """Who somebody is: Ms and how it changed, the last slate, and what it brought to mind."""
    label = show.labels[int(show.society.groups[user])]
    with solara.Card(f"User {user} · {label}"):
        solara.Text(f"{int(show.society.tally.num_ratings[user])} ratings in this society")
        _profiles(show, user)
        last = show.slates.get(user)
        if last is None:
            solara.Text("Has not been awake yet.")
        else:
            _slate(show, user, last)
        InterviewCard(show, user).key(f"interview {user}")


def _profiles(show: Show, user: int) -> None:
    if not isinstance(show.society.user_model, KeepsVersions):
        solara.Text("A scripted user: tastes are numbers, there is no profile to read.")
        return
    versions = show.society.user_model.versions(user)
    for place, version in enumerate(reversed(versions)):
        since = f"since tick {version.tick}" if version.tick else "at the start"
        _words(f"Ms {len(versions) - place}, {since}", version.profile)


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
        failed = np.isnan(chances).any()
        given = "no answer" if failed else f"gave {stars:.0f}" if stars else "not taken"
        with solara.Row(gap="12px", style={"align-items": "center"}):
            solara.HTML(
                unsafe_innerHTML=distribution_svg(np.nan_to_num(chances).tolist(), int(stars))
            )
            _words(f"{titles[item]} ({given})", f"brings to mind {memory}" if memory else "")
    _question(show, user, int(last.items[0]))


def _question(show: Show, user: int, item: int) -> None:
    """The exact prompt about an item, what was recalled, and which tokens were computed."""
    if not isinstance(show.society.user_model, Questions):
        return
    title = show.society.catalog.titles[item]
    solara.HTML(unsafe_innerHTML=question_markup(title, show.ask(user, item)))


def _words(head: str, text: str) -> None:
    """A line of text. ``solara.Markdown`` would fetch a diagram library from the network."""
    markup = f"<p><b>{escape(head)}</b> {escape(text)}</p>"
    solara.HTML(unsafe_innerHTML=markup)


class _Controls(NamedTuple):
    """What somebody sets on the page."""

    population: solara.Reactive[str]
    recommender: solara.Reactive[str]
    num_users: solara.Reactive[int]
    seed: solara.Reactive[int]
    shock: solara.Reactive[str]

    def choice(self) -> Choice:
        return Choice(*(control.value for control in self))


class _State(NamedTuple):
    """Where the page stands."""

    running: solara.Reactive[bool]
    tick: solara.Reactive[int]
    chosen: solara.Reactive[int]  # user; -1 = nobody
    resets: solara.Reactive[int]  # how often somebody pressed Reset
    error: solara.Reactive[str]

    def restart(self) -> None:
        """Back to a society at its first tick."""
        self.running.set(False)
        self.tick.set(0)
        self.chosen.set(-1)
        self.error.set("")

    def step(self, show: Show) -> None:
        """One tick; an error stops the run and is shown."""
        try:
            self.tick.set(show.step())
        except RuntimeError as failure:
            self.running.set(False)
            self.error.set(str(failure))


@solara.component
def Watch(stage: Stage) -> None:  # noqa: N802
    """The whole page."""
    controls = _Controls(
        solara.use_reactive(stage.populations[0]), solara.use_reactive(stage.recommenders[0]),
        solara.use_reactive(min(60, stage.most_users)), solara.use_reactive(0),
        solara.use_reactive(stage.shocks[0]),
    )  # fmt: skip
    state = _State(
        solara.use_reactive(False), solara.use_reactive(0), solara.use_reactive(-1),
        solara.use_reactive(0), solara.use_reactive(""),
    )  # fmt: skip
    choice = controls.choice()
    show = solara.use_memo(lambda: Show(stage, choice), [choice, state.resets.value])
    solara.use_effect(state.restart, [choice, state.resets.value])

    drawn = solara.use_memo(threading.Event, [])
    solara.use_effect(drawn.set, [state.tick.value])  # effects run once the page stands

    def play(cancelled: threading.Event) -> None:
        while state.running.value and not cancelled.is_set():
            drawn.clear()
            state.step(show)
            # A tick that comes while the last one is drawn makes Solara draw without end.
            while state.running.value and not cancelled.is_set() and not drawn.wait(0.05):
                pass
            cancelled.wait(0.05)

    solara.use_thread(play, dependencies=[state.running.value, choice, state.resets.value])
    solara.Title("A living population")
    solara.Style(_LOOK)
    with solara.Column(classes=["society"]):
        _head(show, choice)
        _choices(stage, controls)
        _buttons(show, state)
        CurvePlots(show, state.tick.value)
        _people(show, state)


def _head(show: Show, choice: Choice) -> None:
    """The question of the page as the report puts it, and how many people live here."""
    question = "What becomes of people who live with a recommender?"
    solara.HTML(tag="p", unsafe_innerHTML=question, classes=["kicker"])
    solara.HTML(tag="h1", unsafe_innerHTML="A living population")
    lives = f"n = {len(show.society.groups):,} people, seed {choice.seed}"
    solara.HTML(tag="p", unsafe_innerHTML=lives, classes=["note"])


def _choices(stage: Stage, controls: _Controls) -> None:
    users = controls.num_users
    with solara.Row(style={"flex-wrap": "wrap"}):
        solara.Select("Population", stage.populations, value=controls.population)
        solara.Select("Recommender", stage.recommenders, value=controls.recommender)
        solara.Select("Shock", stage.shocks, value=controls.shock)
        solara.SliderInt(
            f"Users: {users.value}", value=users, min=20, max=stage.most_users, step=10
        )
        solara.InputInt("Seed", value=controls.seed)


def _buttons(show: Show, state: _State) -> None:
    running, resets = state.running, state.resets
    with solara.Row(style={"align-items": "center"}):
        label = "Pause" if running.value else "Run"
        solara.Button(label, color="primary", on_click=lambda: running.set(not running.value))
        solara.Button("Step", on_click=lambda: state.step(show), disabled=running.value)
        solara.Button("Reset", on_click=lambda: resets.set(resets.value + 1))
        solara.Text(f"tick {state.tick.value}", classes=["tick"])
    if state.error.value:
        error_box(state.error.value)


def _people(show: Show, state: _State) -> None:
    with solara.ColumnsResponsive(12, medium=[5, 7]):
        with solara.Card("Who knows whom"):
            Network(
                nodes=show.nodes(), edges=show.edges(), chosen=state.chosen.value,
                event_select=state.chosen.set,
            )  # fmt: skip
            with solara.Row(style={"flex-wrap": "wrap"}):
                for place, name in enumerate(show.labels):
                    colour = COLOURS[place % len(COLOURS)]
                    solara.Text(f"● {name}", style={"color": colour})
        if state.chosen.value >= 0:
            PersonCard(show, state.chosen.value, state.tick.value)
        else:
            solara.Text("Nobody chosen yet.")
