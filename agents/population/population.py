"""The unit people build, keep, share and load: personas, first memories, adapters and base model.

A population is a folder: ``population.json`` (card and style), ``catalog.parquet``,
``personas.parquet``, ``history.parquet``, ``vectors.safetensors``, ``adapters/NAME/``, ``model/``
(or the hub name of a base model), and ``README.md`` for people.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from agents.embedding import Vectors
from agents.persona import Persona
from agents.population.adapters import check_adapter
from agents.population.hub import fetch, push
from agents.population.readme import population_readme
from agents.prompts import PromptStyle
from simenv.catalog import Catalog
from simenv.catalog_file import load_items, save_items
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages

FORMAT = 1
SHIPPED = Path(__file__).parents[1] / "populations" / "pocket"


@dataclass(frozen=True)
class Population:
    """People over a catalogue, and the model they run on."""

    name: str
    personas: list[Persona]
    catalog: Catalog
    averages: ItemAverages  # what the people know that others think of the items
    history: InteractionLog  # what the people rated so far (training rows): their first Ml
    reasons: list[str]  # one a row of ``history``
    vectors: Vectors  # (num_items, d) unit vectors of the items, for recall
    model: str  # folder or hub name of the base language model
    style: PromptStyle = field(default_factory=PromptStyle)
    adapters: Mapping[str, str] = field(default_factory=dict)  # name → folder
    card: Mapping[str, Any] = field(default_factory=dict)  # how it was made, measured fidelity

    def __post_init__(self) -> None:
        if len(self.personas) != self.history.num_users:
            raise ValueError(
                f"population {self.name!r} has {len(self.personas)} personas but a history of"
                f" {self.history.num_users} users; give one persona a user"
            )
        if len(self.reasons) != len(self.history):
            raise ValueError(
                f"population {self.name!r} wanted one reason a rating: {len(self.history)},"
                f" got {len(self.reasons)}"
            )
        if not len(self.vectors) == self.history.num_items == len(self.catalog):
            raise ValueError(
                f"population {self.name!r} wanted one vector for each of {len(self.catalog)} items"
                f" and a history over them, got {len(self.vectors)} vectors and a history over"
                f" {self.history.num_items} items; embed this catalogue"
            )
        wanted = {p.adapter for p in self.personas} - {None}
        if missing := sorted(str(a) for a in wanted - set(self.adapters)):
            raise ValueError(
                f"population {self.name!r} has personas on adapters {missing} that it does not"
                f" hold (held: {sorted(self.adapters)}); add the adapters or clear the names"
            )

    @classmethod
    def shipped(cls) -> "Population":
        """The small population inside the package: needs no download, no key, no GPU."""
        return cls.load(SHIPPED)

    @classmethod
    def load(cls, path_or_hub_id: str | Path, revision: str | None = None) -> "Population":
        """A population from a folder, or from the Hugging Face Hub by ``owner/name``.

        Args:
            path_or_hub_id: where it is.
            revision: branch, tag or commit on the hub; a folder has none.

        Raises:
            FileNotFoundError: neither a population folder nor a hub id that can be reached, or an
                adapter has no safetensors.
            ValueError: the folder was written by a newer version, a part is missing or corrupt, or
                an adapter was trained on another base.
        """
        folder = _folder(path_or_hub_id, revision)
        try:
            head = json.loads((folder / "population.json").read_text(encoding="utf-8"))
            newer = head["format"] > FORMAT
            parts = {} if newer else _read_parts(folder, head)
        except Exception as error:  # json, parquet and safetensors each raise kinds of their own
            raise ValueError(
                f"population {str(folder)!r} cannot be read ({type(error).__name__}: {error});"
                " copy the whole folder again, or build it anew"
            ) from error
        if newer:
            raise ValueError(
                f"population {folder.name!r} has format {head['format']}, this version reads up to"
                f" {FORMAT}; update personarec"
            )
        people = cls(**parts)
        people.check_adapters()
        return people

    def check_adapters(self) -> None:
        """Raise unless every adapter can be read and fits the base; see ``check_adapter``."""
        for adapter in self.adapters.values():
            check_adapter(adapter, self.model)

    def save(self, path: str | Path, *, copy_model: bool = True) -> None:
        """Write the population as a folder; an existing one is replaced whole.

        Args:
            path: the folder.
            copy_model: put a local base model into the folder; else only its place is named, as
                that of a hub model always is.

        Raises:
            FileExistsError: there is something else at ``path``; nothing is deleted.
            FileNotFoundError: an adapter has no safetensors.
            ValueError: an adapter is corrupt or was trained on another base.
        """
        self.check_adapters()
        folder = Path(path)
        if folder.exists() and not (folder / "population.json").is_file() and not _is_empty(folder):
            raise FileExistsError(
                f"{str(folder)!r} holds something that is no population; save to a new folder"
            )
        building = folder.with_name(folder.name + ".new")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        local = Path(self.model)
        copied = copy_model and local.is_dir()
        if copied:
            shutil.copytree(local, building / "model")
        for name, source in self.adapters.items():
            shutil.copytree(source, building / "adapters" / name)
        model = "model" if copied else str(local.resolve()) if local.is_dir() else self.model
        head = {
            "format": FORMAT,
            "name": self.name,
            "model": model,
            "style": asdict(self.style),
            "adapters": sorted(self.adapters),
            "card": dict(self.card),
        }
        text = json.dumps(head, indent=2, ensure_ascii=False)
        (building / "population.json").write_text(text + "\n", encoding="utf-8")
        save_items(building / "catalog.parquet", self.catalog, self.averages)
        _write_personas(building / "personas.parquet", self.personas)
        _write_history(building / "history.parquet", self.history, self.reasons)
        _write_vectors(building / "vectors.safetensors", self.vectors)
        (building / "README.md").write_text(self._readme(model), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        building.replace(folder)

    def push_to_hub(self, repo_id: str, *, private: bool = True, message: str = "") -> str:
        """Put the population on the Hugging Face Hub as ``owner/name``, replacing what is there.

        A local base model goes with it. Who may write there is told by ``hf auth login`` or
        HF_TOKEN.

        Returns:
            The commit, good as ``Population.load(repo_id, revision=…)``.

        Raises:
            ConnectionError: the hub refused, or cannot be reached.
            ValueError: ``repo_id`` is not ``owner/name``.
        """
        with tempfile.TemporaryDirectory() as folder:
            self.save(Path(folder) / "population")
            return push(
                Path(folder) / "population",
                repo_id,
                private=private,
                message=message or f"Population {self.name}",
            )

    def _readme(self, model: str) -> str:
        is_here = model == "model"
        facts = {
            "people": len(self.personas),
            "items": len(self.catalog),
            "first memories": len(self.history),
            "base model": "in `model/`" if is_here else Path(model).name,
            "adapters": ", ".join(sorted(self.adapters)) or "none",
        }
        on_hub = not is_here and not Path(model).is_dir()
        return population_readme(self.name, facts, self.card, model if on_hub else None)

    def with_card(self, **entries: Any) -> "Population":
        """This population with more entries in its card."""
        return replace(self, card={**self.card, **entries})


def _folder(path_or_hub_id: str | Path, revision: str | None) -> Path:
    folder = Path(path_or_hub_id)
    if (folder / "population.json").is_file():
        return folder
    if folder.exists() or str(path_or_hub_id).count("/") != 1:
        raise FileNotFoundError(
            f"population {str(path_or_hub_id)!r}: wanted a folder with population.json or a hub id"
            " owner/name; build one with `personarec experiment=build_population`"
        )
    return fetch(str(path_or_hub_id), revision)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _read_parts(folder: Path, head: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's arguments out of a folder whose ``population.json`` is ``head``."""
    catalog, averages = load_items(folder / "catalog.parquet")
    personas = _read_personas(folder / "personas.parquet")
    history, reasons = _read_history(folder / "history.parquet", len(personas), len(catalog))
    model = folder / "model"
    return {
        "name": head["name"],
        "personas": personas,
        "catalog": catalog,
        "averages": averages,
        "history": history,
        "reasons": reasons,
        "vectors": _read_vectors(folder / "vectors.safetensors"),
        "model": str(model) if model.exists() else head["model"],
        "style": PromptStyle(**head["style"]),
        "adapters": {name: str(folder / "adapters" / name) for name in head["adapters"]},
        "card": head["card"],
    }


