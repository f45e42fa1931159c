"""The measures of personality editing, by their formulas: arrays in, numbers out.

ES, DD, Acc, TPEI, PAE and the filter of incoherent texts are PersonalityEdit's (arXiv 2310.02168,
as its code computes them); TA and PAE are those of arXiv 2409.10245. It knows no model and no text
but the words whose entropy is taken.

Letters: ``n`` texts, ``c`` labels, ``s`` seeds, ``t`` topics, ``v`` tokens of a vocabulary.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simenv.events import BoolArray, FloatArray, IntArray
from simenv.seeding import Stream, generator

LEAST_ENTROPY = 3.5  # of n-grams: a text below it repeats itself or is too short to judge
_GRAMS = ((2, 2 / 3), (3, 4 / 3))  # length of n-grams, weight of their entropy
_WORD = re.compile(r"\w+|[^\w\s]")
_LEAST = 1e-12  # probability in a cross-entropy
_LEVEL = (2.5, 97.5)


class EditSuccess(NamedTuple):
    """ES and its two parts, each in [0, 1]."""

    es: float  # z_per · z_topic
    z_per: float  # the target's answers are likelier than others'
    z_topic: float  # and not less likely than before


def edit_success(
    target: Sequence[FloatArray], others: Sequence[FloatArray], target_before: Sequence[FloatArray]
) -> EditSuccess:
    """ES = z_per · z_topic of one edit.

    z_per is the sigmoid of the mean log-probability of the target's answers minus that of others';
    z_topic = min(1, exp(mean of the target's answers after - before)).

    Args:
        target: log-probabilities of the tokens of each answer of the target, after the edit.
        others: likewise of answers of other labels.
        target_before: likewise of the target's, before the edit.
    """
    after, before = _mean_of_means(target), _mean_of_means(target_before)
    z_per = 1 / (1 + float(np.exp(_mean_of_means(others) - after)))
    z_topic = min(1.0, float(np.exp(after - before)))
    return EditSuccess(z_per * z_topic, z_per, z_topic)


def _mean_of_means(answers: Sequence[FloatArray]) -> float:
    """Tokens are averaged within an answer, then answers."""
    return float(np.mean([answer.mean() for answer in answers]))


def divergence(before: FloatArray, after: FloatArray) -> FloatArray:
    """KL(before ‖ after) in nats of log-probabilities (n, v); DD is its mean over tokens."""
    chances = np.exp(before)
    with np.errstate(invalid="ignore"):  # of what can never be said, which counts nothing
        costs = np.where(chances > 0, chances * (before - after), 0.0)
    return np.asarray(costs.sum(axis=-1))


def accuracy(chances: FloatArray, targets: IntArray) -> float:
    """Acc, or trait alignment (TA): share of texts (n, c) whose likeliest label is the target's."""
    return float(np.mean(chances.argmax(axis=1) == targets)) if len(targets) else float("nan")


def cross_entropies(chances: FloatArray, targets: IntArray) -> FloatArray:
    """(n,) -log P(target) of a classifier's chances (n, c), in nats."""
    own = chances[np.arange(len(targets)), targets]
    return np.asarray(-np.log(np.maximum(own, _LEAST)))


def tpei(before: FloatArray, after: FloatArray, targets: IntArray) -> FloatArray:
    """(n,) cross-entropy of the texts before an edit minus that of those after it.

    Args:
        before: (n, c) chances of the labels by a classifier, of the texts before.
        after: (n, c) of the texts after.
        targets: (n,) column of the label that was wanted.
    """
    return cross_entropies(before, targets) - cross_entropies(after, targets)


def n_gram_entropy(text: str) -> float:
    """Mean of the weighted entropies, in bits, of a text's pairs (2/3) and triples (4/3) of words.

    >>> round(n_gram_entropy("a b c d e"), 4)  # four pairs, three triples, each once
    1.7233
    """
    words = _WORD.findall(text.casefold())
    return float(np.mean([weight * _entropy(words, size) for size, weight in _GRAMS]))


def _entropy(words: Sequence[str], size: int) -> float:
    counts = Counter(tuple(words[i : i + size]) for i in range(len(words) - size + 1))
    shares = np.array(list(counts.values()), dtype=np.float64)
    shares /= shares.sum() or 1.0
    return float(-(shares * np.log2(shares)).sum())


def coherent(texts: Sequence[str]) -> BoolArray:
    """(n,) whether each text's entropy reaches ``LEAST_ENTROPY``."""
    return np.array([n_gram_entropy(text) >= LEAST_ENTROPY for text in texts], dtype=bool)


class Estimate(NamedTuple):
    """A mean over seeds and topics with its 95 % interval; None = there is none."""

    mean: float
    ci95: tuple[float, float] | None


def over_seeds(values: FloatArray, num_resamples: int = 2000, one_seed: bool = False) -> Estimate:
    """The mean of values (s, t), and the interval of it when seeds and topics are drawn anew.

    Seeds are resampled, then the topics of each; NaN (nothing coherent was said) counts nowhere.
    One topic has no interval, nor has one seed, unless ``one_seed`` takes what its topics say.
    """
    if not np.isfinite(values).any():
        return Estimate(float("nan"), None)
    mean = float(np.nanmean(values))
    seeds, topics = values.shape
    if topics < 2 or (seeds < 2 and not one_seed):
        return Estimate(mean, None)
    low, high = np.nanpercentile(_resampled_means(values, num_resamples), _LEVEL)
    return Estimate(mean, (float(low), float(high)))


def _resampled_means(values: FloatArray, num_resamples: int) -> FloatArray:
    seeds, topics = values.shape
    rng = generator(0, Stream.TRAIT_RESAMPLES)
    means = np.empty(num_resamples)
    for i in range(num_resamples):
        rows = rng.integers(seeds, size=(seeds, 1))
        drawn = values[rows, rng.integers(topics, size=(seeds, topics))]
        known = drawn[np.isfinite(drawn)]
        means[i] = known.mean() if known.size else np.nan
    return means
