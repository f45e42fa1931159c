"""A persona adapter on disk: a peft folder in safetensors and a card that says what it fits.

It knows no engine and no training. ``adapter_card.json`` holds the identity of the base model, so
that an adapter of another base of the same shape is refused; such a mix-up fits, and is wrong.
"""

import json
from pathlib import Path
from typing import Any

from agents.inference.wrapped.identity import content_hash

CARD = "adapter_card.json"
WEIGHTS = "adapter_model.safetensors"


def base_identity(model: str | Path) -> str:
    """What a base model is: the hash of its content, or its name where it is on the hub."""
    return content_hash(model) if Path(model).is_dir() else str(model)


def read_adapter_card(folder: str | Path) -> dict[str, Any] | None:
    """The card of an adapter; None where it has none (it was trained elsewhere).

    Raises:
        ValueError: the card is corrupt.
    """
    path = Path(folder) / CARD
    if not path.is_file():
        return None
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return card
    except ValueError as error:
        raise ValueError(f"adapter {str(folder)!r} has a corrupt {CARD} ({error})") from error


def check_adapter(folder: str | Path, base: str | Path) -> None:
    """Refuse an adapter that this base cannot run, without loading either.

    Args:
        folder: of the adapter.
        base: folder or hub name of the base model. A card made for a folder says nothing of a hub
            name, and the other way round, so then only the files are looked at.

    Raises:
        FileNotFoundError: no weights as safetensors (a pickle is never loaded).
        ValueError: the weights are corrupt, or the adapter was trained on another base.
    """
    folder = Path(folder)
    if not (folder / WEIGHTS).is_file():
        pickles = sorted(p.name for p in folder.glob("*") if p.suffix in {".bin", ".pt", ".pkl"})
        raise FileNotFoundError(
            f"adapter {str(folder)!r} wanted {WEIGHTS}, got {', '.join(pickles) or 'none'};"
            " save it with safe_serialization=True (a pickle can run any code, so none is read)"
        )
    _check_readable(folder)
    card = read_adapter_card(folder)
    if card is None or card["base_is_folder"] != Path(base).is_dir():
        return
    if card["base_identity"] != base_identity(base):
        raise ValueError(
            f"adapter {str(folder)!r} was trained on {card['base']!r}"
            f" ({card['base_identity'][:12]}), not on {str(base)!r} ({base_identity(base)[:12]});"
            " train it on this base, or load the base it was trained on"
        )


def _check_readable(folder: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(folder / WEIGHTS), framework="numpy") as weights:
            names = list(weights.keys())
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"adapter {str(folder)!r}: {WEIGHTS} is corrupt ({error}); copy it again or train it"
            " anew"
        ) from error
    if not names:
        raise ValueError(f"adapter {str(folder)!r}: {WEIGHTS} holds no weights; train it anew")
