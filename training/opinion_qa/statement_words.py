"""Words of statements about what somebody is like and does, for each trait and pole.

A trait classifier learns from them. They were written apart from the words of ``words.py``: those
give opinions of topics, these tell of people and of days. It draws nothing.
"""

from typing import NamedTuple


class Told(NamedTuple):
    """What is told of people of one label."""

    adjectives: tuple[str, ...]
    deeds: tuple[str, ...]  # go on after "I"
    feelings: tuple[str, ...]  # whole sentences


PLACES = (
    "at work", "on holiday", "at home", "at school", "on the weekend", "in the evening",
    "with my family", "in a new town", "during the week", "at the shop", "on the phone",
    "before breakfast",
)  # fmt: skip

FRAMES = (
    "People call me {x} and {y}. {place}, I {d}.",
    "I am rather {x}. {place}, I usually {d}. {f}",
    "{f} I {d} {low}.",
    "My sister would say that I am {x}; last week I {d} again.",
    "{f} {g}",
    "I {d}, and I {e}. That is how {x} I am.",
    "{place} I am {x} as always. {f}",
    "It is true, I {d}. {f}",
)

TOLD: dict[tuple[str, str], Told] = {
    ("openness", "high"): Told(
        ("imaginative", "curious", "inventive", "artistic", "open to new experiences", "creative"),
        (
            "try dishes that nobody can name", "paint, write verses and invent melodies",
            "ask what lies behind things", "wander into galleries and bookshops",
            "dream up new ideas and strange worlds", "pick the path that I have never walked",
        ),
        (
            "Novelty excites me.", "I am fascinated by art, beauty and unusual thoughts.",
            "I love to explore and to imagine how things could be different.",
            "Abstract questions and foreign cultures interest me deeply.",
            "Something original always wakes my curiosity.",
        ),
    ),
    ("openness", "low"): Told(
        ("conventional", "down to earth", "set in my ways", "traditional", "practical"),
        (
            "order the same meal as every time", "keep to the routine of thirty years",
            "skip poems and paintings", "turn down whatever is unfamiliar",
            "do it the way it has always been done", "go to the same place every summer",
        ),
        (
            "I dislike change.", "I do not care for art or for abstract ideas.",
            "The familiar and proven way is the one for me.", "New things do not interest me.",
            "I have little imagination and do not miss it.",
        ),
    ),
    ("conscientiousness", "high"): Told(
        ("organised", "dependable", "hard-working", "punctual", "careful", "self-disciplined"),
        (
            "write everything into my calendar", "arrive ten minutes early",
            "clear my desk and file each letter", "double-check every detail of the work",
            "prepare a schedule and follow it", "get my chores done before anything else",
        ),
        (
            "I keep my promises and meet each deadline.", "Order and diligence matter to me.",
            "I plan ahead and leave nothing to chance.", "I complete tasks properly and on time.",
            "A thorough and tidy job satisfies me.",
        ),
    ),
    ("conscientiousness", "low"): Told(
        ("careless", "disorganised", "lazy", "unreliable", "messy", "forgetful"),
        (
            "miss the deadline and shrug", "lose my keys and forget the appointment",
            "leave the dishes for days", "put off every chore until later",
            "quit halfway through the job", "act without any plan or preparation",
        ),
        (
            "I waste my time and cannot be bothered.", "My room is chaos.",
            "I rarely finish what I start.", "Schedules and duties are not for me.",
            "I improvise at the last minute, sloppily.",
        ),
    ),
    ("extraversion", "high"): Told(
        ("outgoing", "talkative", "sociable", "energetic", "cheerful and loud", "enthusiastic"),
        (
            "chat with everybody in the queue", "throw a party for the whole street",
            "jump on the stage and sing", "meet a dozen friends for a noisy night out",
            "start the conversation and keep it going", "dance in the middle of the crowd",
        ),
        (
            "I feel alive among people!", "I love company, laughter and excitement!",
            "Being the centre of attention is great fun!", "I make new friends everywhere.",
            "Action and lively groups give me energy.",
        ),
    ),
    ("extraversion", "low"): Told(
        ("quiet", "reserved", "shy", "withdrawn", "silent", "introverted"),
        (
            "stay in my room and read alone", "leave the party early and unseen",
            "say little and listen", "avoid crowds and noisy places",
            "wait until nobody is around", "eat by myself in a silent corner",
        ),
        (
            "Company tires me.", "I need solitude and quiet.", "I keep my thoughts private.",
            "I do not like to draw attention to myself.", "Large groups of people exhaust me.",
        ),
    ),
    ("agreeableness", "high"): Told(
        ("kind", "warm-hearted", "helpful", "considerate", "trusting", "generous"),
        (
            "help the neighbour carry her bags", "comfort whoever is sad",
            "share my lunch with a stranger", "give others the better seat",
            "listen with sympathy and forgive", "make peace when others quarrel",
        ),
        (
            "I care about the feelings of others.", "I believe in the good in people.",
            "It makes me happy to be of help.", "Cooperation and compassion come naturally to me.",
            "I would rather give in than hurt somebody.",
        ),
    ),
    ("agreeableness", "low"): Told(
        ("rude", "selfish", "cold", "quarrelsome", "suspicious", "cynical"),
        (
            "insult whoever stands in my way", "push in front of the queue",
            "laugh at the weak and pity nobody", "blame others and start an argument",
            "take advantage of those who trust me", "tell people that they are stupid",
        ),
        (
            "I do not care about other people's problems.", "Most people are idiots or liars.",
            "My own gain is what counts.", "I criticise and contradict for pleasure.",
            "I have no sympathy for losers.",
        ),
    ),
    ("neuroticism", "high"): Told(
        ("anxious", "nervous", "moody", "easily upset", "tense", "insecure"),
        (
            "worry until I feel ill", "panic when the telephone rings",
            "cry over a small mistake", "lie sleepless with fear",
            "imagine accidents and disasters", "fret about what they think of me",
        ),
        (
            "I am stressed and afraid most of the time.", "Everything is too much for me.",
            "My mood swings from bad to worse.", "I am terrified that something bad will happen.",
            "I feel helpless and full of dread.",
        ),
    ),
    ("neuroticism", "low"): Told(
        ("calm", "relaxed", "even-tempered", "composed", "self-assured", "unworried"),
        (
            "keep cool when the train breaks down", "sleep soundly before the exam",
            "take bad news with a steady hand", "forget a quarrel within the hour",
            "stay at ease while others panic", "handle pressure without stress",
        ),
        (
            "I seldom worry.", "Nothing upsets my balance.", "I feel secure and at peace.",
            "Stress runs off me.", "Setbacks leave me calm and content.",
        ),
    ),
}  # fmt: skip
