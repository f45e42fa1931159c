"""One training from its start to its end: once, from the last checkpoint, with a card.

What is trained, and on what, is for the caller to say.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypedDict, Unpack

import torch

from agents.inference.local.loading import choose_device
from agents.population.adapters import base_identity, read_adapter_card
from simenv.whole_files import alone_in
from training.adapters.checkpoints import last_checkpoint
from training.adapters.lora import outcome, public_name, write_adapter

OnStep = Callable[[int, float], None]
Card = dict[str, Any]


class Running(TypedDict, total=False):
    """How a training runs, which does not change what it comes to.

    Attributes:
        device: ``auto`` (if it is not given) = a GPU where there is one.
        save_every: steps between checkpoints, 100 if it is not given.
        on_step: gets the step and its loss.
    """

    device: str
    save_every: int
    on_step: OnStep | None


def train_once(
    folder: Path,
    key: str,
    made: Callable[[Path, torch.device, int], Any],
    facts: Callable[[], Mapping[str, Any]],
    write: Callable[[Any, Card, Path], None] = write_adapter,
    read: Callable[[Path], Card | None] = read_adapter_card,
    **running: Unpack[Running],
) -> Card:
    """Train into ``folder``, or return the card of the same training if it is there.

    A run that was stopped goes on from its last whole checkpoint, beside ``folder``, bit for bit
    in float32; checkpoints are deleted at the end.

    Args:
        folder: where the outcome goes.
        key: hash of all that decides it.
        made: (folder of checkpoints, device, steps between checkpoints) → a Trainer.
        facts: what the card says beside the key and how it went.
        write: (model, card, folder) writes what was trained.
        read: the card in a folder; None = it has none.
        running: see there.

    Raises:
        FileExistsError: ``folder`` holds something else; nothing is deleted.
        RuntimeError: another run is at the same training now.
    """
    if folder.exists():
        return _finished(folder, key, read)
    device = choose_device(running.get("device", "auto"))
    with _workplace(folder, key) as work:
        trainer = made(work, device, running.get("save_every", 100))
        clock = _watched(trainer, running.get("on_step"))
        trainer.train(resume_from_checkpoint=last_checkpoint(work))
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        card = {"format": 1, "key": key, **facts(), **outcome(losses, clock.seconds)}
        write(trainer.model, card, folder)
        shutil.rmtree(work)
    return card


@contextmanager
def _workplace(folder: Path, key: str) -> Iterator[Path]:
    """Where checkpoints lie, beside ``folder``; for one run at a time."""
    work = folder.with_name(f"{folder.name}.{key[:12]}.training")
    work.mkdir(parents=True, exist_ok=True)
    with alone_in(work) as is_alone:
        if not is_alone:
            raise RuntimeError(
                f"training into {str(folder)!r} wanted to be alone there, got another run that is"
                " at it now; wait until it ends and give the command again, or train into another"
                " folder (output_dir=FOLDER at the command line)"
            )
        try:
            yield work
        finally:
            with suppress(OSError):
                work.rmdir()  # where nothing was kept


def _finished(folder: Path, key: str, read: Callable[[Path], Card | None]) -> Card:
    card = read(folder)
    if card is None or card["key"] != key:
        raise FileExistsError(
            f"{str(folder)!r} holds something else than this training (other lessons, settings or"
            " base); train into a new folder (output_dir=FOLDER at the command line)"
        )
    return card


def _watched(trainer: Any, on_step: OnStep | None) -> Any:
    """The clock of a Trainer that prints nothing and seals its checkpoints."""
    from transformers import PrinterCallback

    from training.adapters.block_trainer import Clock, Seal

    clock = Clock()
    clock.on_step = on_step
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(clock)
    trainer.add_callback(Seal())
    return clock


def base_facts(base: str | Path) -> Card:
    """What a card says of the base."""
    return {
        "base": public_name(base),
        "base_is_folder": Path(base).is_dir(),
        "base_identity": base_identity(base),
    }


def key_of(facts: Sequence[Any], files: Iterable[Path] = ()) -> str:
    """Hash of all that decides a training: plain values, and the contents of files."""
    total = hashlib.sha256(json.dumps(facts).encode())
    for path in files:
        total.update(path.read_bytes())
    return total.hexdigest()
