"""Does a world ask anybody to read? Ridges on what is written beside a perfect reader of each part.

Run::

    python -m experiments.worlds.what_must_be_read           # development worlds 1 to 20
    python -m experiments.worlds.what_must_be_read 1 2 3     # others

Every ridge is the bias model and, for every person, a regression of the rest on features of items:
genres and years alone; with the true themes and moods; with the words of summaries in their place,
by TF-IDF. Errors are on held-out rows, which people picked, and on cold items, which were put
before them by lot; there the mean error is taken out. No language model answers.
"""

import sys
from collections.abc import Sequence

import numpy as np

from agents.embedding import TfidfSvdEmbedder
from agents.fidelity.error_measures import rmse
from experiments.reporting.report import markdown_table
from experiments.worlds.knowable import read
from recommenders.evaluation.statistics import mean_interval
from simenv.data.dataset import Dataset
from simenv.data.rating_baselines import BiasModel
from simenv.data.worlds.reading_world import reading_world
from simenv.data.worlds.synthetic_truth import SyntheticTruth
from simenv.data.worlds.taste_structure import TasteStructure
from simenv.events import FloatArray
from training.tastes import taste_ridge

_PRIOR_ROWS = 4.0  # as for ridge users
_TEXT_DIMS = 32
_HEADS = ["what is read", "held-out rows", "95 % CI", "cold items", "95 % CI"]


def errors(dataset: Dataset) -> dict[str, tuple[float, float]]:
    """Reader → RMSE on held-out rows, and on cold items around the mean error."""
    truth, test = dataset.truth, dataset.test
    assert isinstance(truth, SyntheticTruth)
    assert truth.later is not None
    found = {}
    for name, stars in _expected(dataset, truth).items():
        late = stars[truth.later.users, truth.later.items] - truth.later.ratings
        found[name] = rmse(stars[test.users, test.items] - test.ratings), float(late.std())
    return found


def _expected(dataset: Dataset, truth: SyntheticTruth) -> dict[str, FloatArray]:
    """Reader → stars (num_users, num_items)."""
    users, items = np.arange(dataset.num_users)[:, None], np.arange(dataset.num_items)[None, :]
    bias = BiasModel().fit(dataset.train).predict(users, items)
    rest = dataset.train.ratings - bias[dataset.train.users, dataset.train.items]
    structure, readers = truth.structure, read(dataset)
    assert structure is not None
    assert readers is not None
    features = _features(dataset, structure)
    return {
        "bias model": bias,
        **{
            name: bias + taste_ridge(dataset.train, x, rest, _PRIOR_ROWS) @ x.T
            for name, x in features.items()
        },
        "perfect reader of genres and years": readers.partial,
        "perfect reader": readers.perfect,
    }


def _features(dataset: Dataset, structure: TasteStructure) -> dict[str, FloatArray]:
    """Ridge → what it reads of items (num_items, d)."""
    part = {block.name: block.attributes for block in structure.blocks}
    seen = np.column_stack([dataset.catalog.genre_shares, part["era"]])
    words = TfidfSvdEmbedder(_TEXT_DIMS).embed(list(dataset.catalog.summaries))
    return {
        "ridge: genres and years": seen,
        "ridge: and words of summaries (TF-IDF)": np.column_stack([seen, words]),
        "ridge: and true themes and moods": np.column_stack([seen, part["themes"], part["moods"]]),
    }


def main(seeds: Sequence[int]) -> str:
    """The table over worlds, as Markdown."""
    worlds = [errors(reading_world(seed)) for seed in seeds]
    rows = []
    for name in worlds[0]:
        cells = [name]
        for column in (0, 1):
            mean, low, high = mean_interval(np.array([world[name][column] for world in worlds]))
            cells += [f"{mean:.3f}", f"{low:.3f} to {high:.3f}"]
        rows.append(cells)
    return markdown_table(_HEADS, rows)


if __name__ == "__main__":
    print(main([int(word) for word in sys.argv[1:]] or range(1, 21)))
