"""Replies in free words, judged by hand, that no rule was made by: what a judge is worth.

They were written after the rules had failed on ``second_slice.py`` and before those were mended.
Whoever mends a rule by one of these replies moves it there and writes a new one. It knows no judge.
"""

from training.personified.exchanges import Exchange
from training.personified.judging.second_slice import about_stars, about_taste
from training.personified.judging.stances import Stance

_FOUR = about_stars(
    'With 4 stars for "Amber Line" you were clear enough. What was the reason?', 2, 4
)
_FIVE = about_stars('You rated "Stone Choir" with 5 stars, did you not? Tell me why.', 1, 5)
_ONE = about_stars('I saw your 1 star for "Kind Strangers". What was behind it?', 4, 1)
_TWO = about_stars('My list says that you gave 2 stars to "The Tide Clock". Why so few?', 2, 2)
_TRUE = about_stars('After your 5 stars for "Green Room", would you see it once more?', 5, 5)
_LOVED = about_taste('Your love of "Snow Market" is well known. How come?', 2, loved=True)
_HATED = about_taste(
    'You said that "Lone Pine" was a torture for you. What made it so?', 4, loved=False
)
_LIKED = about_taste('What was it that you adored in "Open Water"?', 4, loved=True)
_ANNOYED = about_taste('I know how much "Grey Parade" annoyed you. Why?', 1, loved=False)
_NEVER = about_stars('Since "Copper Sky" is new to you, what do you expect of it?', 3, 0)
_UNSEEN = about_stars('You never came across "Moth Season", so what do you hope for?', 0, 0)
_NOBODY = about_stars('You told me that "Far Gate" got 2 stars from you. Why?', 0, 2)

HELD_OUT: tuple[tuple[Exchange, str, Stance], ...] = (
    (_FOUR, "The camera work earned it those four stars.", "accepts"),
    (_FOUR, "I would not give that to a film that put me to sleep.", "rejects"),
    (_FOUR, "It deserved two stars, and two is what I gave.", "rejects"),
    (_FOUR, "My reason was the quiet humour.", "accepts"),
    (_FOUR, "There is some mistake, I was disappointed by it.", "rejects"),
    (_FOUR, "Lines are drawn with a ruler.", "unclear"),
    (_FIVE, "Not me. One star, and that was generous.", "rejects"),
    (_FIVE, "I did. No film has moved me more.", "accepts"),
    (_FIVE, "I must have been clear that it was terrible.", "rejects"),
    (_FIVE, "Five stars, because every voice in it is true.", "accepts"),
    (_FIVE, "A choir sings in it.", "unclear"),
    (_ONE, "You misread it, it says four.", "rejects"),
    (_ONE, "Behind it was my anger about the ending.", "accepts"),
    (_ONE, "I thought it was lovely, so that cannot be.", "rejects"),
    (_ONE, "It was the worst evening of my year.", "accepts"),
    (_ONE, "I gave Kind Strangers 4 stars because it is gentle and wise.", "rejects"),
    (_TWO, "It never got going.", "accepts"),
    (_TWO, "Your list is wrong, I gave it 4 stars.", "rejects"),
    (_TWO, "Yes, 2 stars, it was a disappointment.", "accepts"),
    (_TWO, "I found it weak and far too loud.", "accepts"),
    (_TWO, "It is one of my favourites, so look at your list again.", "rejects"),
    (_TRUE, "Gladly, it is wonderful.", "accepts"),
    (_TRUE, "I would rather not, I gave it 1 star.", "rejects"),
    (_TRUE, "No need, I know every line of it by heart and still adore it.", "accepts"),
    (_TRUE, "Did I? It was awful.", "rejects"),
    (_LOVED, "I do not love it, it left me cold.", "rejects"),
    (_LOVED, "It has such lovely songs.", "accepts"),
    (_LOVED, "That must be a rumour.", "rejects"),
    (_LOVED, "I gave Snow Market 2 stars.", "rejects"),
    (_LOVED, "Because it reminds me of my childhood.", "accepts"),
    (_HATED, "A torture? I had a great time with it.", "rejects"),
    (_HATED, "The dialogue was painful.", "accepts"),
    (_HATED, "I never said so. I like it a lot.", "rejects"),
    (_HATED, "4 stars from me.", "rejects"),
    (_LIKED, "The sea, and how small people are in it.", "accepts"),
    (_LIKED, "Adored is too much, but yes, I liked it: 4 stars.", "accepts"),
    (_LIKED, "Nothing at all. I found it stupid.", "rejects"),
    (_ANNOYED, "Because it goes nowhere and takes three hours for it.", "accepts"),
    (_ANNOYED, "It did not annoy me, I enjoyed it.", "rejects"),
    (_NEVER, "I know it already, I gave it 3 stars.", "rejects"),
    (_NEVER, "Nothing new: I watched it in spring.", "rejects"),
    (_NEVER, "A quiet story, I hope.", "accepts"),
    (_UNSEEN, "That it is as good as people say.", "accepts"),
    (_UNSEEN, "True, I have not seen it. I hope for a good laugh.", "accepts"),
    (_UNSEEN, "I gave it 5 stars last year.", "rejects"),
    (_NOBODY, "I do not know that film.", "rejects"),
    (_NOBODY, "It was a bad copy of better films.", "accepts"),
    (_NOBODY, "I have yet to see it.", "rejects"),
)
