"""Sentences of questionnaires and of situations, with the trait and pole that agreeing shows.

They are the second source of labelled texts: none of them stands in ``statements`` or in an
opinion, and the questionnaires' were written by psychologists (IPIP, public domain). Who learns
from them judges those who learnt from statements without having read the same words.
"""

from collections.abc import Sequence

from agents.interviews.instruments import FACTORS, Instrument
from agents.interviews.readers import instrument_named
from agents.personality.situations import high_options, shipped_situations
from training.opinion_qa.opinions import Label, all_labels
from training.opinion_qa.statements import Labelled

_QUESTIONNAIRES = ("ipip_50", "mini_ipip", "ipip_120")


def labelled_items(labels: Sequence[Label] | None = None) -> list[Labelled]:
    """Each sentence of the shipped questionnaires and situations once, in their order.

    Args:
        labels: None = both poles of all five traits.
    """
    wanted = set(all_labels() if labels is None else labels)
    found = [one for name in _QUESTIONNAIRES for one in _statements(instrument_named(name))]
    found += _options(shipped_situations())
    once = {one.text: one for one in reversed(found)}
    return [one for one in reversed(once.values()) if one.label in wanted]


def _statements(questionnaire: Instrument) -> list[Labelled]:
    return [
        Labelled(_label(item.trait, item.key > 0), item.text)
        for item in questionnaire.items
        if item.trait in FACTORS
    ]


def _options(situations: Instrument) -> list[Labelled]:
    """What people do in situations: two options show much of the trait, two show little."""
    return [
        Labelled(_label(item.trait, bool(high)), option)
        for item, own in zip(situations.items, high_options(situations), strict=True)
        for option, high in zip(situations.options_of(item), own, strict=True)
    ]


def _label(factor: str, high: bool) -> Label:
    return Label(FACTORS[factor], "high" if high else "low")
