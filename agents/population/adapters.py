"""A persona adapter on disk: a peft folder in safetensors and a card that says what it fits.

It knows no engine and no training. ``adapter_card.json`` holds the identity of the base model, so
that an adapter of another base of the same shape is refused; such a mix-up fits, and is wrong.
"""

from pathlib import Path
from typing import Any

from agents.inference.local.model_files import ADAPTER_WEIGHTS, check_adapter_folder
from agents.inference.local.plain_files import named, read_json
from agents.inference.wrapped.identity import content_hash

CARD = "adapter_card.json"
WEIGHTS = ADAPTER_WEIGHTS


def base_identity(model: str | Path) -> str:
    """What a base model is: the hash of its content, or its name where it is on the hub."""
    return content_hash(model) if Path(model).is_dir() else str(model)


def read_adapter_card(folder: str | Path) -> dict[str, Any] | None:
    """The card of an adapter; None where it has none (it was trained elsewhere).

    Raises:
        ValueError: the card is corrupt, or does not say what base it is for.
    """
    from agents.population.schema import AdapterCard, checked

    path = Path(folder) / CARD
    if not path.exists():
        return None
    what = f"adapter {str(folder)!r} has a corrupt {CARD}"
    card: dict[str, Any] = named(what, lambda: read_json(path))
    checked(AdapterCard, card, f"adapter {str(folder)!r}, {CARD}")
    return card


def check_adapter_files(folder: str | Path) -> None:
    """Refuse an adapter whose files are not whole, whatever base it is for.

    Raises:
        FileNotFoundError: no weights as safetensors (a pickle is never loaded), or no settings.
        ValueError: a file is corrupt.
    """
    named(f"adapter {str(folder)!r}", lambda: check_adapter_folder(Path(folder)))


def check_adapter(folder: str | Path, base: str | Path) -> None:
    """Refuse an adapter that this base cannot run, without loading either.

    Args:
        folder: of the adapter.
        base: folder or hub name of the base model. A card made for a folder says nothing of a hub
            name, and the other way round, so then only the files are looked at.

    Raises:
        FileNotFoundError: no weights as safetensors (a pickle is never loaded), or no settings.
        ValueError: a file is corrupt, or the adapter was trained on another base.
    """
    folder = Path(folder)
    check_adapter_files(folder)
    card = read_adapter_card(folder)
    if card is None or card["base_is_folder"] != Path(base).is_dir():
        return
    if card["base_identity"] != base_identity(base):
        raise ValueError(
            f"adapter {str(folder)!r} was trained on {card['base']!r}"
            f" ({card['base_identity'][:12]}), not on {str(base)!r} ({base_identity(base)[:12]});"
            " train it on this base, or load the base it was trained on"
        )
