"""People whose student answers where it is sure; the language model is asked where it is not.

Everything else is theirs: memories, moods and behaviour.
"""

from dataclasses import dataclass, field

import numpy as np

from agents.inference.failures import FailedRequestsError
from agents.inference.named_rows import rows_of_caller
from agents.persona import Persona
from agents.persona_users import PersonaUsers
from agents.student.counting import count_questions
from agents.student.ensemble import Ensemble
from agents.student.seen import Seen, people_columns, see
from agents.student.student import Student
from simenv.events import FloatArray, IntArray


@dataclass
class CascadeUsers(PersonaUsers):
    """``PersonaUsers`` whose student answers first.

    An answer depends on its question alone, as before: whom it comes from, too.

    Args:
        student: of these people's model.

    Raises:
        ValueError: the student did not learn from this model, catalogue and style.
    """

    student: Student = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.student.check_fits(self.population)
        vectors = self.population.vectors.astype(np.float32)
        self._ensemble = Ensemble(self.student.weights, vectors)
        self._met = self._ensemble.met(people_columns(self.population, self.population.personas))

    def become(self, user: int, persona: Persona) -> None:
        """See ``PersonaUsers.become``."""
        super().become(user, persona)
        self._met[user] = self._ensemble.met(people_columns(self.population, [persona]))[0]

    def put_on(self, users: IntArray, adapter: str, folder: str) -> None:
        """Refused: a student learnt from the adapters that there were.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "a student wanted the adapters that it learnt from, got one that is trained further;"
            " leave users.student out"
        )

    def answers(self, users: IntArray, items: IntArray, chosen: bool = False) -> FloatArray:
        """(n·k, 5) what the student says, or the model where the student is unsure.

        Raises:
            FailedRequestsError: of the model; rows are those of the caller.
        """
        users, items = np.asarray(users), np.asarray(items)
        seen = see(self.told, self.memory, self.population.style.gist, users, items, chosen)
        guess = self._ensemble.guess(seen, self._met)
        rows = np.flatnonzero(guess.doubt > self.student.unsure)
        count_questions(len(guess.doubt), len(rows))
        if len(rows):
            guess.chances[rows] = self._from_model(seen, rows, chosen, guess.chances)
        return guess.chances

    def _from_model(
        self, seen: Seen, rows: IntArray, chosen: bool, guessed: FloatArray
    ) -> FloatArray:
        """(m, 5) answers to the questions ``rows`` (m,), each asked alone."""
        try:
            with rows_of_caller(rows.tolist()):
                return super().answers(seen.users[rows], seen.items[rows, None], chosen)
        except FailedRequestsError as error:
            answers = np.log(guessed)
            answers[rows] = error.answers
            named = {int(rows[row]): why for row, why in error.failures.items()}
            raise error.for_rows(named, answers) from None
