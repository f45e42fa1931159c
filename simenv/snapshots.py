"""Named arrays as bytes and back, exactly and without pickle; equal arrays give equal bytes."""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.generic]]


def pack_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """The arrays as the bytes of one npz file.

    Raises:
        ValueError: an array holds Python objects.
    """
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def check_shapes(arrays: Arrays, wanted: Arrays) -> None:
    """Raise ValueError unless ``arrays`` holds every array of ``wanted`` in the same shape."""
    for name, mine in wanted.items():
        came = arrays[name].shape if name in arrays else None
        if came != mine.shape:
            raise ValueError(
                f"restore wanted {name} of shape {mine.shape}, got {came};"
                " build the object with the sizes it had when the snapshot was taken"
            )


def unpack_arrays(snapshot: bytes) -> Arrays:
    """What ``pack_arrays`` was given; each array is a fresh copy.

    Raises:
        ValueError: the bytes are not such a snapshot.
    """
    try:
        with np.load(BytesIO(snapshot), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(
            f"restore wanted bytes that snapshot() returned, got {len(snapshot)} other bytes;"
            " pass the snapshot unchanged"
        ) from error
