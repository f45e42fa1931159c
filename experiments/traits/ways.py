"""The ways of one seed: trained, drawn or computed from training topics when first wanted."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from experiments.traits.study import Study
from simenv.events import FloatArray
from simenv.seeding import Stream, generator
from training.opinion_qa.opinions import Label, Opinion, drawn, of_label, split_by_topic
from training.traits.composition import composed
from training.traits.editor_network import MendEditors
from training.traits.evaluation import items_of
from training.traits.opinion_training import Adapted, train_trait
from training.traits.prompting import Demonstrations, SystemPrompt
from training.traits.speaker import Speaker, Way
from training.traits.steering import Steered, directions, moved
from training.traits.tuned_steering import Chosen, chosen_steering

METHODS = ("prompt", "demonstrations", "mend", "steering", "adapter")
PAIR = "pair"  # of the label with the same pole of the next trait
_TUNED_ON = 6  # items on which steering is tried


def names_of(study: Study) -> list[str]:
    """Every way of a study: its methods, adapters scaled, and pairs of traits at once."""
    names = list(study.methods)
    if "adapter" in names:
        names += [f"adapter x{weight:g}" for weight in study.intensities]
    pairs = [f"{name} {PAIR}" for name in ("steering", "adapter") if name in study.methods]
    return names + (pairs if study.pairs and len(study.traits) > 1 else [])


def partner(study: Study, label: Label) -> Label:
    """The same pole of the next trait of a study (the first after the last), where it is there."""
    ring = [own for own in study.labels if own.pole == label.pole]
    return ring[(ring.index(label) + 1) % len(ring)]


class Ways:
    """What brings the model to show a label.

    Args:
        study: whose settings.
        speaker: the base model.
        train: opinions of training topics; nothing else is learnt from.
        seed: of every training and draw.

    Attributes:
        chosen: (method, label) → what was chosen for it.
    """

    def __init__(self, study: Study, speaker: Speaker, train: Sequence[Opinion], seed: int) -> None:
        self._study, self._speaker, self._train, self._seed = study, speaker, train, seed
        self.chosen: dict[tuple[str, Label], dict[str, Any]] = {}
        self._tuned: dict[Label, Chosen] = {}

    def way(self, method: str, label: Label) -> Way:
        """The way of that name; see ``names_of``.

        Raises:
            ValueError: there is no such method.
        """
        name, _, more = method.partition(" ")
        if name not in METHODS:
            raise ValueError(f"experiment.methods wanted some of {', '.join(METHODS)}, got {name}")
        if name == "prompt":
            return SystemPrompt(label)
        if name == "demonstrations":
            rng = generator(self._seed, Stream.OPINION_DEMONSTRATIONS)
            own = of_label(self._train, label)
            return Demonstrations(label, drawn(own, self._study.shown, rng))
        if name == "mend":
            return self._editors.way(label, self._train)
        if name == "steering":
            return self._steered(label, method, more == PAIR)
        return Adapted(self._speaker, self._adapter(label, more))

    def trained(self, label: Label) -> Path:
        """Folder of the label's adapter; trained now if it is not there."""
        folder = self._study.folder / "adapters" / f"{label} {self._seed}".replace(" ", "-")
        train_trait(
            self._study.base, of_label(self._train, label), self._study.preset, folder,
            seed=self._seed,
        )  # fmt: skip
        return folder

    def _adapter(self, label: Label, more: str) -> Path:
        own = self.trained(label)
        if not more:
            return own
        parts: dict[str | Path, float] = {own: 1.0}
        if more == PAIR:
            parts[self.trained(partner(self._study, label))] = 1.0
        else:
            parts[own] = float(more.removeprefix("x"))
        return composed(parts, own.with_name(f"{own.name}-{more}"))

    def _steered(self, label: Label, method: str, both: bool) -> Way:
        found, tune = self._directions
        if label not in self._tuned:
            items = items_of(tune, label)[:_TUNED_ON]
            self._tuned[label] = chosen_steering(self._speaker, found, label, items)
        chosen = self._tuned[label]
        self.chosen[method, label] = chosen._asdict()
        labels = [label, partner(self._study, label)] if both else [label]
        return Steered(self._speaker, moved(found, labels, chosen.strength), chosen.layer)

    @cached_property
    def _directions(self) -> tuple[dict[str, FloatArray], list[Opinion]]:
        """Directions of all traits, and the opinions that are kept to choose strengths on."""
        parts = split_by_topic(self._train, 0.2, self._seed)
        return directions(self._speaker, parts.train, self._study.traits), parts.test

    @cached_property
    def _editors(self) -> MendEditors:
        editors = MendEditors(self._speaker, self._study.editor, self._seed)
        editors.train(self._train)
        return editors
