"""Where a model that reads in blocks expects each kind of text, and how much of it is kept.

A text is read once, alone. Of what was read, the keys and values of a few *gist tokens* at its end
are kept, which stand at a fixed place for each kind, so that they need not be turned again when
they are used and the order of memories says nothing. The model's ``config.json`` holds these
numbers: they are a property of its weights. It knows no tensors.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from simenv.ranges import check_number

CONFIG_KEY = "reading_blocks"  # of config.json
GIST = "<gist{}>"


@dataclass(frozen=True)
class Places:
    """Gist tokens of each kind of text, and the places of a request.

    A text begins at place 0, except that of a memory, which is read behind its item's gist. The
    gist tokens follow at ``longest``: first the item's, then a memory's, then the profile's; the
    cue stands last.

    Attributes:
        item: gist tokens of an item.
        memory: of a memory, which is read behind the gist of its item.
        profile: of a profile.
        longest: most tokens of a text without its gist; the rest is cut off.
        cue: most tokens of a cue.

    Raises:
        ValueError: a number is below 1.
    """

    item: int = 4
    memory: int = 2
    profile: int = 8
    longest: int = 448
    cue: int = 16

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            check_number("reading_blocks", name, value, "whole [1, 1e6]")

    @property
    def item_gist(self) -> int:
        """Place of the first gist token of an item."""
        return self.longest

    @property
    def memory_gist(self) -> int:
        """Place of the first gist token of a memory."""
        return self.item_gist + self.item

    @property
    def profile_gist(self) -> int:
        """Place of the first gist token of a profile."""
        return self.memory_gist + self.memory

    @property
    def last_cue(self) -> int:
        """Place of a cue's last token."""
        return self.context - 1

    @property
    def context(self) -> int:
        """Places that the model must have."""
        return self.profile_gist + self.profile + self.cue

    @property
    def tokens(self) -> tuple[str, ...]:
        """The gist tokens that the vocabulary must have."""
        return tuple(GIST.format(i) for i in range(max(self.item, self.memory, self.profile)))


def places_of(model: str | Path) -> Places | None:
    """How the model in a folder reads in blocks; None = it does not.

    Raises:
        ValueError: its ``config.json`` tells it in another form.
    """
    try:
        config = json.loads((Path(model) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    told = config.get(CONFIG_KEY) if isinstance(config, dict) else None
    return None if told is None else told_places(told)


def told_places(told: Any) -> Places:
    """Places as a model's settings tell them.

    Raises:
        ValueError: they are told in another form.
    """
    try:
        return Places(**told)
    except TypeError as error:
        names = ", ".join(asdict(Places()))
        raise ValueError(
            f"{CONFIG_KEY} of config.json wanted whole numbers for {names}, got {told!r}; take the"
            " file that came with the weights"
        ) from error