def _write_personas(path: Path, personas: list[Persona]) -> None:
    import pandas as pd

    rows = [{**asdict(p), "tastes": json.dumps(dict(p.tastes))} for p in personas]
    pd.DataFrame(rows).to_parquet(path, compression="zstd", index=False)


def _read_personas(path: Path) -> list[Persona]:
    import pandas as pd

    rows = pd.read_parquet(path).to_dict("records")
    return [
        Persona(
            activity=int(row["activity"]),
            conformity=int(row["conformity"]),
            diversity=int(row["diversity"]),
            profile=str(row["profile"]),
            tastes=json.loads(row["tastes"]),
            level=float(row["level"]),
            cluster=int(row["cluster"]),
            adapter=row["adapter"] if isinstance(row["adapter"], str) else None,
        )
        for row in rows
    ]


def _write_history(path: Path, history: InteractionLog, reasons: list[str]) -> None:
    import pandas as pd

    columns = {
        "user": history.users.astype(np.int32),
        "item": history.items.astype(np.int32),
        "rating": history.ratings.astype(np.float32),
        "timestamp": history.timestamps,
        "reason": pd.Categorical(reasons),
    }
    pd.DataFrame(columns).to_parquet(path, compression="zstd", index=False)


def _read_history(path: Path, num_users: int, num_items: int) -> tuple[InteractionLog, list[str]]:
    import pandas as pd

    frame = pd.read_parquet(path)
    log = InteractionLog(
        frame["user"].to_numpy(np.int64),
        frame["item"].to_numpy(np.int64),
        frame["rating"].to_numpy(np.float64),
        frame["timestamp"].to_numpy(np.int64),
        num_users,
        num_items,
    )
    return log, [str(reason) for reason in frame["reason"]]


def _write_vectors(path: Path, vectors: Vectors) -> None:
    from safetensors.numpy import save_file

    save_file({"vectors": np.ascontiguousarray(vectors, dtype=np.float16)}, path)


def _read_vectors(path: Path) -> Vectors:
    from safetensors.numpy import load_file

    return load_file(path)["vectors"].astype(np.float32)
