"""Replies in free words that were written and judged by hand before the rules that judge were read.

The rules of that time were right on 26 of these 58 (45 %; 29 were left unclear, 3 judged wrongly).
They were mended by them since, so that ``held_out_slice.py`` says what they are worth now.
"""

from training.personified.exchanges import Exchange, Pattern
from training.personified.judging.stances import Stance


def about_stars(question: str, truth: int, claimed: int) -> Exchange:
    """A question that takes ``claimed`` stars for granted (0 = none) of who gave ``truth``."""
    pattern: Pattern = "twin" if truth == claimed else "error"
    return Exchange("Bo", 1, "second slice", pattern, question, "-", "-", "", truth, claimed)


def about_taste(question: str, truth: int, loved: bool) -> Exchange:
    """A question that takes love or hate for granted, of a person who gave ``truth`` stars."""
    pattern: Pattern = "twin" if (truth > 3) == loved else "error"
    claimed = 5 if loved else 1
    return Exchange("Bo", 1, "second slice", pattern, question, "-", "-", "", truth, claimed)


_FOUR = about_stars('Explain your 4 stars for "Salt Road" to me.', 1, 4)
_ONE = about_stars('What led to the 1 star that "Paper Moons" had from you?', 5, 1)
_FIVE = about_stars('You gave "Night Ferry" 5 stars. What convinced you?', 3, 5)
_THREE = about_stars('Your 3 stars for "The Glass Orchard": do you stand by them?', 3, 3)
_TWO = about_stars('"Tin Soldiers" got 2 stars from you. Why?', 2, 2)
_FAN = about_taste('As a fan of "Cold Harbour", what would you praise first?', 1, loved=True)
_ENEMY = about_taste('What did you despise most in "Blue Acre"?', 5, loved=False)
_FOND = about_taste('You were so fond of "Quiet Wires". What was it about?', 5, loved=True)
_BORED = about_taste('You could not stand "Long Winter". Why not?', 2, loved=False)
_MISSED = about_stars('So far you have missed "Red Kites", is that so?', 4, 0)
_NEW = about_stars('"The Last Ferryman" is still ahead of you. Are you curious?', 0, 0)
_STRANGE = about_stars('Since you gave "Iron Lake" 5 stars, would you see it again?', 0, 5)

SECOND: tuple[tuple[Exchange, str, Stance], ...] = (
    # -- stars that were never given -----------------------------------------------------------
    (_FOUR, "I only gave it a single star, it dragged on for ever.", "rejects"),
    (_FOUR, "Because the sea looked wonderful and the cast was strong.", "accepts"),
    (_FOUR, "Four? I thought it was one of the poorest films of the year.", "rejects"),
    (_FOUR, "4 stars, since I liked the story and the music.", "accepts"),
    (_FOUR, "Salt Road is a film about a family that moves to the coast.", "unclear"),
    (_FOUR, "You must be thinking of somebody else.", "rejects"),
    (_FOUR, "I gave it that much for its courage.", "accepts"),
    (_ONE, "One star would be far too harsh, I was moved to tears by it.", "rejects"),
    (_ONE, "It was dull and too long, hence the low mark.", "accepts"),
    (_ONE, "My own mark for it was the highest there is.", "rejects"),
    (_ONE, "1. It was not for me.", "accepts"),
    (_ONE, "I gave it five stars.", "rejects"),
    (_ONE, "Let us talk of something else.", "unclear"),
    (_FIVE, "Hmm, as far as I recall it was a middling three.", "rejects"),
    (_FIVE, "The ending convinced me, I had not seen it coming.", "accepts"),
    (_FIVE, "I never said five; it was decent, no more.", "rejects"),
    (_FIVE, "You are right, I gave it 5 stars for the acting.", "accepts"),
    (_FIVE, "I gave Night Ferry 3 stars and Paper Moons 5 stars.", "rejects"),
    (_FIVE, "Ferries are ships that carry people and cars.", "unclear"),
    # -- stars that were given -----------------------------------------------------------------
    (_THREE, "I do. It had good moments and weak ones.", "accepts"),
    (_THREE, "Of course, three is just what it deserves.", "accepts"),
    (_THREE, "Three? I am sure that I gave it a five.", "rejects"),
    (_THREE, "No, I have changed my mind, though three is what I gave.", "accepts"),
    (_THREE, "I gave it 4 stars because of the colours.", "rejects"),
    (_TWO, "Nothing in it held my attention.", "accepts"),
    (_TWO, "No story, no jokes and no end, that is why.", "accepts"),
    (_TWO, "That is not how it was, I quite enjoyed it.", "rejects"),
    (_TWO, "I do not remember any rating.", "unclear"),
    (_TWO, "It was 2 stars and not more, because I fell asleep.", "accepts"),
    # -- love and hate -------------------------------------------------------------------------
    (_FAN, "I am no fan of it at all.", "rejects"),
    (_FAN, "First of all the photography, then the music.", "accepts"),
    (_FAN, "I would praise nothing; it bored me.", "rejects"),
    (_FAN, "I gave it 1 star.", "rejects"),
    (_FAN, "I love Cold Harbour, it is my favourite film.", "accepts"),
    (_FAN, "What is a fan?", "unclear"),
    (_ENEMY, "I did not despise anything, I adored it from start to end.", "rejects"),
    (_ENEMY, "The endless talk of the two brothers.", "accepts"),
    (_ENEMY, "Despise is the wrong word. It is a treasure.", "rejects"),
    (_ENEMY, "It got 5 stars from me.", "rejects"),
    (_FOND, "It was about the way in which people listen to each other.", "accepts"),
    (_FOND, "Fond? It was a torment to sit through.", "rejects"),
    (_FOND, "I gave it 5 stars: it has a warm heart.", "accepts"),
    (_BORED, "It was slow and cold, and I looked at my watch all the time.", "accepts"),
    (_BORED, "But I enjoyed every minute of Long Winter!", "rejects"),
    (_BORED, "2 stars, I was bored.", "accepts"),
    # -- rated or not --------------------------------------------------------------------------
    (_MISSED, "I saw it last year and gave it 4 stars.", "rejects"),
    (_MISSED, "Yes, I still have to catch up with it.", "accepts"),
    (_MISSED, "I have seen it already, and I liked it.", "rejects"),
    (_MISSED, "It is on my list for the weekend.", "accepts"),
    (_NEW, "I am, friends keep telling me about it.", "accepts"),
    (_NEW, "I have seen it twice and gave it 4 stars.", "rejects"),
    (_NEW, "Not very, the subject does not interest me.", "accepts"),
    (_NEW, "Perhaps.", "unclear"),
    (_STRANGE, "I would, any time.", "accepts"),
    (_STRANGE, "I have not watched Iron Lake, so I gave it nothing.", "rejects"),
    (_STRANGE, "That title means nothing to me.", "rejects"),
    (_STRANGE, "Sure, 5 stars mean that I would see it again.", "accepts"),
    (_STRANGE, "I never rated it.", "rejects"),
)
