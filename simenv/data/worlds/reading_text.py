"""Summaries that have to be read: themes and moods in many words, by a grammar. It knows no tastes.

A theme or mood is never named twice in the same way on purpose: each has words of three registers,
an item is written in one of them, and a person speaks in one of their own. So who reads must know
that *a heist*, *the patient art of theft* and *cracking a vault* are one thing.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

REGISTERS = ("plain", "literary", "streetwise")


class Topic(NamedTuple):
    """A theme or a mood and its words, three in each of the ``REGISTERS``."""

    name: str
    words: tuple[tuple[str, str, str], tuple[str, str, str], tuple[str, str, str]]


def _topic(name: str, plain: str, literary: str, streetwise: str) -> Topic:
    spoken = [tuple(part.split(" / ")) for part in (plain, literary, streetwise)]
    return Topic(name, tuple(spoken))  # type: ignore[arg-type]


# Noun phrases: each fits behind "a story of" and before "changes everything".
THEMES = (
    _topic("heist", "a heist / a bank robbery / a stolen painting",
           "the patient art of theft / an audacious larceny / a fortune spirited away",
           "cracking a vault / one last score / a big job gone wrong"),
    _topic("revenge", "revenge / a plan to get even / an old grudge",
           "vengeance long deferred / a blood debt / the settling of ancient wrongs",
           "payback / evening the score / a beef that never died"),
    _topic("family", "a family reunion / brothers and sisters / a father and a son",
           "the bonds of kinship / a house divided / what parents leave behind",
           "folks and kin / a messed-up household / blood being thicker than water"),
    _topic("first love", "first love / two people falling in love / young lovers",
           "an awakening of the heart / a tender courtship / a summer of longing",
           "a big crush / being head over heels / puppy love"),
    _topic("betrayal", "a betrayal / a friend who lies / a broken promise",
           "perfidy among confidants / a trust dishonoured / a Judas at the table",
           "a double cross / getting sold out / a rat in the crew"),
    _topic("survival", "survival / being lost in the wild / a shipwreck",
           "endurance against the elements / castaways on a barren shore / hunger and cold",
           "making it out alive / being stranded / beating the odds out there"),
    _topic("machines", "robots / a thinking machine / a computer that learns",
           "automata that dream / an artificial mind / the soul of a contrivance",
           "killer tech / bots gone haywire / a glitchy super brain"),
    _topic("sport", "a big match / a sports team / a boxing career",
           "the glory of the arena / athletes past their prime / a contest of strength",
           "going for gold / underdogs on the field / a shot at the title"),
    _topic("music", "a band / a young singer / a piano contest",
           "the consolations of melody / a virtuoso's ascent / a concerto unfinished",
           "a garage group / hitting the charts / jamming all night"),
    _topic("politics", "an election / a president / a political scandal",
           "the corridors of power / a republic in peril / statecraft and its masks",
           "dirty votes / a crooked mayor / spin doctors at work"),
    _topic("ghosts", "a ghost / a haunted house / voices of the dead",
           "restless spirits / a spectral visitation / what lingers beyond the grave",
           "spooks in the attic / things that go bump / a creepy old place"),
    _topic("the sea", "a voyage by sea / sailors / a fishing village",
           "the call of the deep / mariners and tides / a coast under sail",
           "life on a boat / salty sea dogs / a rusty trawler"),
    _topic("food", "a restaurant / a cook / a family bakery",
           "the poetry of the table / a chef's devotion / bread and its mysteries",
           "a greasy diner / a hot kitchen / a food truck"),
    _topic("growing up", "growing up / a last year at school / leaving home",
           "the threshold of adulthood / innocence departing / an education in sorrow",
           "being a dumb kid / skipping class / teens on the loose"),
    _topic("money", "sudden wealth / a failed business / a stock market crash",
           "the temptations of opulence / ruin on the exchange / avarice and its wages",
           "getting rich quick / being flat broke / Wall Street sharks"),
    _topic("faith", "a priest who doubts / a pilgrimage / a small church",
           "the dark night of belief / a cloister in turmoil / grace unlooked for",
           "a holy roller / a preacher on the run / a cult next door"),
)  # fmt: skip

# Adjectives: each fits before "story".
MOODS = (
    _topic("funny", "funny / comic / hilarious", "droll / mirthful / waggish",
           "goofy / side-splitting / wisecracking"),
    _topic("dark", "dark / bleak / grim", "sombre / desolate / tenebrous",
           "gritty / nasty / pitch-black"),
    _topic("warm", "warm / gentle / kind", "tender-hearted / benevolent / mellow",
           "feel-good / cosy / big-hearted"),
    _topic("tense", "tense / gripping / nervous", "taut / disquieting / fraught",
           "nail-biting / edgy / white-knuckle"),
    _topic("slow", "slow / quiet / calm", "contemplative / languid / meditative",
           "laid-back / low-key / chilled"),
    _topic("wild", "wild / fast / loud", "tumultuous / feverish / unbridled",
           "over-the-top / crazy / full-throttle"),
    _topic("sad", "sad / tragic / tearful", "mournful / elegiac / plaintive",
           "heart-wrenching / gut-punching / weepy"),
    _topic("strange", "strange / odd / puzzling", "surreal / enigmatic / oneiric",
           "trippy / weird / off-the-wall"),
)  # fmt: skip

_HEROES = (
    "a clerk", "two sisters", "a retired teacher", "a young doctor", "an orphan", "a lawyer",
    "three old friends", "a widow", "a scientist", "a reporter", "a twin", "a driver", "a nurse",
    "a painter", "neighbours", "a translator", "a soldier on leave", "a gardener", "an heiress",
    "a night guard", "a runaway", "a postman", "a judge", "a mechanic",
)  # fmt: skip
_PLACES = (
    "a border town", "the capital", "a mountain valley", "an island", "a winter city", "a suburb",
    "a desert camp", "the old quarter", "a mill town", "a foreign port", "a farm", "a hotel",
    "an empty theatre", "a snowbound station", "a factory", "the northern woods", "a ferry",
    "a hospital", "a market street", "a tower block",
)  # fmt: skip
_TIMES = (
    "over one summer", "in a single night", "across three generations", "during a strike",
    "in the last week of the year", "while a storm draws near", "many years too late",
    "on the eve of a wedding", "after a funeral", "between two trains", "in a year of floods",
    "before the town wakes",
)  # fmt: skip
# {m} a mood, {am} the same with its article, {t} and {s} themes, {h} a hero, {p} a place, {w} when.
_OF_ONE = (
    "{am} story of {t}: {h} in {p}, {w}.",
    "{h} comes to {p}, and {t} changes everything. {m} from start to end.",
    "in {p}, {h} is drawn into {t} {w}. told in {am} voice.",
    "{w}, {h} learns what {t} means. {am} piece set in {p}.",
    "{m}, and never far from {t}: {h} returns to {p}.",
    "for {h}, {p} was only a name. then came {t}. {am} tale.",
    "this {m} story follows {h} through {t}, {w}.",
    "{t}, seen through the eyes of {h} in {p}. the tone is {m}.",
)
_OF_TWO = (
    "{am} story of {t} and {s}: {h} in {p}.",
    "what begins with {t} ends with {s}, {w}. {m}, and led by {h}.",
    "{h} of {p} must choose between {t} and {s}. {am} tale.",
    "in {p}, {t} meets {s}. {h} looks on, {w}. the tone is {m}.",
    "{w}, {h} faces {t}; behind it waits {s}. {am} piece.",
    "{t} in {p}, and then {s}: {am} account of {h}.",
    "this {m} story leads {h} from {t} to {s}, {w}.",
    "nobody told {h} about {t}, nor about {s}. {m} throughout, and set in {p}.",
)
_LIKING = (
    "I could {v} anything about {t}.",
    "Give me {am} story and I am happy; {t} too.",
    "Stories of {t} are what I look for, best of all {m} ones.",
    "{t} gets me every time, and I like it {m}.",
)


def summary(rng: np.random.Generator, themes: Sequence[int], mood: int, register: int) -> str:
    """One to three sentences that tell one or two themes and a mood in words of a register."""
    frames = _OF_ONE if len(themes) == 1 else _OF_TWO
    frame = frames[rng.integers(len(frames))]
    return _told(rng, frame, themes, mood, register)


def liking(rng: np.random.Generator, theme: int, mood: int, register: int, verb: str) -> str:
    """What somebody says who likes a theme and a mood most, in words of their own register.

    ``verb`` is what people do with an item, again and again: watch, read, hear.
    """
    frame = _LIKING[rng.integers(len(_LIKING))].replace("{v}", verb)
    return _told(rng, frame, (theme,), mood, register)


def _told(
    rng: np.random.Generator, frame: str, themes: Sequence[int], mood: int, register: int
) -> str:
    spoken = [_picked(rng, THEMES[t].words[register]) for t in themes]
    adjective = _picked(rng, MOODS[mood].words[register])
    article = "an" if adjective[0] in "aeiou" else "a"
    text = frame.format(
        m=adjective, am=f"{article} {adjective}", t=spoken[0], s=spoken[-1],
        h=_picked(rng, _HEROES), p=_picked(rng, _PLACES), w=_picked(rng, _TIMES),
    )  # fmt: skip
    return ". ".join(part[:1].upper() + part[1:] for part in text.split(". "))


def _picked(rng: np.random.Generator, words: Sequence[str]) -> str:
    return words[int(rng.integers(len(words)))]
