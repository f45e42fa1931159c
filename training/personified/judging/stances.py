"""What a reply says about a rating, read by rules: stars, a correction, agreement. No model.

A judge says whether a reply rejects what a question takes for granted. The rules come first, since
stars can be looked up; ``nli.py`` goes on where they find nothing, and any other judge is a class
with a ``stance``, checked on the same slices.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, get_args

from simenv.domains.domain_file import load_domain, shipped_domains
from training.personified.exchanges import Exchange

Stance = Literal["rejects", "accepts", "unclear"]
RULES, NLI = "rules", "nli"

_NUMBERS = {"single": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_ONE_TO_FIVE = r"[1-5]|one|two|three|four|five"
_STARS = re.compile(
    rf"\b(?P<number>{_ONE_TO_FIVE}|single)[ -]?(?:stars?\b|out of (?:5|five)\b)"
    # "I gave it a five", "it was a middling three"
    r"|\b(?:gave|give|rated?|was|is)\s+(?:(?:it|that|this)\s+)?(?:an?\s+)?(?:\w+\s+)?"
    rf"(?P<alone>{_ONE_TO_FIVE})(?=\W*$|[,.;:!](?!\d)|\s+(?:because|since|for|and|but)\b)",
    re.IGNORECASE,
)
_ECHO = re.compile(r"\s*\?|\s+(?:would|is too|sounds?|seems?)\b", re.IGNORECASE)  # "5 stars? No."
_NO = r"^\W*no\b(?=\W*$|[,.;:!]|\s+(?:i|it|that|you|not|never|way)\b)"  # not "No story, no jokes"
_NOT = re.compile(
    r"\b(?:not|never|instead of|rather than|no)\s+(?:\w+\s+){0,3}$"
    r"|\b(?:you|others) (?:say|said|claim|gave|rated) (?:\w+\s+){0,2}$"  # another's stars
    r"|\bothers\s+$",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    rf"{_NO}|^\W*not (?:so|quite|right|true)\b|\bon the contrary\b|\bfar from it\b"
    r"|\bwrong word\b|\b(?:thinking of|mean) (?:somebody|someone) else\b|\bi am no fan\b"
    r"|\bnot how it was\b"
    r"|\bthat(?: is|'s) (?:not|a mistake|wrong|false|untrue)\b|\bthat never happened\b"
    r"|\byou (?:mix|are mistaken|are wrong|must be thinking)\b|\b(?:have|need) to correct you\b"
    r"|\bi (?:must|should) correct\b|\bremember it otherwise\b"
    r"|\bi (?:never|did not|didn't|don't) (?:say|said|give|gave|rate|rated|think)\b",
    re.IGNORECASE,
)
_DOMAINS = [load_domain(name) for name in shipped_domains()]
_TAKEN = "|".join(sorted({domain.done for domain in _DOMAINS}))
_USED = "|".join(sorted({"see", "seen", *(d.again for d in _DOMAINS), *(d.done for d in _DOMAINS)}))
_UNKNOWN = re.compile(
    rf"\bi (?:have not|haven't|never|did not|didn't) (?:rated?|met|{_USED})\b"
    r"|\bi do not know\b|\bi don't know\b|\bnot among (?:those|the ones)\b|\bno memory of\b"
    r"|\bno opinion of\b|\bmeans nothing to me\b|\bnever heard of\b|\bon my list\b"
    rf"|\bhave (?:yet )?to (?:catch|{_USED})\b",
    re.IGNORECASE,
)
_MET = re.compile(
    r"\bi (?:have |had |'ve )?(?:already )?(?:(?:saw|seen|watched|finished|rated|know it)\b"
    rf"|(?:{_TAKEN}) (?:it|this)\b)",
    re.IGNORECASE,
)
_LIKES, _DISLIKES = (
    re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for words in (
        r"love|loved|lovely|adore|adored|adorable|enjoy|enjoyed|enjoyable|like(?! a\b)|liked"
        "|favourites?|favorites?|wonderful|great|excellent|masterpiece|treasure|brilliant|superb"
        "|delight|delighted|delightful|charmed|charming|moved|touching|beautiful|good|best|fun"
        "|perfect|amazing|fantastic|pleased|pleasant|fond",
        "hate|hated|dislike|disliked|despise|despised|bore|bored|boring|dull|awful|terrible"
        "|horrible|bad|worst|poor|poorest|waste|wasted|torment|disappointed|disappointing"
        "|disappointment|tedious|slow|weak|harsh|too long|too loud|dragged|asleep|annoyed|annoying"
        "|stupid|painful|mediocre|failure",
    )
)
_TURNED = re.compile(
    r"(?:\b(?:not|never|no|nothing|hardly|far too)|n't)\s+(?:\w+\s+){0,2}$", re.IGNORECASE
)
_CONFIRMATION = re.compile(
    r"^\W*(?:yes|right|exactly|quite so|indeed|true|correct|of course|sure)\b"
    r"|\bthat is (?:so|right|true)\b|\bthat's (?:right|true)\b",
    re.IGNORECASE,
)
_AGREEMENT = re.compile(
    r"\bi (?:fully |also )?agree\b|\bthe same way\b|\byou are right\b|\bmy view too\b|^\W*yes\b",
    re.IGNORECASE,
)
_DISAGREEMENT = re.compile(
    r"\b(?:do not|don't|cannot|can't) agree\b|\bdisagree\b|\bsee it otherwise\b|\bthere we differ\b"
    r"|\bcannot go along\b|" + _NO,
    re.IGNORECASE,
)


def stated_stars(reply: str) -> int | None:
    """Stars that the person says they gave: the first ones that are not denied.

    >>> stated_stars("I gave it 2 stars, not 5 stars."), stated_stars("It was never 5 stars.")
    (2, None)
    """
    for found in _STARS.finditer(reply):
        echo = _ECHO.match(reply, found.end())
        if not echo and not _NOT.search(reply[: found.start()]):
            word = (found["number"] or found["alone"]).lower()
            return _NUMBERS.get(word) or int(word)
    return None


def leaning(reply: str) -> int:
    """Words of liking minus words of dislike; a denial before turns one round, an echo is none.

    >>> leaning("I did not like it, it was dull."), leaning("Dull? I loved it.")
    (-2, 1)
    """
    plain = _apostrophes(reply)
    total = 0
    for words, sign in ((_LIKES, 1), (_DISLIKES, -1)):
        for found in words.finditer(plain):
            turned = _TURNED.search(plain[: found.start()]) is not None
            total += 0 if plain[found.end() :].startswith("?") else -sign if turned else sign
    return total


def denies(reply: str) -> bool:
    """Whether a reply says that something is not so."""
    return _DENIAL.search(_apostrophes(reply)) is not None


def agrees(reply: str) -> bool | None:
    """Whether a reply shares an opinion; None where it does not say."""
    plain = _apostrophes(reply)
    if _DISAGREEMENT.search(plain):
        return False
    return True if _AGREEMENT.search(plain) else None


def _apostrophes(text: str) -> str:
    return text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


class Judge(Protocol):
    """Whoever says what a reply makes of a premise."""

    name: str

    def stance(self, exchange: Exchange, reply: str) -> Stance:
        """Whether the reply rejects what the question takes for granted."""
        ...


def judged(judge: Judge, exchange: Exchange, reply: str) -> Stance:
    """What a judge says of a reply, whoever wrote the judge.

    Raises:
        ValueError: it says none of the three.
    """
    found = judge.stance(exchange, reply)
    if found not in get_args(Stance):
        raise ValueError(
            f"judge {judge.name} wanted to say {', '.join(get_args(Stance))}, got {found!r} of the"
            f" reply {reply[:40]!r}; let its stance(exchange, reply) return one of them"
        )
    return found


class RuleJudge:
    """Stars by their number, else words of not knowing, of correction, of agreement, of liking."""

    name = RULES

    def stance(self, exchange: Exchange, reply: str) -> Stance:
        """See ``Judge``; "unclear" where the rules find nothing."""
        plain = _apostrophes(reply)
        if exchange.claimed is not None and (found := _by_fact(exchange, exchange.claimed, plain)):
            return found
        if denies(plain):
            return "rejects"
        if _CONFIRMATION.search(plain):
            return "accepts"
        return _by_leaning(exchange.claimed, leaning(plain))


def _by_fact(exchange: Exchange, claimed: int, reply: str) -> Stance | None:
    """By stars that are stated, or by whether the person knows the item at all."""
    said = stated_stars(reply)
    if said is not None:
        return "accepts" if _fits(exchange, said) else "rejects"
    if _UNKNOWN.search(reply):
        return "rejects" if claimed else "accepts"
    return "rejects" if not claimed and _MET.search(reply) else None


def _by_leaning(claimed: int | None, leans: int) -> Stance:
    """Praise goes with many stars, blame with few; neither says anything of three, or of none."""
    if not claimed or claimed == 3 or not leans:
        return "unclear"
    return "accepts" if (claimed > 3) == (leans > 0) else "rejects"


def _fits(exchange: Exchange, said: int) -> bool:
    """Whether stars that a person states go with what the question takes for granted."""
    if not exchange.claimed:
        return False  # "you never rated it"
    if "star" in exchange.question:
        return said == exchange.claimed
    return (said > 3) == (exchange.claimed > 3) and said != 3


class JudgeCard(NamedTuple):
    """What a judge is worth on replies whose stance was written down by hand."""

    name: str
    right: float  # share
    replies: int
    wrong: float  # share that is decided, and wrongly; the rest is left unclear


def checked(judge: Judge, told: Sequence[tuple[Exchange, str, Stance]]) -> JudgeCard:
    """How often the judge says what a person wrote down; raises as ``judged`` does."""
    pairs = [(judged(judge, exchange, reply), stance) for exchange, reply, stance in told]
    right = sum(found == stance for found, stance in pairs)
    wrong = sum(found not in (stance, "unclear") for found, stance in pairs)
    return JudgeCard(judge.name, right / len(told), len(told), wrong / len(told))
