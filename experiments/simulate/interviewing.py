"""Interviews the people of a society on the page, as they rate: with profile, adapter and model.

It draws nothing on the page. Questions are asked in the frame of the model's own chat template,
options in orders that are drawn and averaged, so that no place is preferred.
"""

from collections.abc import Sequence

import numpy as np

from agents.interviews.asking import Answers, Interview, ask
from agents.interviews.frames import frame_of
from agents.interviews.instruments import Instrument, InstrumentError, Item, Trait
from agents.interviews.readers import instrument_named
from agents.interviews.scores import trait_scores, types_of
from agents.living.reflection import LivingUsers
from agents.persona_users import PersonaUsers
from agents.personality.conditions import interviewees
from agents.population.measured_traits import MeasuredTraits
from experiments.simulate.talking import spoken
from simenv.abm.live_page.interviewing import Answer, Interviewed, Spoken, TraitScore
from simenv.user_model import UserModel

INSTRUMENTS = ("mini_ipip", "ipip_50", "ipip_120", "types_32")
_HOW = Interview("permuted", rounds=2)
_NOBODY = Trait("?", "none")  # of a question that measures nothing


class PersonaInterviewer:
    """See ``simenv.abm.live_page.interviewing.Interviewer``.

    Args:
        users: asked as they are at the moment.

    Attributes:
        instruments: that can be chosen.
    """

    def __init__(self, users: PersonaUsers) -> None:
        self._users = users
        self.instruments = INSTRUMENTS

    def measured(self, user: int) -> list[TraitScore]:
        """See ``Interviewer.measured``."""
        people = self._users.population
        if not people.traits:
            return []
        key = people.person_keys.key(people.personas[user])
        return [
            TraitScore(_named(one, key), scale.title, score, scale.least, scale.most)
            for one in people.traits
            if key in one.scores
            for scale, score in zip(one.scales, one.scores[key], strict=True)
        ]

    def fill_in(self, user: int, instrument: str) -> Interviewed:
        """See ``Interviewer.fill_in``."""
        if instrument not in self.instruments:
            raise ValueError(
                f"an interview wanted one of {', '.join(self.instruments)}, got {instrument!r}"
            )
        test = instrument_named(instrument)
        answers = self._ask(user, test)
        scores = trait_scores(test, answers.expected())
        rows = zip(test.traits, scores[0].tolist(), test.scale.tolist(), strict=True)
        traits = [TraitScore(test.name, t.title, score, *ends) for t, score, ends in rows]
        kind = str(types_of(test, scores)[0]) if test.scoring == "types" else ""
        return Interviewed(_answers(answers), traits, kind)

    def answer(self, user: int, question: str, options: Sequence[str]) -> Answer:
        """See ``Interviewer.answer``."""
        if not question.strip():
            raise ValueError("an interview wanted a question, got an empty one; type one")
        item = Item("typed", question.strip(), _NOBODY.name)
        try:
            test = Instrument("typed", (_NOBODY,), (item,), tuple(o.strip() for o in options))
        except InstrumentError as error:
            raise ValueError(
                f"a question wanted two to nine different answers, got {list(options)}; write them"
                " with a slash between, as yes / no"
            ) from error
        return _answers(self._ask(user, test))[0]

    def say(self, user: int, earlier: Sequence[Spoken], text: str) -> Spoken:
        """See ``Interviewer.say``."""
        return spoken(self._users, user, earlier, text)

    def _ask(self, user: int, test: Instrument) -> Answers:
        """Raises RuntimeError where the engine fails, as it does for a tick."""
        engine, people = self._users.engine, self._users.population
        return ask(engine, interviewees(people, np.array([user])), test, _HOW, frame_of(engine))


def interviewer_of(users: UserModel) -> PersonaInterviewer | None:
    """Who interviews these users; None for users who are no personas."""
    inner = users.inner if isinstance(users, LivingUsers) else users
    return PersonaInterviewer(inner) if isinstance(inner, PersonaUsers) else None


def _named(measured: MeasuredTraits, key: str) -> str:
    """The instrument, with the person's type where it measures types."""
    kind = measured.types.get(key)
    return f"{measured.instrument}, type {kind}" if kind else measured.instrument


def _answers(found: Answers) -> list[Answer]:
    test, chances = found.instrument, found.chances()[0]
    return [
        Answer(item.text, test.options_of(item), own[: len(test.options_of(item))])
        for item, own in zip(test.items, chances, strict=True)
    ]
