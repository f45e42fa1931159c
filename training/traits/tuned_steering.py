"""Where and how strongly to steer: tried on training topics that no direction was computed from."""

from collections.abc import Sequence
from typing import NamedTuple

from simenv.events import FloatArray
from training.opinion_qa.opinions import Label
from training.traits.evaluation import Item, likelihoods, success
from training.traits.speaker import Plain, Speaker
from training.traits.steering import Steered, moved, num_layers

DEPTHS = (0.33, 0.5, 0.67)  # of the model, where states still turn into words
STRENGTHS = (0.05, 0.1, 0.2, 0.4)  # of a state's own length


class Chosen(NamedTuple):
    """The layer and the strength with the highest edit success."""

    layer: int
    strength: float
    es: float  # mean over the items it was chosen on


def chosen_steering(
    speaker: Speaker,
    found: dict[str, FloatArray],
    label: Label,
    items: Sequence[Item],
    depths: Sequence[float] = DEPTHS,
    strengths: Sequence[float] = STRENGTHS,
) -> Chosen:
    """The best of a small grid by ES, which also pays for opinions that become unlikely.

    Args:
        speaker: who is steered.
        found: trait → direction.
        label: that is wanted.
        items: of the label, from training topics.
        depths: layers that are tried, as shares of all.
        strengths: that are tried.
    """
    before = likelihoods(speaker, Plain(), items)
    layers = sorted({round(depth * (num_layers(speaker) - 1)) for depth in depths})
    tried = []
    for layer in layers:
        for strength in strengths:
            way = Steered(speaker, moved(found, [label], strength), layer)
            es = float(success(before, likelihoods(speaker, way, items))[:, 0].mean())
            tried.append(Chosen(layer, strength, es))
    return max(tried, key=lambda one: one.es)
