"""Which memories bear on an item: item vectors learnt from who agreed about what, and from texts.

Two items are alike when people who liked the one beyond its average liked the other too; where few
people rated, their words decide. Both parts are in stars, so that neither needs a weight tuned to a
data set: texts count as much as a taste of ``_TEXT_STARS`` stars, ratings as much as they show.
"""

import numpy as np
from numpy.typing import NDArray

from agents.embedding import Embedder, TfidfSvdEmbedder, Vectors, unit
from simenv.catalog import Catalog
from simenv.events import FloatArray, InteractionLog
from simenv.item_averages import ItemAverages

_TEXT_STARS = 0.2
_PRIOR_VOTES = 100.0  # votes at which half of what an item's ratings show is believed
_USER_PRIOR_VOTES = 5.0
_NUM_DIRECTIONS = 32


def item_vectors(
    catalog: Catalog,
    log: InteractionLog,
    averages: ItemAverages,
    embedder: Embedder | None = None,
) -> Vectors:
    """Unit vectors (num_items, d) whose products say how much one item says about another.

    Args:
        catalog: its texts are embedded.
        log: training rows, of as many people as may be known (law 7); unchanged.
        averages: what its ratings are compared with.
        embedder: of item texts; default TF-IDF + SVD.
    """
    texts = (embedder or TfidfSvdEmbedder()).embed(catalog.texts())
    return unit(np.column_stack([_from_ratings(averages.fair, log), _TEXT_STARS * texts]))


def _from_ratings(fair: FloatArray, log: InteractionLog) -> NDArray[np.float64]:
    """(num_items, <= 32) principal directions of what users think of items beyond the average."""
    from scipy.sparse import csr_matrix, diags
    from sklearn.decomposition import TruncatedSVD

    width = min(_NUM_DIRECTIONS, log.num_items - 1, log.num_users - 1)
    if width < 1 or not len(log):
        return np.zeros((log.num_items, 0))
    apart = log.ratings - fair[log.items]
    sizes = np.bincount(log.users, minlength=log.num_users) + _USER_PRIOR_VOTES
    apart -= (np.bincount(log.users, apart, log.num_users) / sizes)[log.users]
    table = csr_matrix((apart, (log.users, log.items)), shape=(log.num_users, log.num_items))
    votes = np.bincount(log.items, minlength=log.num_items)
    svd = TruncatedSVD(width, random_state=0).fit(table @ diags(1 / np.sqrt(votes + _PRIOR_VOTES)))
    vectors: NDArray[np.float64] = svd.components_.T * svd.singular_values_
    return vectors
