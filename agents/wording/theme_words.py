"""Which nouns of the summaries are themes: learnt from a catalogue alone; it knows no user.

A theme is a noun (by the words around it, so English is expected), no name (names are written with
a capital within a sentence), and its items are alike in all their words: "vampire" and "school" are
themes, "size" and "purpose" are not. Summaries in other languages give few themes or none.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from agents.embedding import TfidfSvdEmbedder, unit
from agents.wording.phrases import plural
from agents.wording.word_classes import BEFORE_NOUNS, BEFORE_VERBS, EMPTY

_UNSURE = frozenset({",", "and", "but", "or", "yet"})
_TOKENS = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|[.!?;:,()\"]")
_LEAST_NOUN, _LEAST_DIRECT = 0.35, 0.1  # shares of a word's places
_LEAST_SURE = 0.3  # places of a noun for one where it may be an adjective
_MOST_VERB, _MOST_CAPITALS = 0.2, 0.3
_MOST_ITEMS = 0.15  # share of the items; what is everywhere is no theme
_ALWAYS = 20  # items that may share one in any catalogue
_LEAST_ALIKE = 0.02  # mean cosine of a theme's items
_MOST_THEMES = 250
_PLURAL = 0.15  # of a noun's places in the plural, from which on it is always said so
_COUNTED = 0.02  # of a noun's places behind "a" or "an", from which on it is said in the plural


class Themes(NamedTuple):
    """The themes of a catalogue."""

    names: tuple[str, ...]  # as they are said
    of_word: dict[str, int]  # word of a summary, in lower case → theme
    alike: np.ndarray  # (t, t) cosines of the themes' items in [-1, 1]


class _Places(NamedTuple):
    """How often a word stands where."""

    total: Counter[str]
    noun: Counter[str]
    verb: Counter[str]
    within: Counter[str]  # not at the beginning of a sentence
    capital: Counter[str]  # of these, with a capital
    counted: Counter[str]  # behind "a" or "an"
    direct: Counter[str]  # as a noun, with no adjective before it
    unsure: Counter[str]  # before "and" or a comma: the noun of "a girl and …", or "a witty and …"
    items: dict[str, list[int]]  # word → items, each once


def words_of(summary: str) -> list[str]:
    """The words of a summary in lower case, without punctuation."""
    return [token.lower() for token in _TOKENS.findall(summary) if token[0].isalpha()]


def find_themes(
    summaries: Sequence[str], texts: Sequence[str], but: Collection[str] = ()
) -> Themes:
    """The themes of items with these summaries (n,) and whole texts (n,); an item may have none.

    ``but`` are words in lower case that are no themes, such as names of genres.
    """
    places = _count(summaries)
    nouns = {k: v for k, v in _nouns(places, len(summaries)).items() if not {k, *v} & {*but}}
    if not nouns:
        return Themes((), {}, np.zeros((0, 0)))
    vectors = TfidfSvdEmbedder().embed(texts).astype(np.float64)
    vectors = np.asarray(unit(vectors - vectors.mean(axis=0)), dtype=np.float64)
    scored = {noun: _alike(vectors[places_of(words, places)]) for noun, words in nouns.items()}
    wanted = [noun for noun, (_, cosine) in scored.items() if cosine >= _LEAST_ALIKE]
    wanted = sorted(wanted, key=lambda noun: (-scored[noun][0], noun))[:_MOST_THEMES]
    middles = [vectors[places_of(nouns[noun], places)].mean(axis=0) for noun in wanted]
    middles_unit = unit(np.array(middles).reshape(len(wanted), -1)) if wanted else np.zeros((0, 1))
    names = tuple(_said(nouns[noun], places) for noun in wanted)
    of_word = {word: t for t, noun in enumerate(wanted) for word in nouns[noun]}
    return Themes(names, of_word, np.asarray(middles_unit @ middles_unit.T, dtype=np.float64))


def places_of(words: Sequence[str], places: _Places) -> list[int]:
    """Items in whose summary one of these words stands, each once."""
    return sorted({item for word in words for item in places.items[word]})


def _no_places() -> _Places:
    a, b, c, d, e, f, g, h = (Counter[str]() for _ in range(8))
    return _Places(a, b, c, d, e, f, g, h, defaultdict(list))


def _count(summaries: Sequence[str]) -> _Places:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS as STOPS

    places = _no_places()
    for item, summary in enumerate(summaries):
        tokens = _TOKENS.findall(summary)
        lower = [".", ".", *(token.lower() for token in tokens), "."]
        for token, (second, before, word, after) in zip(
            tokens, zip(lower, lower[1:], lower[2:], lower[3:], strict=False), strict=True
        ):
            if len(word) < 3 or not word.replace("-", "").isalpha() or word in STOPS:
                continue
            places.total[word] += 1
            if places.items[word][-1:] != [item]:
                places.items[word].append(item)
            if before not in {".", "!", "?", ":", '"', "("}:
                places.within[word] += 1
                places.capital[word] += token[0].isupper()
            ends = after not in _UNSURE and (after in STOPS or not after[0].isalpha())
            adjective = before[0].isalpha() and before not in STOPS and second in BEFORE_NOUNS
            behind = before in BEFORE_NOUNS or adjective
            places.noun[word] += ends and behind
            places.unsure[word] += after in _UNSURE and behind
            places.direct[word] += (ends or after in _UNSURE) and before in BEFORE_NOUNS
            places.verb[word] += before in BEFORE_VERBS
            article = second if adjective else before
            places.counted[word] += ends and article in {"a", "an"}
    return places


def _nouns(places: _Places, num_items: int) -> dict[str, list[str]]:
    """Noun → its forms (one or two), for those that few enough and enough items share."""
    found: dict[str, list[str]] = {}
    for word, total in places.total.items():
        sure, unsure = places.noun[word], places.unsure[word]
        is_noun = sure + unsure >= _LEAST_NOUN * total and sure > _LEAST_SURE * unsure
        is_verb = any(_is_verb(form, places) for form in (word, *_bases(word)))
        is_verb |= places.direct[word] < _LEAST_DIRECT * total  # a sailor sings: no noun
        is_name = places.capital[word] > _MOST_CAPITALS * max(places.within[word], 1)
        if is_noun and not is_verb and not is_name:
            found.setdefault(_singular(word, places.total), []).append(word)
    least = max(2, round(0.002 * num_items))
    most = max(_MOST_ITEMS * num_items, min(_ALWAYS, 0.6 * num_items))
    return {
        noun: words
        for noun, words in found.items()
        if noun not in EMPTY
        and not any(EMPTY.intersection((word, *_bases(word))) for word in words)
        and least <= len(places_of(words, places)) <= most
    }


def _is_verb(word: str, places: _Places) -> bool:
    return word in places.total and places.verb[word] >= _MOST_VERB * places.total[word]


def _bases(word: str) -> list[str]:
    """What a word may be a form of, if it is a verb: explores, exploring → explore."""
    for ending in ("ies", "ing", "es", "s"):
        if word.endswith(ending):
            stem = word[: -len(ending)]
            return [stem + "y"] if ending == "ies" else [stem, stem + "e"]
    return []


def _singular(word: str, known: Counter[str]) -> str:
    """The singular of a word where the summaries have it too, else the word."""
    endings = (
        ("ies", "y"), ("ves", "f"), ("es", ""), ("s", ""), ("men", "man"), ("children", "child"),
    )  # fmt: skip
    for many, one in endings:
        if word.endswith(many) and (singular := word[: -len(many)] + one) in known:
            return singular
    return word


def _said(words: Sequence[str], places: _Places) -> str:
    """The plural of what is counted (teachers, soldiers); the most frequent form of other nouns."""
    word = max(words, key=lambda word: (places.total[word], word))
    counted = sum(places.counted[word] for word in words)
    total = sum(places.total[word] for word in words)
    is_counted = counted >= _COUNTED * total or places.total[plural(word)] >= _PLURAL * total
    if not is_counted:
        return word
    many = [one for one in words if one.endswith(("s", "men", "children"))]
    return max(many, key=lambda one: places.total[one]) if many else plural(word)


def _alike(vectors: np.ndarray) -> tuple[float, float]:
    """(score, mean cosine) of a theme's items: alike, and not by the accident of a few."""
    count = len(vectors)
    total = vectors.sum(axis=0)
    cosine = (total @ total - (vectors**2).sum()) / max(count * (count - 1), 1)
    return float(cosine * np.sqrt(count)), float(cosine)
