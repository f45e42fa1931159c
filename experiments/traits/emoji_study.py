"""What trained adapters do to emojis: how many come, by which neurons, and what keeps them out.

Of every adapter and seed: emojis of its answers beside the model's as it is; the chance of an emoji
in the next token at every place of held-out answers, which hold none; the neurons of the deepest
layer whose activation changed most on *training* topics, silenced on held-out ones against as many
random neurons; the words that stand for the trait; and the same answers with the guard on. What was
measured is on disk. Source: arXiv 2409.10245, with the ablation as a test of its explanation.

Letters: ``t`` held-out items, ``f`` neurons.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from agents.emojis.detection import emoji_rates, has_emoji
from agents.emojis.neurons import Ablation, ablate, emoji_mass, mean_activations, most_changed
from agents.inference.engine import Sampling
from agents.personality.token_probe import most_frequent, probe_question
from experiments.reporting.formatting import rounded
from experiments.traits.cells import PLAIN, Cells, key_of
from experiments.traits.study import Study
from experiments.traits.ways import Ways
from simenv.whole_files import write_whole
from training.opinion_qa.opinions import Label, of_label, split_by_topic
from training.traits.evaluation import Item, items_of
from training.traits.opinion_training import Adapted
from training.traits.prompting import DESCRIPTIONS
from training.traits.speaker import Asked, Plain, Sample, Speaker, Way

NEURONS = 16  # looked for, at most a quarter of the layer's
NUM_RANDOM = 20  # sets of as many random neurons
PROBED = 20  # answers of the token probe
PASSES = NUM_RANDOM + 5  # over the items: two of activations, mass before, intact, silenced
_PROBE = Sampling(max_new_tokens=60, temperature=0.7)


class EmojiCell(NamedTuple):
    """Of one adapter and seed; before = the model as it is, on the same items and seeds."""

    with_emoji: list[list[int]]  # before, after: of each answer (t,), whether it holds an emoji
    per_sentence: list[float | None]  # before, after
    mass: list[list[float]]  # before, after: chance of an emoji (t,), mean over an answer's places
    neurons: list[int]  # those found, the most changed first
    drop: float | None  # share of the mass that goes with them; None = there was none
    random_drops: list[float | None]  # of each random set
    p_value: float  # that random neurons take as much
    tokens: list[list[tuple[str, int]]]  # before, after: of the probe
    guarded: list[int]  # (t,) whether an answer holds an emoji with the guard on
    unchanged: float | None  # share of the answers without emoji that the guard leaves as they are


EmojiCells = dict[tuple[int, Label], EmojiCell]


class _Explained(NamedTuple):
    mass: list[list[float]]
    neurons: list[int]
    without: Ablation


def studied(study: Study, speaker: Speaker, cells: Cells, say: Callable[[str], None]) -> EmojiCells:
    """Every adapter of a study, from the disk or measured now.

    Args:
        study: whose adapters; those that are not there are trained.
        speaker: the base model; as it was afterwards.
        cells: what was said, by way.
        say: gets each adapter's name before it is measured.
    """
    found: EmojiCells = {}
    for seed in study.seeds:
        of_seed = _SeedEmojis(study, speaker, seed)
        for label in study.labels:
            say(f"seed {seed}, {label}, emojis")
            said = [cells[seed, way, label].texts for way in (PLAIN, "adapter")]
            found[seed, label] = of_seed.cell(label, said)
    return found


class _SeedEmojis:
    """The adapters of one seed."""

    def __init__(self, study: Study, speaker: Speaker, seed: int) -> None:
        self._study, self._speaker, self._seed = study, speaker, seed
        self._split = split_by_topic(study.opinions, study.test_share, seed)
        self._ways = Ways(study, speaker, self._split.train, seed)

    def cell(self, label: Label, said: Sequence[Sequence[str]]) -> EmojiCell:
        """From the disk, or measured now; ``said`` are the answers before and after."""
        path = self._study.folder / "emojis" / f"{self._seed}, {label}.json"
        key = key_of(self._study, self._seed)
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept.pop("key") == key:
                return EmojiCell(**kept)
        found = self._measured(label, said)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps({"key": key, **found._asdict()}, allow_nan=False))
        return found

    def _measured(self, label: Label, said: Sequence[Sequence[str]]) -> EmojiCell:
        speaker, items = self._speaker, items_of(self._split.test, label)
        adapted = Adapted(speaker, self._ways.trained(label))
        seeds = np.arange(len(items), dtype=np.uint64)
        how = replace(self._study.sampling, emojis=False)
        quiet = speaker.say(adapted, [item.asked for item in items], seeds, how)
        found = self._explained(label, adapted, items)
        return EmojiCell(
            with_emoji=[[int(has_emoji(text)) for text in texts] for texts in said],
            per_sentence=[rounded(emoji_rates(texts).per_sentence) for texts in said],
            mass=found.mass,
            neurons=found.neurons,
            drop=rounded(found.without.drop),
            random_drops=[rounded(float(drop)) for drop in found.without.random_drops],
            p_value=found.without.p_value,
            tokens=[_probed(speaker, way, label) for way in (Plain(), adapted)],
            guarded=[int(has_emoji(text)) for text in quiet],
            unchanged=_unchanged(said[1], quiet),
        )

    def _explained(self, label: Label, adapted: Way, items: Sequence[Item]) -> _Explained:
        """Mass before and after, the neurons that changed, and what goes without them."""
        speaker, guard = self._speaker, self._speaker.emoji_guard
        held_out = [_sample(speaker, one.asked, one.targets[0]) for one in items]
        rows, starts = [_ids(s) for s in held_out], [len(s.prompt) for s in held_out]
        own = of_label(self._split.train, label)[: len(items)]
        known = [_ids(_sample(speaker, Asked(o.topic, o.question), o.answer)) for o in own]
        before = mean_activations(speaker.model, known)
        mass = emoji_mass(speaker.model, rows, guard, starts)
        with adapted.at_work():
            after = mean_activations(speaker.model, known)
            neurons = most_changed(before, after, min(NEURONS, len(before) // 4))
            drawn = {"num_random": NUM_RANDOM, "seed": self._seed}
            without = ablate(speaker.model, rows, guard, neurons, starts=starts, **drawn)
        return _Explained([mass.tolist(), without.intact.tolist()], neurons.tolist(), without)


def _probed(speaker: Speaker, way: Way, label: Label) -> list[tuple[str, int]]:
    """The most frequent words and emojis that stand for the label."""
    asked = Asked("words", probe_question(DESCRIPTIONS[label]))
    seeds = np.arange(PROBED, dtype=np.uint64)
    return most_frequent(speaker.write(way, [asked] * PROBED, seeds, _PROBE)).tokens


def _unchanged(said: Sequence[str], quiet: Sequence[str]) -> float | None:
    same = [a == b for a, b in zip(said, quiet, strict=True) if not has_emoji(a)]
    return rounded(float(np.mean(same))) if same else None


def _sample(speaker: Speaker, asked: Asked, answer: str) -> Sample:
    return speaker.sample(Plain().conversation(asked), answer)


def _ids(sample: Sample) -> list[int]:
    return sample.prompt + sample.answer
