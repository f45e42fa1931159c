"""Who tells people without a model, by the style of their prompts."""

from dataclasses import replace

from agents.prompt_style import PromptStyle
from simenv.catalog import Catalog
from simenv.item_averages import ItemAverages
from training.distillation.in_words.words_distiller import WordsDistiller
from training.distillation.offline import OfflineDistiller

Teller = OfflineDistiller | WordsDistiller


def teller(style: PromptStyle, catalog: Catalog, averages: ItemAverages) -> Teller:
    """The distiller whose people a style shows: numbers by the one, words by the other."""
    if style.told == "words":
        return WordsDistiller(catalog, averages)
    return OfflineDistiller(catalog, averages)


def style_for(distiller: object, style: PromptStyle) -> PromptStyle:
    """The style that shows what a distiller writes."""
    return replace(style, told="words") if isinstance(distiller, WordsDistiller) else style
