"""How answers are made to mean what they say: a temperature a persona, and a map of chances.

A population may hold one, fitted on ratings that nothing else is measured on; without it answers
are the model's own. Chances in, chances out: it knows no population and no engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simenv.events import NUM_STARS, FloatArray, IntArray

_LEAST = 1e-6  # chance: nothing is impossible
COLDEST, HOTTEST = 0.05, 20.0


@dataclass(frozen=True)
class Calibration:
    """What is done to chances of five stars: first the temperature, then the map.

    Attributes:
        temperature: chances are raised to 1 / temperature; of people whose persona has none of its
            own. 1 changes nothing, more makes answers less sure.
        of_personas: cluster → temperature.
        maps: for every star from 1 to 5 the chances that were said (rising) and how often they came
            true; between two of them lies a straight line. Empty = chances stay.

    Raises:
        ValueError: a temperature outside [0.05, 20], or a map that is no rising line in [0, 1].
    """

    temperature: float = 1.0
    of_personas: Mapping[int, float] = field(default_factory=dict)
    maps: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = ()

    def __post_init__(self) -> None:
        for one in (self.temperature, *self.of_personas.values()):
            if not COLDEST <= one <= HOTTEST:
                raise ValueError(
                    f"a calibration wanted temperatures in [{COLDEST}, {HOTTEST}], got {one}; fit"
                    " it anew, or leave it out"
                )
        if self.maps and (len(self.maps) != NUM_STARS or not all(map(_is_rising, self.maps))):
            raise ValueError(
                f"a calibration wanted {NUM_STARS} maps of chances that rise within [0, 1], got"
                f" {len(self.maps)}, of which one does not; fit it anew, or leave it out"
            )

    def applied(self, chances: FloatArray, clusters: IntArray) -> FloatArray:
        """Chances (..., 5) of people of ``clusters`` (...), made to mean what they say; NaN stays.

        ``chances`` are not changed.
        """
        heats = np.full(np.shape(clusters), self.temperature)
        for cluster, own in self.of_personas.items():
            heats[clusters == cluster] = own
        logs = np.log(np.maximum(chances, _LEAST**2)) / heats[..., None]
        found = np.exp(logs - logs.max(axis=-1, keepdims=True))
        found /= found.sum(axis=-1, keepdims=True)
        if self.maps:
            mapped = [np.interp(found[..., i], *self.maps[i]) for i in range(NUM_STARS)]
            found = np.maximum(np.stack(mapped, axis=-1), _LEAST)
            found /= found.sum(axis=-1, keepdims=True)
        return np.asarray(found)


def _is_rising(map_: tuple[tuple[float, ...], tuple[float, ...]]) -> bool:
    said, true = (np.asarray(column, dtype=np.float64) for column in map_)
    within = all(column.size and 0 <= column.min() <= column.max() <= 1 for column in (said, true))
    return (
        within
        and said.shape == true.shape
        and bool((np.diff(said) > 0).all())
        and bool((np.diff(true) >= 0).all())
    )
