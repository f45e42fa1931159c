"""From a log to persona adapters: distil, cluster, write the RAFT set, train.

A stopped run goes on where it was: answers of a paid model are on disk, and an adapter that was
trained from the same base on the same examples is never trained again.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from agents.prompt_style import PromptStyle
from agents.prompts import persona_prefix
from experiments.people.distilled import Distiller, distil, fitting_raft_set
from experiments.reporting.progress import progress_bar
from simenv.data.dataset import Dataset
from training.adapters.lora_presets import LoraPreset
from training.adapters.person_vectors import vectors_for
from training.adapters.variants import FACETS, NUM_FACETS, Variant, train_variants
from training.distillation.tellers import style_for
from training.distillation.with_model import DistillationReport
from training.examples.prompt_lengths import TokenReport
from training.examples.raft import RaftSettings, raft_settings
from training.groups.clusters import Clusters, find_clusters
from training.groups.ms_vectors import ms_vectors
from training.spreading import IN_THIS_PROCESS, Workers


@dataclass(frozen=True)
class PersonaSettings:
    """How people are grouped and their adapters trained.

    Attributes:
        ms: what groups are made of: ``words`` or ``numbers`` of Ms.
        num_clusters: personas; None = the elbow.
        variants: see ``train_variants``; ``none`` = no adapters.
        preset: of the training.
        raft: which training rows are asked about.
        style: how much the prompts say.
        seed: of groups and adapters.
        num_facets: of the variants with facets.
    """

    ms: str
    num_clusters: int | None
    variants: tuple[str, ...]
    preset: LoraPreset
    raft: RaftSettings
    style: PromptStyle
    seed: int
    num_facets: int = NUM_FACETS


class Trained(NamedTuple):
    """Groups and adapters, and what each stage reported."""

    report: DistillationReport  # with the users whom a model failed, and what was spent
    clusters: Clusters
    tokens: TokenReport
    variants: dict[str, Variant]


def persona_settings(
    cfg: DictConfig, variants: tuple[str, ...], style: PromptStyle
) -> PersonaSettings:
    """The settings of a run: ``experiment``, ``training`` and ``seed`` of its config."""
    raft: Any = OmegaConf.to_container(cfg.experiment.raft, resolve=True)
    return PersonaSettings(
        ms=cfg.experiment.ms,
        num_clusters=cfg.experiment.num_clusters,
        variants=variants,
        preset=instantiate(cfg.training),
        raft=raft_settings(**raft),
        style=style,
        seed=cfg.seed,
        num_facets=cfg.experiment.get("num_facets", NUM_FACETS),
    )


def train_personas(
    dataset: Dataset,
    distiller: Distiller,
    model: str,
    settings: PersonaSettings,
    folder: Path,
    workers: Workers = IN_THIS_PROCESS,
) -> Trained:
    """Group the users of a data set and train the adapters of the groups on ``model``.

    Args:
        dataset: its test rows are not read.
        distiller: writes Ms and reasons, without a model or by one.
        model: folder or hub name of the base.
        settings: see there.
        folder: of all adapters.
        workers: that distil, where a model of this machine does, and that train the adapters.
    """
    report = distil(distiller, dataset, workers)
    with progress_bar("personas", total=1) as tick:
        tick("clustering")
        vectors = ms_vectors(settings.ms, dataset.catalog.genre_names)
        people, k = report.distilled.personas, settings.num_clusters
        clusters = find_clusters(people, vectors, k=k, seed=settings.seed)
        tick("writing the RAFT set")
        style = style_for(distiller, settings.style)
        raft, tokens = fitting_raft_set(dataset, model, style, settings.raft, report)
        kinds = {FACETS[name] for name in settings.variants if name in FACETS}
        prefixes = [persona_prefix(p, dataset.catalog.domain, style) for p in people]
        with workers as spread:
            variants = train_variants(
                model,
                raft.examples,
                raft.users,
                clusters.labels,
                settings.preset,
                folder,
                seed=settings.seed,
                names=list(settings.variants),
                vectors=vectors_for(kinds, dataset, raft, prefixes, settings.seed),
                num_facets=settings.num_facets,
                on_step=lambda name, step, loss: tick(f"training {name}") if step == 1 else None,
                spread=spread,
            )
        tick("trained", advance=1)
    return Trained(report, clusters, tokens, variants)
