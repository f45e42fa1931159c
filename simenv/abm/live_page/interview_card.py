"""The part of a person's card on which they speak: measured traits, tests, questions, talk."""

from collections.abc import Callable
from html import escape
from typing import NamedTuple

import solara

from simenv.abm.live_page.interview_markup import (
    answer_markup,
    interview_markup,
    talk_markup,
    traits_markup,
)
from simenv.abm.live_page.interviewing import Interviewer, Spoken
from simenv.abm.live_page.running_society import Show

OPTIONS = "no / rather no / in between / rather yes / yes"


class _State(NamedTuple):
    """What somebody chose and typed, and what came back."""

    instrument: solara.Reactive[str]
    question: solara.Reactive[str]
    options: solara.Reactive[str]
    said: solara.Reactive[str]  # markup
    error: solara.Reactive[str]

    def hear(self, show: Show, talk: Callable[[Interviewer], str]) -> None:
        """What the person says; an error is shown in its place."""
        self.said.set("")
        self.error.set("")
        try:
            self.said.set(show.interview(talk))
        except (KeyError, RuntimeError, ValueError) as failure:
            self.error.set(str(failure))


@solara.component
def InterviewCard(show: Show, user: int) -> None:  # noqa: N802
    """Traits that were measured of a person, and an interview; nothing for users without words."""
    first = "" if show.interviewer is None else show.interviewer.instruments[0]
    state = _State(
        solara.use_reactive(first), solara.use_reactive(""), solara.use_reactive(OPTIONS),
        solara.use_reactive(""), solara.use_reactive(""),
    )  # fmt: skip
    if show.interviewer is None:
        return
    solara.HTML(unsafe_innerHTML=traits_markup(show.interviewer.measured(user)), classes=["traits"])
    _tests(show, user, state, list(show.interviewer.instruments))
    _questions(show, user, state)
    if state.error.value:
        error_box(state.error.value)
    if state.said.value:
        solara.HTML(unsafe_innerHTML=state.said.value, classes=["interview"])
    TalkCard(show, user)


@solara.component
def TalkCard(show: Show, user: int) -> None:  # noqa: N802
    """A conversation in turns, with what each brings to mind; it leaves no trace in the society."""
    turns = solara.use_reactive(list[Spoken]())
    text, error = solara.use_reactive(""), solara.use_reactive("")

    def say() -> None:
        error.set("")
        try:
            turn = show.interview(lambda asks: asks.say(user, turns.value, text.value))
        except (KeyError, RuntimeError, ValueError) as failure:
            error.set(str(failure))
            return
        turns.set([*turns.value, turn])
        text.set("")

    solara.HTML(unsafe_innerHTML=talk_markup(turns.value), classes=["talk"])
    solara.InputText("Talk to this person", value=text)
    with solara.Row():
        solara.Button("Say", on_click=say)
        solara.Button("Talk anew", on_click=lambda: turns.set([]), disabled=not turns.value)
    if error.value:
        error_box(error.value)


def _tests(show: Show, user: int, state: _State, instruments: list[str]) -> None:
    def fill_in() -> None:
        name = state.instrument.value
        state.hear(show, lambda asks: interview_markup(name, asks.fill_in(user, name)))

    with solara.Row(style={"flex-wrap": "wrap", "align-items": "center"}):
        solara.Select("Questionnaire", instruments, value=state.instrument)
        solara.Button("Interview", on_click=fill_in)


def _questions(show: Show, user: int, state: _State) -> None:
    def ask() -> None:
        options = [part.strip() for part in state.options.value.split("/")]
        question = state.question.value
        state.hear(show, lambda asks: answer_markup(asks.answer(user, question, options)))

    solara.InputText("A question or a statement", value=state.question)
    solara.InputText("Answers, with a slash between", value=state.options)
    solara.Button("Ask", on_click=ask)


def error_box(text: str) -> None:
    """What went wrong. ``solara.Error`` asks for an alert that ipyvuetify 3 cannot make."""
    solara.HTML(tag="div", unsafe_innerHTML=escape(text), classes=["error-text"])
