"""The unit people build, keep, share and load: personas, first memories, adapters and base model.

On disk a population is a folder; ``files.py`` holds its parts, ``folder.py`` where it lies. This
package is the code; ``agents/populations/`` beside it is data: the population that is shipped.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agents.calibration import Calibration
from agents.embedding import Vectors
from agents.inference.blocks.places import places_of
from agents.inference.packaged import is_packaged
from agents.peers import Peers
from agents.persona import Persona
from agents.population.adapter_names import is_adapter_name
from agents.population.adapters import check_adapter, check_adapter_files
from agents.population.files import (
    read_parts,
    write_catalog,
    write_head,
    write_history,
    write_personas,
    write_vectors,
)
from agents.population.folder import BY_DEFAULT, HEAD, INSIDE, find_folder, replaced_population
from agents.population.hub import push
from agents.population.measured_traits import MeasuredTraits, PersonKeys, write_traits
from agents.population.readme import population_readme
from agents.population.shared_taste import check_gates, write_peers, write_wariness
from agents.population.weights import check_saved_files, write_adapters, write_model
from agents.prompt_style import PromptStyle
from agents.wariness import Wariness
from simenv.catalog import Catalog
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages

SHIPPED = INSIDE / BY_DEFAULT  # the people, where nobody is named
# Told in numbers, in whole prompts: its model is the small one that comes without a download.
POCKET = INSIDE / "pocket"


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
    peers: Peers | None = None  # what people alike gave, where the style shows it
    calibration: Calibration | None = None  # of answers; None = they are the model's own
    wariness: Wariness | None = None  # of what they would never pick; None = they are not wary
    traits: tuple[MeasuredTraits, ...] = ()  # that somebody measured, an entry an instrument

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
        if self.wariness is not None:
            self.wariness.check(len(self.personas), len(self.catalog))
        if bad := sorted(name for name in self.adapters if not is_adapter_name(name)):
            raise ValueError(
                f"population {self.name!r} wanted adapters named by letters, digits, '-', '_', '@'"
                f" and spaces, since they name folders, got {bad[0]!r}; rename the adapter"
            )
        wanted = {p.adapter for p in self.personas} - {None}
        if missing := sorted(str(a) for a in wanted - set(self.adapters)):
            raise ValueError(
                f"population {self.name!r} has personas on adapters {missing} that it does not"
                f" hold (held: {sorted(self.adapters)}); add the adapters or clear the names"
            )

    @classmethod
    def shipped(cls) -> "Population":
        """The people inside the package: they need no download, no key, no GPU."""
        return cls.load(SHIPPED)

    @classmethod
    def load(cls, path_or_hub_id: str | Path, revision: str | None = None) -> "Population":
        """A population from a folder, the package, or the Hugging Face Hub by ``owner/name``.

        Args:
            path_or_hub_id: where it is; of those in the package the name, as ``pocket``.
            revision: branch, tag or commit on the hub; a folder has none.

        Raises:
            FileNotFoundError: neither a population folder nor a hub id that can be reached, or an
                adapter has no safetensors.
            ValueError: the folder was written by a newer version, a part is missing or corrupt, or
                an adapter was trained on another base.
        """
        folder = find_folder(path_or_hub_id, revision)
        parts = read_parts(folder)
        try:
            people = cls(**parts)
        except ValueError as error:
            raise ValueError(
                f"population {str(folder)!r} cannot be read: {HEAD} and personas.parquet do not"
                f" agree ({error})"
            ) from error
        for adapter in people.adapters.values():
            check_adapter_files(adapter)
        check_saved_files(folder)
        people.check_adapters()
        return people

    @property
    def person_keys(self) -> PersonKeys:
        """By what ``traits`` know people, whoever they become on this model and adapters."""
        return PersonKeys(self.model, self.adapters, self.style)

    def check_adapters(self) -> None:
        """Raise unless every adapter can be read, and fits the base and the people's gates."""
        for adapter in self.adapters.values():
            check_adapter(adapter, self.model)
        check_gates(self.personas, self.adapters)

    def save(self, path: str | Path, *, copy_model: bool = True) -> None:
        """Write the population as a folder; an existing one is replaced whole.

        Args:
            path: the folder.
            copy_model: put a local base model into the folder; else only its place is named, as
                that of a hub model always is. A model that lies inside ``path`` stays there.

        Raises:
            FileExistsError: there is something else at ``path``; nothing is deleted.
            FileNotFoundError: an adapter has no safetensors.
            OSError: the disk is full or may not be written; what was at ``path`` still is.
            ValueError: an adapter is corrupt or was trained on another base, a file is a link, or
                the population holds what ``load`` refuses.
        """
        self.check_adapters()
        inside = Path(path).resolve() in Path(self.model).resolve().parents
        with replaced_population(path) as folder:
            copies = copy_model or inside
            known = bool(self.adapters)
            model = write_model(folder, self.model, copy=copies, identified=known)
            write_adapters(folder, self.adapters)
            write_catalog(folder, self.catalog, self.averages)
            write_personas(folder, self.personas)
            write_history(folder, self.history, self.reasons)
            write_vectors(folder, self.vectors)
            write_peers(folder, self.peers)
            write_wariness(folder, self.wariness)
            write_traits(folder, self.traits)
            (folder / "README.md").write_text(self._readme(model), encoding="utf-8")
            write_head(
                folder,
                name=self.name,
                model=model,
                style=self.style,
                adapters=list(self.adapters),
                card=self.card,
                calibration=self.calibration,
                counts={
                    "personas": len(self.personas),
                    "items": len(self.catalog),
                    "history": len(self.history),
                },
            )
            self._check_written(folder)

    def _check_written(self, folder: Path) -> None:
        """Raise unless what was written can be read; it has not taken its place yet."""
        try:
            read_parts(folder)
        except ValueError as error:
            raise ValueError(
                f"population {self.name!r} cannot be saved, since it could not be loaded:"
                f" {error.__cause__ or error}"
            ) from error

    def push_to_hub(self, repo_id: str, *, private: bool = True, message: str = "") -> str:
        """Put the population on the Hugging Face Hub as ``owner/name``, replacing what is there.

        A local base model goes with it. Log in with ``hf auth login`` or HF_TOKEN.

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
        on_hub = not (is_here or Path(model).is_dir() or is_packaged(model))
        return population_readme(self.name, facts, self.card, model if on_hub else None)

    def on_model(self, model: str | Path) -> "Population":
        """The same people on another base model, without the adapters, which fit their own base.

        People who are read in blocks are told in whole prompts to a model that reads nothing else.

        Args:
            model: folder or hub name of a causal language model, or ``smollm2``.
        """
        whole = self.style.reading == "blocks" and places_of(model) is None
        return replace(
            self,
            model=str(model),
            style=replace(self.style, reading="whole") if whole else self.style,
            personas=[replace(persona, adapter=None) for persona in self.personas],
            adapters={},
            calibration=None,
            traits=(),
            card={"model": Path(model).name, "people": f"those of {self.name}"},
        )

    def with_card(self, **entries: Any) -> "Population":
        """This population with more entries in its card."""
        return replace(self, card={**self.card, **entries})
