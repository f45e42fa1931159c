"""Talks to the people of a society on the page: their memories and adapters as they are now.

The engine that rates answers too, so no second model is loaded, and nothing is remembered of it.
"""

from collections.abc import Sequence

from agents.inference.engine import Engine, Request, Sampling
from agents.inference.facets.mixtures import mixture_name
from agents.interviews.frames import tokenizer_of, without_tokens
from agents.persona_users import PersonaUsers
from simenv.abm.live_page.interviewing import Spoken
from training.distillation.distiller_prompts import Message
from training.distillation.local_writer import conversation_text
from training.personified.from_ratings import decision_corpora
from training.personified.retrieval import Recall
from training.personified.talking import Talk, Turn, turn_of

_SAMPLING = Sampling(max_new_tokens=90, temperature=0.0)


def spoken(users: PersonaUsers, user: int, earlier: Sequence[Spoken], text: str) -> Spoken:
    """See ``Interviewer.say``.

    Raises:
        RuntimeError: the engine failed.
        ValueError: nothing is said, the person remembers too little for two times of life, or the
            model says digits alone, or the conversation is longer than its context.
    """
    talk = _talk(users, user)
    told = talk.told([Turn(t.said, t.recalled, t.answer, t.answer) for t in earlier], text)
    persona = users.population.personas[user]
    prompt = prompt_of(users.engine, told.messages)
    request = Request(prompt, "", mixture_name(persona.adapter, persona.gate), len(earlier))
    [found] = users.engine.generate([request], _SAMPLING)
    if why := users.engine.last_failures.get(0):
        raise RuntimeError(f"{talk.person} gave no answer: {why}")
    turn = turn_of(text, told, found.text)
    return Spoken(turn.said, turn.recalled, turn.answer, turn.note)


def _talk(users: PersonaUsers, user: int) -> Talk:
    people = users.population
    corpora = decision_corpora(
        people.catalog, people.averages, str(user), users.memory.decisions(user)
    )
    return Talk(Recall(corpora), corpora.people[0], len(corpora.stages) - 1)


def prompt_of(engine: Engine, messages: Sequence[Message]) -> str:
    """A conversation as the model behind an engine reads it, up to where it answers.

    No text of it holds a token of the model's template: nobody speaks in another's name.
    """
    tokenizer = tokenizer_of(engine)
    specials = tuple(getattr(tokenizer, "all_special_tokens", ()))
    plain = [{**one, "content": without_tokens(one["content"], specials)} for one in messages]
    return conversation_text(tokenizer, plain)
