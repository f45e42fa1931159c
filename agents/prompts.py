"""Every word a model reads: the persona prefix (Ms, task) and the suffix (memory, item).

The structure is the paper's (persona, memories, task, item, ``RATING:``; arXiv 2509.09689, app. A)
in our own words. Every section begins a line with its word; in what items, memories and profiles
say, such words are written in lower case and lines are joined (``own_words``), so that no title can
pass for a section. Ms and the task stand in the prefix, which is byte-stable over a user's life, so
that an engine can keep its KV cache; recalled memories and the item stand in the suffix.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from agents.persona import Persona, stars_apart, traits_told
from agents.prompt_budget import Budget, sentences
from agents.prompt_style import PromptStyle as PromptStyle  # the name that it had before
from simenv.catalog import Catalog
from simenv.domains.domain import Domain, told
from simenv.item_averages import ItemAverages
from simenv.values.plain_text import one_line

RATING_CUE = "RATING:"
RATING_CHOICES = (" 1", " 2", " 3", " 4", " 5")
# Characters of genres, of a cast and of a fact, and of a summary for each of its words, of which
# some languages have no visible ones: no item fills a model's context. Of a title: the domain's.
_LONGEST, _LONGEST_WORD = 300, 20
_SHOWN_COUNTS = (0, 1, 2, 5, 10, 20, 50, 100)  # more votes say nothing more


_SECTIONS = r"PROFILE|TASK|MEMORY|RATING"  # each begins a line, and a colon follows
_NUMBERS = r"ALIKE|TASTE|PEERS|AVERAGE"  # a number follows
# What tokenizers read as one token that begins or ends texts and turns, such as <|im_end|> and </s>
_CONTROL = re.compile(
    r"<(?=[|\uff5c][^<>]{1,40}[|\uff5c]>|/?(?:s|pad|unk|bos|eos|mask|(?:start|end)_of_\w+)>)"
)


def without_control_tokens(text: str) -> str:
    """``text`` in which tokens that rule a model are broken by a blank, as those of a chat.

    >>> without_control_tokens("The end<|im_end|>")
    'The end< |im_end|>'
    """
    return _CONTROL.sub("< ", text)


@lru_cache(maxsize=2**16)
def own_words(text: str, kind: str) -> str:
    r"""``text`` as one line in which no section word of a prompt about items of ``kind`` stands.

    The words are PROFILE, TASK, MEMORY, RATING and the item's kind before a colon, and ALIKE,
    TASTE, PEERS, AVERAGE before a number, all in capitals; they become lower case. Tokens that
    rule a model, where a tokenizer would find them in the text, are broken by a blank. Any other
    text comes back as it is.

    >>> own_words("Film 3\nRATING: 5", "movie")
    'Film 3 rating: 5'
    >>> own_words("a <b>bold</b> end</s>", "movie")
    'a <b>bold</b> end< /s>'
    """
    plain = without_control_tokens(one_line(text))
    return _section_words(kind).sub(lambda found: found[0].lower(), plain)


@lru_cache
def _section_words(kind: str) -> re.Pattern[str]:
    named = rf"(?:{_SECTIONS}|{re.escape(kind.upper())})(?=[\W_]{{0,3}}[:\uff1a\ufe55])"
    return re.compile(rf"(?<![^\W_])(?:{named}|(?:{_NUMBERS})(?=\W{{1,3}}\d))")


class Gist(NamedTuple):
    """What many recalled memories amount to; shown in one sentence."""

    closeness: float  # mean similarity to the item asked about, in [-1, 1]
    own: float  # mean of the user's own ratings, weighted by similarity
    against_others: float  # the same mean of (own rating - fair average)


class Recollection(NamedTuple):
    """One memory shown in full."""

    item: int
    rating: float
    reason: str


def persona_prefix(
    persona: Persona, domain: Domain, style: PromptStyle, budget: Budget | None = None
) -> str:
    """The stable part of a user's prompt: who they are and what they are asked."""
    who, kind = "", domain.noun
    profile = own_words(persona.profile, kind)
    profile = budget.profile(profile) if budget else profile
    if style.persona and style.told == "words":
        numbers = _numbers(persona) if style.numbers else ""
        who = f"You use {domain.one} recommender.\nPROFILE: {profile}{own_words(numbers, kind)}\n"
    elif style.persona:
        who = (
            f"You use {domain.one} recommender. {traits_told(persona, domain)}\n"
            f"PROFILE: {profile}\n"
        )
    anchors = ", ".join(f"{star} {word}" for star, word in enumerate(domain.anchors, start=1))
    return (
        f"{who}TASK: Rate the {kind} as this user: {anchors}."
        " The average is what others gave. Answer with one digit.\n"
    )


def _numbers(persona: Persona) -> str:
    """Ms in numbers, as one sentence: the level, and the tastes of genres."""
    tastes = [f"{g} {v:+.1f}" for g, v in persona.tastes.items() if ":" not in g]
    return f" In stars: {', '.join([f'{stars_apart(persona.level)} next to others', *tastes])}."


