"""Instruments, settings and people whose interviews one can hold in the head."""

import re

from agents.interviews.instruments import AGREEMENT_5, FACTORS, Instrument, Item, Trait
from experiments.interviews.settings import Settings

DICHOTOMIES = ("EI", "SN", "TF", "JP")
TYPES = Instrument(
    "types",
    tuple(Trait(d, d, d[0], d[1]) for d in DICHOTOMIES),
    tuple(Item(f"{d}{k}", f"I am {d[(1 - k) // 2]}.", d, k) for d in DICHOTOMIES for k in (1, -1)),
    scoring="types",
)
BIG_FIVE = Instrument(
    "five",
    tuple(Trait(f, title) for f, title in FACTORS.items()),
    tuple(
        Item(f"{f}{k}", f"I have {'much' if k > 0 else 'little'} {title}.", f, k)
        for f, title in FACTORS.items()
        for k in (1, -1)
    ),
)
SETTINGS = Settings(
    models={"known": "known"}, populations={}, people=1, types=TYPES, factors=BIG_FIVE,
    levels=(2, -2), temperatures=(0.01, 1.0), repetitions=6, answers="scored", retries=0,
    max_new_tokens=4, order="permuted", rounds=2, wordings=(0,), chat=False, seed=0,
    race={"people": 0, "items": 0},
)  # fmt: skip
STRONGLY, NEVER = {AGREEMENT_5[-1]: 40.0}, {AGREEMENT_5[0]: 40.0}


def believes(request):
    """Agrees with what fits the told type or factor; in the middle where nothing was told."""
    told = re.search(r"type ([A-Z]{4})", request.prefix)
    about = re.search(r"I am ([A-Z])\.", request.suffix)
    if told and about:
        return STRONGLY if about[1] in told[1] else NEVER
    factor = re.search(r"very (high|low) in (\w+)", request.prefix)
    much = re.search(r"I have (much|little) (\w+)\.", request.suffix)
    if factor and much and factor[2] == much[2]:
        return STRONGLY if (factor[1] == "high") == (much[1] == "much") else NEVER
    return {AGREEMENT_5[2]: 40.0}


def deaf(request):
    """Agrees strongly with one pole of everything, whoever it is told to be."""
    about = re.search(r"I am ([A-Z])\.", request.suffix)
    return STRONGLY if about and about[1] in "ENFJ" else NEVER
