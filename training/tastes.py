"""One ridge of tastes: what each user's ratings say of item attributes. It knows no words.

Letters: ``n`` users, ``r`` rows, ``d`` attributes.
"""

import numpy as np

from simenv.events import FloatArray, InteractionLog


def taste_ridge(
    log: InteractionLog,
    attributes: FloatArray,
    residuals: FloatArray,
    prior_rows: float,
    centre: FloatArray | None = None,
) -> FloatArray:
    """One ridge regression a user, of their residuals on the attributes of what they rated.

    A user's weights w minimise Σ (residual - attributes · w)² + ``prior_rows`` · |w - centre|².

    Args:
        log: r rated rows of n users; unchanged.
        attributes: (num_items, d).
        residuals: (r,) stars that tastes are to explain.
        prior_rows: strength of the prior, > 0: the ratings (of attribute 1) that it is worth.
        centre: (n, d) what the prior expects; None = no taste at all.

    Returns:
        (n, d) weights, in stars a unit of the attribute; the centre for a user without rows.
    """
    size = attributes.shape[1]
    centre = np.zeros((log.num_users, size)) if centre is None else centre
    prior, offsets = prior_rows * np.eye(size), log.offsets()
    tastes = centre.copy()
    for user in np.flatnonzero(np.diff(offsets)):
        rows = slice(offsets[user], offsets[user + 1])
        x = attributes[log.items[rows]]
        right = x.T @ residuals[rows] + prior_rows * centre[user]
        tastes[user] = np.linalg.solve(x.T @ x + prior, right)
    return tastes
