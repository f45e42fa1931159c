"""What a model said, as stars: the one place that reads a rating out of text. It asks nobody.

To accept another way of saying a rating, change ``_RATING``: today ``4.5/5`` is read as 4, as every
published number was.
"""

import re
from collections.abc import Sequence

import numpy as np

from simenv.events import FloatArray

_RATING = re.compile(r"[1-5]")  # the first match is the answer


def stars_said(texts: Sequence[str]) -> FloatArray:
    """(n,) the first digit from 1 to 5 in each text; NaN where there is none."""
    found = [_RATING.search(text) for text in texts]
    return np.array([float(match.group()) if match else np.nan for match in found])
