"""Words for invented films: titles, names and summaries that carry an item's attributes."""

from dataclasses import dataclass

import numpy as np

GENRES = (
    "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller",
    "War", "Western",
)  # fmt: skip

# Each tone is a latent attribute of an item; any of its words in the summary gives it away.
TONES = (
    ("witty", "clever", "playful", "sly"),
    ("bleak", "dark", "grim", "haunting"),
    ("tender", "gentle", "warm", "touching"),
    ("fast", "furious", "breathless", "explosive"),
    ("slow", "quiet", "patient", "dreamlike"),
    ("epic", "sweeping", "grand", "lavish"),
    ("strange", "surreal", "bizarre", "puzzling"),
    ("sad", "bitter", "mournful", "tragic"),
)

_ADJECTIVES = (
    "Silent", "Golden", "Broken", "Last", "Hidden", "Crimson", "Empty", "Distant", "Burning",
    "Frozen", "Secret", "Lonely", "Wild", "Blue", "Fallen", "Electric", "Paper", "Midnight",
    "Savage", "Perfect", "Lost", "Second", "Iron", "Glass", "Velvet", "Hollow", "Bright", "Stolen",
    "Ancient", "Final", "Little", "Great", "White", "Black", "Red", "Dangerous", "Happy",
    "Invisible", "Endless", "Sweet",
)  # fmt: skip
_NOUNS = (
    "Harbor", "River", "Garden", "Station", "Mirror", "Winter", "Summer", "Road", "City", "Letter",
    "Promise", "Shadow", "Kingdom", "Machine", "Island", "Orchard", "Bridge", "Circus", "Desert",
    "Engine", "Forest", "Ghost", "Heart", "Hotel", "House", "Hunter", "Journey", "Lighthouse",
    "Moon", "Mountain", "Ocean", "Orchestra", "Planet", "Prisoner", "Queen", "Rain", "Sailor",
    "School", "Soldier", "Song", "Spy", "Star", "Storm", "Stranger", "Street", "Thief", "Tower",
    "Train", "Valley", "Village", "Voice", "War", "Wedding", "Widow", "Wind", "Window", "Wolf",
    "Night", "Day", "Man", "Woman", "Boy", "Girl", "Dog", "King", "Game", "Affair", "Land",
)  # fmt: skip
_FIRST = (
    "Ada", "Ben", "Clara", "Daniel", "Elena", "Frank", "Grace", "Hugo", "Irene", "James", "Kate",
    "Leo", "Maria", "Noah", "Olga", "Paul", "Quentin", "Rosa", "Sam", "Tessa", "Uma", "Victor",
    "Wanda", "Xavier", "Yara", "Zoe", "John", "Robert", "Michael", "Julia", "Tom", "Meg",
)  # fmt: skip
_LAST = (
    "Abbott", "Barnes", "Castle", "Dunn", "Ellis", "Foster", "Grant", "Hale", "Ives", "Jensen",
    "Keller", "Lang", "Moss", "North", "Olsen", "Price", "Quinn", "Reyes", "Stone", "Tate",
    "Underwood", "Vance", "Walsh", "Young", "Zeller", "Marsh", "Field", "Brook", "Crane", "Doyle",
)  # fmt: skip
_HEROES = (
    "a sailor", "a teacher", "two sisters", "a detective", "a clerk", "a singer", "a doctor",
    "an orphan", "a lawyer", "old friends", "a soldier", "a thief", "a widow", "a scientist",
    "a family", "a reporter",
)  # fmt: skip
_PLOTS = {
    "Action": "must fight a way out",
    "Adventure": "crosses an unknown land",
    "Animation": "meets talking animals",
    "Children's": "learns about friendship",
    "Comedy": "stumbles through many mistakes",
    "Crime": "is drawn into a robbery",
    "Documentary": "is followed for a year",
    "Drama": "faces a family secret",
    "Fantasy": "finds a kingdom of magic",
    "Film-Noir": "falls for the wrong person",
    "Horror": "is hunted in an old house",
    "Musical": "sings through a hard season",
    "Mystery": "looks into a disappearance",
    "Romance": "falls in love",
    "Sci-Fi": "wakes far from Earth",
    "Thriller": "has one night to escape",
    "War": "tries to survive the front",
    "Western": "rides into a lawless town",
}


_SYLLABLES = tuple(c + v + e for c in "bcdfghklmnprstvwz" for v in "aeiou" for e in ("", "n", "r"))


@dataclass(frozen=True)
class Words:
    """A vocabulary of invented titles, names and tone words."""

    adjectives: tuple[str, ...]
    nouns: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]
    tones: tuple[tuple[str, ...], ...]

    def title(self, rng: np.random.Generator) -> str:
        """An invented title of one to five words."""
        adjective, noun, other = (
            str(rng.choice(words)) for words in (self.adjectives, self.nouns, self.nouns)
        )
        patterns = (
            f"The {adjective} {noun}",
            f"{adjective} {noun}",
            f"{noun} of the {other}",
            f"The {noun} and the {other}",
            f"{adjective} {noun}s",
            f"The {noun}",
        )
        return patterns[rng.integers(len(patterns))]

    def unused_title(self, rng: np.random.Generator, taken: set[str]) -> str:
        """A title that is not ``taken`` and is from now on; sequels are numbered, as in life."""
        name = self.title(rng)
        part = 2
        unique = name
        while unique in taken:
            unique, part = f"{name} {part}", part + 1
        taken.add(unique)
        return unique

    def people(self, rng: np.random.Generator, number: int) -> list[str]:
        """Distinct invented names."""
        width = len(self.last)
        pairs = rng.permutation(len(self.first) * width)[:number]
        return [f"{self.first[p // width]} {self.last[p % width]}" for p in pairs]

    def summary(
        self, rng: np.random.Generator, tones: tuple[int, ...], genres: tuple[str, ...]
    ) -> str:
        """One sentence that names the tones and shows one of the genres."""
        mood = " ".join(str(rng.choice(self.tones[t])) for t in tones)
        plot = _PLOTS[str(rng.choice(genres))]
        return f"{mood.capitalize()} story: {rng.choice(_HEROES)} {plot}."


PLAIN = Words(_ADJECTIVES, _NOUNS, _FIRST, _LAST, TONES)


def foreign(rng: np.random.Generator) -> Words:
    """Words nobody has seen, so that readers learn what to do with names they do not know."""

    def invented(number: int) -> tuple[str, ...]:
        syllables = rng.choice(_SYLLABLES, size=(number, 3))
        lengths = rng.integers(1, 4, size=number)
        return tuple("".join(s[:n]).capitalize() for s, n in zip(syllables, lengths, strict=True))

    tones = tuple(tuple(w.lower() for w in invented(4)) for _ in TONES)
    return Words(invented(40), invented(68), invented(32), invented(30), tones)