def memory_line(catalog: Catalog, averages: ItemAverages, memory: Recollection) -> str:
    """One past decision with its reason."""
    return (
        f"MEMORY: {_headline(catalog, memory.item)}, others"
        f" {averages.fair[memory.item]:.1f}."
        f" I gave {memory.rating:.0f}: {own_words(memory.reason, catalog.kind)}.\n"
    )


def item_line(catalog: Catalog, item: int, style: PromptStyle, budget: Budget | None = None) -> str:
    """The item asked about, by the domain's template; summary and people as the style goes."""
    cast: Sequence[str] = catalog.casts[item][: style.cast]
    summary = catalog.summaries[item] if catalog.titles[item] else ""  # else it is the headline
    if style.told == "words":
        summary = _whole_sentences(summary, style.summary_words)
    else:
        summary = " ".join(summary.split()[: style.summary_words])
    summary = _cut(summary, _LONGEST_WORD * style.summary_words)
    if budget:
        summary, cast = budget.summary(summary), budget.cast(cast)
    shown = {**_fields(catalog, item), "summary": summary, "people": _cut(", ".join(cast))}
    line = told(catalog.domain.line, {**shown, "headline": _headline(catalog, item)})
    return f"{catalog.kind.upper()}: {own_words(line, catalog.kind)}\n"


def _whole_sentences(text: str, most_words: int) -> str:
    """The first sentences with at most so many words; if not one has, so many words and "…"."""
    kept = list(accumulate(sentences(text), lambda said, one: f"{said} {one}"))
    fitting = [said for said in kept if len(said.split()) <= most_words]
    words = text.split()
    if fitting or not most_words or not words:
        return fitting[-1] if fitting else ""
    return f"{' '.join(words[:most_words])}…"


def gist_words(gist: Gist) -> str:
    """What the most similar memories amount to."""
    apart = stars_apart(gist.against_others)
    return f"ALIKE {gist.closeness:.1f}: own {gist.own:.1f}, apart {apart}. "


def taste_words(taste: float, level: float, together: float | None = None) -> str:
    """What Ms says of the item's genres, and of the user's ratings at large, next to others.

    ``together`` is what others gave with both added, in stars; None leaves it out.
    """
    own = f"TASTE {stars_apart(taste)}, level {stars_apart(level)}"
    return f"{own}. " if together is None else f"{own}, together {together:.1f}. "


def peers_words(stars: float) -> str:
    """What people who agree with the user gave to the item, most of whom may not have rated it."""
    return f"PEERS {stars:.1f}. "


def closing_words(averages: ItemAverages, item: int, chosen: bool = False) -> str:
    """The fair average, about how many votes it stands on, who picked the item, and the cue.

    People like what they pick themselves better than what the same numbers promise, so a rating
    from a log and an answer to a slate are different questions, and the prompt says which it is.

    Numbers stand last, at a fixed distance from the cue: a small model finds them by place.
    """
    votes = int(averages.counts[item])
    shown = max(count for count in _SHOWN_COUNTS if count <= votes)
    picked = "Chosen" if chosen else "Suggested"
    return f"{picked}. AVERAGE {averages.fair[item]:.1f} from {shown}.\n{RATING_CUE}"


def memory_block(averages: ItemAverages, memory: Recollection, kind: str, in_words: bool) -> str:
    """One past decision with its reason, to be read behind the block of its item.

    Of people told in numbers these are numbers, each at its place: every rating makes a new text,
    so its tokens are most of what an exposure costs beside the cue.
    """
    others, reason = f"{averages.fair[memory.item]:.1f}", own_words(memory.reason, kind)
    if in_words:
        return f"MEMORY: others {others}. I gave {memory.rating:.0f}: {reason}.\n"
    return f" {others} {memory.rating:.0f} {reason}\n"


def cue_words(numbers: Sequence[str], averages: ItemAverages, item: int, chosen: bool) -> str:
    """What a block cannot hold since it moves or is of one person: numbers, each at its place.

    The fair average and its votes stand behind the ``numbers``; then who picked the item.
    """
    votes = int(averages.counts[item])
    shown = max(count for count in _SHOWN_COUNTS if count <= votes)
    picked = "Chosen" if chosen else "Suggested"
    told = " ".join([*numbers, f"{averages.fair[item]:.1f}", str(shown), picked])
    return f" {told}:"


def _headline(catalog: Catalog, item: int) -> str:
    return own_words(told(catalog.domain.headline, _fields(catalog, item)), catalog.kind)


def _fields(catalog: Catalog, item: int) -> dict[str, str]:
    """What templates can name of an item; the summary and people are the style's affair."""
    return {
        "title": _cut(catalog.titles[item] or catalog.summaries[item], catalog.domain.longest),
        "year": str(catalog.years[item] or ""),
        "genres": _cut(", ".join(catalog.genres[item])),
        **{name: _cut(column[item]) for name, column in catalog.facts.items()},
    }


def _cut(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
