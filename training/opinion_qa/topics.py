"""What opinions are asked about, and the forms of the questions; it knows no trait.

The forms ask openly, so that an answer shows whoever gives it.
"""

from typing import NamedTuple

FORMS = (
    "What do you think of {t}?",
    "How do you feel about {t}?",
    "What is your opinion of {t}?",
    "What comes to your mind when you hear of {t}?",
    "Would you like to have more to do with {t}?",
    "A friend asks you about {t}. What do you say?",
    "How would you describe {t} to somebody new?",
    "What is your attitude to {t}?",
)


class Topic(NamedTuple):
    """Something to have an opinion of; ``aspects`` are parts of it that one may talk about."""

    name: str
    aspects: tuple[str, ...]


_KINDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("the route", "the people on the way", "the cost", "the hours in between"): (
        "night trains", "camping trips", "city bus rides", "hiking in the mountains", "road trips",
        "cruises", "weekends in a foreign city", "cycling to work", "hot air balloons",
    ),
    ("the story", "the way it is made", "the talk about it", "the ending"): (
        "silent films", "horror films", "crime novels", "musicals", "documentaries",
        "science fiction series", "poetry readings", "puppet theatre", "old westerns",
        "cartoons for adults", "films without music",
    ),
    ("the sound", "the players", "the crowd", "the evening after it"): (
        "jazz concerts", "street music", "choirs", "opera", "music festivals", "karaoke nights",
        "brass bands", "piano lessons",
    ),
    ("the taste", "the recipe", "the table", "the shopping for it"): (
        "vegetarian food", "street food", "home baked bread", "dinner parties", "spicy soup",
        "cooking classes", "fast food", "breakfast in bed", "farmers' markets",
    ),
    ("the rules", "the other players", "the practice", "the score"): (
        "chess clubs", "team sports", "video games", "board game evenings", "early morning runs",
        "dance classes", "swimming in a lake", "quiz nights", "climbing halls", "table tennis",
    ),
    ("the tasks", "the colleagues", "the deadlines", "the meetings"): (
        "working from home", "open plan offices", "volunteer work", "evening school",
        "public speaking", "group projects", "starting a company", "learning a language",
        "job interviews", "long contracts",
    ),
    ("the noise", "the neighbours", "the bills", "the rooms"): (
        "small flats", "shared houses", "life in the country", "life in a big city", "gardening",
        "house pets", "second hand furniture", "doing repairs oneself", "moving house",
    ),
    ("the settings", "the news about it", "the price", "what others do with it"): (
        "smartphones", "online shopping", "self driving cars", "social networks", "robots at home",
        "electric bicycles", "video calls", "digital diaries", "smart watches",
    ),
    ("the guests", "the preparations", "the speeches", "the day after"): (
        "birthday parties", "weddings", "school reunions", "New Year's Eve", "village fairs",
        "family dinners", "surprise visits", "charity runs",
    ),
    ("the idea", "the history", "the people behind it", "the future of it"): (
        "modern art", "space travel", "museums", "local politics", "free public transport",
        "the four day week", "ancient history", "school uniforms", "astronomy",
    ),
}  # fmt: skip

TOPICS = tuple(Topic(name, aspects) for aspects, names in _KINDS.items() for name in names)
