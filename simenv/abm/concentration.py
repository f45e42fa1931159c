"""What a society is measured by in every tick. Numbers in, numbers out.

Letters: ``U`` all users, ``n`` users awake, ``g`` genres, ``e`` pairs.
"""

import numpy as np

from simenv.events import FloatArray, IntArray


def bubble(consumption: FloatArray) -> float:
    """How narrow what people (n, g) watch is: 1 - mean entropy over genres, relative, in [0, 1].

    The filter bubble of one person, after Nguyen et al., Exploring the filter bubble (WWW 2014),
    who measured the diversity of what is consumed over time. 0 where nobody watched anything.
    """
    watched = consumption.sum(axis=1)
    shares = consumption[watched > 0] / watched[watched > 0, None]
    if not len(shares) or shares.shape[1] < 2:
        return 0.0
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy = -(shares * logs).sum(axis=1) / np.log(shares.shape[1])
    return float(1 - entropy.mean())


def polarisation(consumption: FloatArray, groups: IntArray) -> float:
    """How far groups of people drift apart: share of the variance of what they (n, g) watch that
    lies between the groups (n,), in [0, 1].
    """  # noqa: D205
    watched = consumption.sum(axis=1)
    some = watched > 0
    shares, groups = consumption[some] / watched[some, None], groups[some]
    if len(shares) < 2:
        return 0.0
    centred = shares - shares.mean(axis=0)
    total = float((centred**2).sum())
    present, index = np.unique(groups, return_inverse=True)
    sizes = np.bincount(index)
    sums = np.stack([np.bincount(index, column, len(present)) for column in centred.T], axis=1)
    between = float((sums**2 / sizes[:, None]).sum())
    return between / total if total > 0 else 0.0


def echo_chamber(consumption: FloatArray, friends: IntArray, strangers: IntArray) -> float:
    """How much more alike friends (e, 2) are than strangers (e, 2) in what they watch (U, g).

    The difference of two mean cosines, so in [-1, 1]; people who watched nothing are left out.
    """
    if not len(friends) or not len(strangers):
        return 0.0
    return _alike(consumption, friends) - _alike(consumption, strangers)


def _alike(consumption: FloatArray, pairs: IntArray) -> float:
    one, other = consumption[pairs[:, 0]], consumption[pairs[:, 1]]
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    some = norms > 0
    if not some.any():
        return 0.0
    return float(((one * other).sum(axis=1)[some] / norms[some]).mean())
