"""A slate and its answer as a page for people who watch: in words, on the terminal, as a picture.

A page shows who was asked (Ms), what was shown, what was recalled for it, the distribution over
stars and what the user did. Letters: ``n`` users, ``k`` slate places.
"""

import textwrap
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simenv.catalog import Catalog
from simenv.events import NUM_STARS, Feedback, FloatArray, IntArray
from simenv.user_model import Explains, Explanation, UserModel

MODES = ("human", "ansi", "rgb_array")
Frame = str | NDArray[np.uint8]
_MAX_ROWS, _WIDTH, _PROFILE_LINES = 3, 96, 4
_LINE, _MARGIN, _SIZE = 19, 16, 14  # pixels
_PAPER, _INK, _MUTED, _BAR = (252, 252, 250), (32, 32, 36), (120, 120, 128), (59, 108, 180)
_BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Place:
    """One item of a slate and what became of it."""

    title: str
    probabilities: FloatArray  # (5,)
    expected: float
    verdict: str
    recalled: str


@dataclass(frozen=True)
class SlatePage:
    """One user's last slate."""

    user: int
    profile: str
    places: list[Place] = field(default_factory=list)

    def text(self) -> str:
        """The page in words; the five blocks are the chances of one to five stars."""
        if not self.places:
            return f"user {self.user}: nothing shown yet"
        lines = [f"user {self.user}: {_clip(self.profile)}".rstrip()]
        for number, place in enumerate(self.places, 1):
            title = f"{number}. {place.title}"
            bars = _bars(place.probabilities)
            lines.append(
                f"  {title:<52.52} |{bars}| expected {place.expected:.2f}, {place.verdict}"
            )
            if place.recalled:
                lines.append(f"     recalls {_clip(place.recalled)}")
        return "\n".join(lines)

    def image(self, num_places: int) -> NDArray[np.uint8]:
        """The page as pixels (height, width, 3); the size depends on ``num_places`` only."""
        from PIL import Image, ImageDraw

        height = 2 * _MARGIN + _LINE * (2 + _PROFILE_LINES) + num_places * 3 * _LINE
        picture = Image.new("RGB", (960, height), _PAPER)
        draw = ImageDraw.Draw(picture)
        plain, bold = _font("DejaVuSans.ttf"), _font("DejaVuSans-Bold.ttf")
        draw.text((_MARGIN, _MARGIN), f"user {self.user}", _INK, bold)
        profile = textwrap.wrap(self.profile, 118, max_lines=_PROFILE_LINES, placeholder=" …")
        if not self.places:
            profile = ["nothing shown yet"]
        draw.text((_MARGIN, _MARGIN + _LINE), "\n".join(profile), _MUTED, plain)
        top = _MARGIN + _LINE * (2 + _PROFILE_LINES)
        for number, place in enumerate(self.places, 1):
            draw.text((_MARGIN, top), f"{number}. {place.title}"[:70], _INK, bold)
            recalled = f"recalls {place.recalled}" if place.recalled else ""
            draw.text((_MARGIN + 16, top + _LINE), recalled[:78], _MUTED, plain)
            _draw_bars(draw, place.probabilities, 650, top)
            draw.text((750, top), f"{place.expected:.2f} expected", _MUTED, plain)
            draw.text((750, top + _LINE), place.verdict, _INK, bold)
            top += 3 * _LINE
        return np.asarray(picture)


class Screen:
    """Keeps the pages of the first three rows and shows them in a mode; None = never."""

    def __init__(
        self, mode: str | None, catalog: Catalog, user_model: UserModel, num_places: int
    ) -> None:
        self.mode = mode
        self._catalog = catalog
        self._user_model = user_model
        self._num_places = num_places
        self._pages: dict[int, SlatePage] = {}

    def clear(self) -> None:
        """Nothing was shown yet."""
        self._pages.clear()

    def _known(self, users: IntArray, items: IntArray) -> list[Explanation]:
        """What users (m,) bring to items (m, k), in words; nothing where they cannot say."""
        if isinstance(self._user_model, Explains):
            return self._user_model.explain(users, items)
        return [Explanation("", [""] * items.shape[1])] * len(users)

    def watch(self, rows: IntArray, users: IntArray, items: IntArray, feedback: Feedback) -> None:
        """Keep the slates of ``rows``; to be called before the users remember them.

        Args:
            rows: (m,) ascending.
            users: (m,) who sits there.
            items: (m, k).
            feedback: of the m users.
        """
        seen = int(np.searchsorted(rows, _MAX_ROWS))
        if not seen or self.mode is None:
            return
        known = self._known(users[:seen], items[:seen])
        for i, row in enumerate(rows[:seen].tolist()):
            places = [
                self._place(feedback, i, j, item, known[i].recalled[j])
                for j, item in enumerate(items[i].tolist())
            ]
            self._pages[row] = SlatePage(int(users[i]), known[i].profile, places)

    def _place(self, feedback: Feedback, i: int, j: int, item: int, recalled: str) -> Place:
        if feedback.failed[i, j]:
            nothing = np.zeros(NUM_STARS)
            return Place(self._catalog.titles[item], nothing, 0.0, "no answer came", recalled)
        taken, stars = bool(feedback.taken[i, j]), feedback.ratings[i, j]
        verdict = f"{self._catalog.domain.done}, {stars:.0f} stars" if taken else "passed over"
        chances, expected = feedback.probabilities[i, j], float(feedback.expected[i, j])
        return Place(self._catalog.titles[item], chances, expected, verdict, recalled)

    def frames(self, users: IntArray) -> tuple[Frame, ...]:
        """One text or picture for each of the first rows, in which ``users`` (n,) sit now."""
        first = enumerate(users[:_MAX_ROWS].tolist())
        pages = [self._pages.get(row, SlatePage(user, "")) for row, user in first]
        if self.mode == "rgb_array":
            return tuple(page.image(self._num_places) for page in pages)
        return tuple(page.text() for page in pages)

    def show(self, users: IntArray) -> None:
        """Print the pages where the mode is "human"."""
        if self.mode == "human":
            print("\n\n".join(str(frame) for frame in self.frames(users)), flush=True)


def _bars(chances: FloatArray) -> str:
    """Five block characters; the highest is full."""
    heights = np.ceil(8 * chances / max(float(chances.max()), 1e-12)).astype(int)
    return "".join(_BLOCKS[h] for h in heights.tolist())


def _draw_bars(draw: Any, chances: FloatArray, left: int, top: int) -> None:
    """Five bars over a line, as high as the chances of one to five stars."""
    floor = top + 2 * _LINE
    for star, chance in enumerate(chances.tolist()):
        x = left + 17 * star
        draw.rectangle((x, floor - 1 - round(34 * chance), x + 13, floor), _BAR)


def _clip(text: str) -> str:
    return textwrap.shorten(text, _WIDTH, placeholder=" …")


@lru_cache
def _font(name: str) -> Any:
    """A font that matplotlib carries, so that no machine lacks it."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), _SIZE)
