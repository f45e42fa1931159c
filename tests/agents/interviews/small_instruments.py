"""Instruments one can hold in the head."""

from agents.interviews.instruments import Instrument, Item, Trait

E, N = Trait("E", "extraversion"), Trait("N", "neuroticism")
ITEMS = (
    Item("e1", "I talk.", "E", 1),
    Item("e2", "I am silent.", "E", -1),
    Item("n1", "I worry.", "N", 1),
)


def small(**changes) -> Instrument:
    """Two factors, three items, answers no, maybe, yes."""
    fields = {"name": "small", "traits": (E, N), "items": ITEMS, "options": ("no", "maybe", "yes")}
    return Instrument(**{**fields, **changes})
