"""The exact state of a society in one folder: arrays, policy, log parts, and a manifest on top.

The manifest is replaced last and names all other files, so a run that is killed at any moment goes
on from the last finished checkpoint. Nothing is pickled.
"""

import json
from pathlib import Path
from random import Random
from typing import Any, Protocol

import numpy as np

from simenv.abm.activation import Activation
from simenv.abm.keeping.journal import Journal
from simenv.abm.moving_world import MovingWorld
from simenv.abm.recommender_side import Platform, Refit
from simenv.abm.social import Social
from simenv.snapshots import Arrays, pack_arrays, unpack_arrays
from simenv.user_model import UserModel
from simenv.whole_files import replace_whole, write_whole

MANIFEST = "manifest.json"
FORMAT = 2  # since the social network and drifts have random streams of their own


class Society(Protocol):
    """What of a society a checkpoint holds."""

    steps: int
    journal: Journal
    platform: Platform
    activation: Activation
    social: Social
    user_model: UserModel
    world: MovingWorld | None
    rng: np.random.Generator
    random: Random
    datacollector: Any  # of Mesa

    def arrays(self) -> Arrays:
        """What the society itself keeps; written, and written into."""
        ...

    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree with to be continued, in JSON."""
        ...


def has_checkpoint(folder: Path) -> bool:
    """Whether a society was saved here."""
    return (folder / MANIFEST).is_file()


def saved_root(folder: str | Path | None) -> int | None:
    """The seed of the run that was saved in ``folder``, None if there is none."""
    if folder is None or not has_checkpoint(Path(folder)):
        return None
    manifest = json.loads((Path(folder) / MANIFEST).read_text(encoding="utf-8"))
    return int(manifest["world"]["seed"])


def prepare(folder: Path, resume: bool) -> bool:
    """Make the folder of a run; returns whether there is a checkpoint to go on from.

    Raises:
        ValueError: there is one, and nobody wants to go on with it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = has_checkpoint(folder)
    if found and not resume:
        raise ValueError(
            f"PersonaSociety wanted an empty folder, but {folder.name!r} holds a run;"
            " pass resume=True to go on with it, or choose another folder"
        )
    return found


def save(society: Society, folder: Path, policy_file: str | None) -> str:
    """Write a checkpoint; returns the name of the policy's file.

    Args:
        society: between two ticks.
        folder: of the run.
        policy_file: of an earlier checkpoint if the policy has not changed since, else None.
    """
    tick = society.steps
    society.journal.flush(tick)
    if policy_file is None:
        policy_file = f"policy-{tick:08d}.npz"
        replace_whole(folder / policy_file, society.platform.policy.save)
    state_file = f"state-{tick:08d}.npz"
    write_whole(folder / state_file, pack_arrays(_arrays(society)))
    write_whole(folder / MANIFEST, json.dumps(_manifest(society, state_file, policy_file)))
    _remove_stale(folder, {"state-*.npz": state_file, "policy-*.npz": policy_file})
    return policy_file


def _remove_stale(folder: Path, current: dict[str, str]) -> None:
    """Keep, of the files of each pattern, the current one only."""
    for pattern, name in current.items():
        for path in folder.glob(pattern):
            if path.name != name:
                path.unlink()


def _manifest(society: Society, state_file: str, policy_file: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "tick": society.steps,
        "world": society.identity(),
        "state": state_file,
        "policy": policy_file,
        "num_new_rows": society.platform.num_new_rows,
        "refits": society.platform.refits,
        "rng": society.rng.bit_generator.state,
        "random": society.random.getstate(),
        "curves": society.datacollector.model_vars,
    }


def load(society: Society, folder: Path) -> str:
    """Bring a freshly built society to the last checkpoint; returns the name of the policy's file.

    Raises:
        ValueError: the checkpoint is of another society, or was written by another version.
    """
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    _check(manifest, society, folder)
    society.steps = manifest["tick"]
    society.journal.forget_after(society.steps)
    _load_arrays(society, unpack_arrays((folder / manifest["state"]).read_bytes()))
    _load_platform(society, manifest, folder)
    society.rng.bit_generator.state = manifest["rng"]
    version, words, gauss = manifest["random"]
    society.random.setstate((version, tuple(words), gauss))
    curves = manifest["curves"]
    # Checkpoints written before slates could be answered in part hold no such curve.
    society.datacollector.model_vars = {"unanswered": [*curves["failed"]], **curves}
    return str(manifest["policy"])


def _check(manifest: dict[str, Any], society: Society, folder: Path) -> None:
    if manifest["format"] > FORMAT:
        raise ValueError(
            f"checkpoint {folder.name!r} has format {manifest['format']}, this version reads up to"
            f" {FORMAT}; update personarec"
        )
    if manifest["format"] < FORMAT:
        raise ValueError(
            f"checkpoint {folder.name!r} has format {manifest['format']}, whose people have other"
            f" friends than in format {FORMAT}; begin the run anew"
        )
    if manifest["world"] != society.identity():
        raise ValueError(
            f"checkpoint {folder.name!r} wanted the society {manifest['world']}, got"
            f" {society.identity()}; resume with the settings of the first run"
        )


def _load_platform(society: Society, manifest: dict[str, Any], folder: Path) -> None:
    platform = society.platform
    platform.policy = type(platform.policy).load(folder / manifest["policy"])
    platform.refits = [Refit(*refit) for refit in manifest["refits"]]
    for given in society.journal.given():
        platform.add_rows(*given)
    if platform.num_new_rows != manifest["num_new_rows"]:
        raise ValueError(
            f"checkpoint {folder.name!r} wanted {manifest['num_new_rows']} ratings in its log,"
            f" got {platform.num_new_rows}; the folder log/ is not whole, copy it again"
        )


def _parts(society: Society) -> dict[str, Arrays]:
    return {
        "society": society.arrays(),
        "activation": society.activation.arrays(),
        "platform": society.platform.arrays(),
        "social": society.social.arrays(),
    }


def _arrays(society: Society) -> Arrays:
    arrays: Arrays = {
        f"{part}.{name}": values
        for part, named in _parts(society).items()
        for name, values in named.items()
    }
    arrays["users"] = np.frombuffer(society.user_model.snapshot(), dtype=np.uint8)
    if society.world is not None:
        arrays["world"] = np.frombuffer(society.world.snapshot(), dtype=np.uint8)
    return arrays


def _load_arrays(society: Society, arrays: Arrays) -> None:
    def of(part: str) -> Arrays:
        start = f"{part}."
        return {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)}

    kept = of("society")
    kept.setdefault("present", np.ones(1, dtype=np.bool_))  # older ones: nobody was removed
    for name, mine in society.arrays().items():
        mine[...] = kept[name]
    society.activation.load(of("activation"))
    society.platform.load(of("platform"))
    society.social.load(of("social"))
    society.user_model.restore(arrays["users"].tobytes())
    if society.world is not None:
        society.world.restore(arrays["world"].tobytes())
