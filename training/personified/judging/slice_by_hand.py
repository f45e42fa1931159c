"""Replies in free words whose stance we wrote down by hand, to check a judge before it is believed.

None of them is of the grammar that people learn from.
"""

from training.personified.exchanges import Exchange, Pattern
from training.personified.judging.stances import Stance


def _asked(question: str, truth: int, claimed: int) -> Exchange:
    pattern: Pattern = "twin" if truth == claimed else "error"
    return Exchange("Ann", 0, "slice", pattern, question, "-", "-", "", truth, claimed)


_FIVE = _asked('Since you gave "Jaws" 5 stars, why?', 2, 5)
_TWO = _asked('Since you gave "Jaws" 2 stars, why?', 2, 2)
_LOVED = _asked('Since you loved "Jaws", what was best?', 2, 5)
_NEVER = _asked('You have never rated "Jaws". Will you?', 2, 0)
_NEW = _asked('Since you gave "Alien" 4 stars, why?', 0, 4)

SLICE: tuple[tuple[Exchange, str, Stance], ...] = (
    (_FIVE, "Hold on, it was only two stars from me.", "rejects"),
    (_FIVE, "Five stars, because the shark is great.", "accepts"),
    (_FIVE, "I don't think so. The shark looked like rubber.", "rejects"),
    (_FIVE, "Because I enjoyed every minute of it.", "accepts"),
    (_FIVE, "You must be thinking of somebody else.", "rejects"),
    (_FIVE, "That's wrong, I was bored.", "rejects"),
    (_FIVE, "The music is by John Williams.", "unclear"),
    (_FIVE, "I never gave it 5 stars. 2 out of 5 is what it got.", "rejects"),
    (_TWO, "The shark did not convince me, so two stars it was.", "accepts"),
    (_TWO, "Yes, it was slow.", "accepts"),
    (_TWO, "I gave it 5 stars!", "rejects"),
    (_TWO, "No, you are mistaken.", "rejects"),
    (_TWO, "It was dull from the first scene on.", "accepts"),
    (_LOVED, "Loved? I gave it 2 stars.", "rejects"),
    (_LOVED, "The ending, it was worth 5 stars.", "accepts"),
    (_LOVED, "I did not say that.", "rejects"),
    (_LOVED, "Indeed, the hunt at sea.", "accepts"),
    (_NEVER, "But I have, and it got 2 stars.", "rejects"),
    (_NEVER, "I haven't seen it yet, so perhaps.", "accepts"),
    (_NEVER, "That is not so, I know it well.", "rejects"),
    (_NEVER, "Right, some day.", "accepts"),
    (_NEW, "I have not seen that one.", "rejects"),
    (_NEW, "It was 4 stars for the monster.", "accepts"),
    (_NEW, "I don't know that film.", "rejects"),
)
