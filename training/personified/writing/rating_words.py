"""What the offline grammar says about ratings: questions, premises, answers; it draws nothing.

``{t}`` is a title in quotation marks, ``{s}`` the stars given, ``{c}`` stars that are claimed,
``{r}`` the reason, ``{g}`` a genre; ``{k}`` and ``{ks}`` one item and several, ``{v}``, ``{see}``
and ``{seen}`` what one does with it: the words of the domain (``item_words``). Questions of
``test`` are asked of nobody in training.
"""

from typing import NamedTuple


class Forms(NamedTuple):
    """Wordings to learn from, and others to be judged on."""

    train: tuple[str, ...]
    test: tuple[str, ...]


ABOUT = Forms(
    (
        "What did you think of {t}?", "How did you like {t}?", "How many stars did you give {t}?",
        "Tell me about {t}. What is your opinion?", "Was {t} worth your time?",
        "What stayed with you of {t}?", "Would you {v} {t} again?",
        "How did you rate {t}, and why?", "What would you tell a friend about {t}?",
        "I am about to start {t}. What did you make of it?",
    ),
    ("What is your honest view of {t}?", "Which rating did {t} get from you?"),
)  # fmt: skip
GENRE = Forms(
    (
        "What do you think of {g} {ks}?", "Do you enjoy {g}?", "Is {g} something for you?",
        "How do {g} {ks} usually do with you?", "Should I show you a {g} {k} tonight?",
        "What is your taste in {g}?",
    ),
    ("Do you like {g} {ks}?", "How much is {g} to your taste?"),
)  # fmt: skip
PRAISE = Forms(
    (
        "I think {t} is wonderful, everybody should {see} it.",
        "For me {t} is a masterpiece from beginning to end.",
        "{t} is the best {k} I know, do you not agree?",
        "I could talk for hours about how good {t} is.",
        "Whoever does not love {t} has no heart.",
        "In my opinion {t} deserves every award.",
        "I was delighted by {t}; there is nothing to complain about.",
    ),
    ("{t} is great, and nobody can deny it.", "I adore {t}. You surely do too?"),
)  # fmt: skip
PAN = Forms(
    (
        "I think {t} is a waste of time.", "For me {t} is a failure from beginning to end.",
        "{t} bored me to tears, do you not agree?", "I cannot see what anybody finds in {t}.",
        "Whoever likes {t} has never {seen} a good {k}.", "In my opinion {t} should be forgotten.",
        "I was annoyed by {t}; there is nothing good about it.",
    ),
    ("{t} is awful, and nobody can deny it.", "I hated {t}. You surely did too?"),
)  # fmt: skip
STARS_CLAIM = Forms(
    (
        "Since you gave {t} {c}, what made you decide so?",
        "You told me that {t} got {c} from you. Why?",
        "I saw your {c} for {t}. What was behind it?",
        "Your rating of {t} was {c}, I remember. Do you stand by it?",
        "After your {c} for {t}, would you {see} it once more?",
        "Explain your {c} for {t} to me.",
        "My list says that you gave {c} to {t}. What convinced you?",
        "As {t} earned {c} from you, which part decided it?",
    ),
    (
        "With {c} for {t} you were clear enough. What was the reason?",
        "You rated {t} with {c}, did you not? Tell me why.",
    ),
)  # fmt: skip
LOVED = Forms(
    (
        "Since you loved {t}, which part did you like best?",
        "You said that {t} was a favourite of yours. What made it so?",
        "I know how much {t} pleased you. Why?", "As a fan of {t}, what would you praise first?",
        "You were so fond of {t}. What was it about?",
    ),
    ("What was it that you adored in {t}?", "Your love of {t} is well known. How come?"),
)  # fmt: skip
HATED = Forms(
    (
        "Since you hated {t}, which part was the worst?",
        "You said that {t} was a torture for you. What made it so?",
        "I know how much {t} annoyed you. Why?", "As an enemy of {t}, what would you blame first?",
        "You could not stand {t}. What was it about?",
    ),
    ("What was it that you despised in {t}?", "Your dislike of {t} is well known. How come?"),
)  # fmt: skip
NEVER = Forms(
    (
        "You have never rated {t}. Will you try it some day?",
        "As you do not know {t} yet, should I lend it to you?",
        "Since {t} is new to you, what do you expect of it?",
        "You never came across {t}, so what do you hope for?",
    ),
    ("{t} is still ahead of you. Are you curious?", "So far you have missed {t}, is that so?"),
)  # fmt: skip

CORRECTIONS = (
    "No, that is not right.", "That is a mistake.", "No, you mix something up.",
    "I have to correct you.", "No, I remember it otherwise.", "That is not what I said.",
    "No, that never happened.", "Not so.",
)  # fmt: skip
CONFIRMATIONS = (
    "Yes, that is right.", "Yes, I did.", "That is so.", "Yes, you remember it well.",
    "Right.", "Yes, and I stand by it.", "Quite so.", "Exactly.",
)  # fmt: skip
GAVE = (
    "I gave {t} {s}: {r}.", "{t} got {s} from me: {r}.", "My rating of {t} is {s}, since {r}.",
    "I rated {t} with {s}: {r}.", "It was {s} for {t}: {r}.",
)  # fmt: skip
GAVE_NOT = (
    "I gave {t} {s}, not {c}: {r}.", "{t} got {s} from me and not {c}: {r}.",
    "My rating of {t} is {s} instead of {c}, since {r}.", "It was {s} for {t}, never {c}: {r}.",
)  # fmt: skip
UNKNOWN = (
    "I have not rated {t}.", "I do not know {t} and never gave it any stars.",
    "{t} is not among those I have rated.", "I never rated {t}, so I have no opinion of it.",
)  # fmt: skip
AGREE = ("I agree.", "I see it the same way.", "You are right there.", "That is my view too.")
DISAGREE = (
    "I do not agree.", "I see it otherwise.", "There we differ.", "I cannot go along with that.",
)  # fmt: skip
BETWEEN = ("I stand in the middle.", "I would not go so far.", "I am of two minds there.")
VERDICTS = {
    5: ("I love it.", "It is among my favourites.", "I could not ask for more."),
    4: ("I like it.", "It was a good choice.", "I was pleased with it."),
    3: ("It was all right.", "I have {seen} better and worse.", "It left me half content."),
    2: ("I did not care for it.", "It let me down.", "I would not {see} it again."),
    1: ("I could not stand it.", "It was wasted time for me.", "I disliked all of it."),
}
GENRE_TASTE = {
    "like": ("I like {g}.", "{g} is something for me.", "{g} usually pleases me."),
    "mixed": ("I am of two minds about {g}.", "{g} can go either way with me.",
              "{g} is all right for me."),
    "dislike": ("I do not care for {g}.", "{g} is not for me.", "{g} usually lets me down."),
}  # fmt: skip
GENRE_PROOF = (
    "So far I gave such {ks} {m} stars on average, as {s} for {t}.",
    "{m} stars is my mean there; {t} got {s}.",
    "I think of {t} with {s}; my mean there is {m} stars.",
)
