"""From a log to people on adapters: distil, cluster, RAFT set, train; each kept by content.

What a stage makes lies under ``folder``; a stopped run goes on where it was, and an adapter that
was trained from the same base on the same examples is never trained again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from agents.population.population import Population
from agents.prompts import PromptStyle
from experiments.distil.run import Distiller, distil_with_progress
from simenv.data.dataset import Dataset
from training.adapters.lora_presets import LoraPreset
from training.adapters.variants import people_on, train_variants
from training.distillation.with_model import DistillationReport
from training.examples.prompt_lengths import TokenReport, fitting
from training.examples.raft import RaftSet, RaftSettings, raft_set
from training.groups.clusters import Clusters, find_clusters
from training.groups.ms_vectors import ms_vectors
from training.populate import population_on

Tell = Callable[[str], None]


@dataclass(frozen=True)
class PersonaSettings:
    """How people are grouped and their adapters trained.

    Attributes:
        ms: what groups are made of: ``words`` or ``numbers`` of Ms.
        num_clusters: personas; None = the elbow.
        variant: see ``train_variants``; ``none`` = no adapters.
        preset: of the training.
        raft: which training rows are asked about.
        seed: of groups and adapters.
    """

    ms: str
    num_clusters: int | None
    variant: str
    preset: LoraPreset
    raft: RaftSettings
    seed: int


class Built(NamedTuple):
    """People on adapters, and what each stage had to say."""

    people: Population
    report: DistillationReport  # with the users whom a model failed, and what was spent
    clusters: Clusters
    tokens: TokenReport
    adapters: dict[str, dict[str, Any]]  # name → card of its training


def build(
    dataset: Dataset,
    distiller: Distiller,
    model: str,
    style: PromptStyle,
    settings: PersonaSettings,
    folder: Path,
    tell: Tell,
) -> Built:
    """Make the users of a data set into personas with adapters on ``model``.

    Args:
        dataset: nobody reads its test rows.
        distiller: writes Ms and reasons, without a model or by one.
        model: folder or hub name of the base.
        style: how much the prompts say.
        settings: see there.
        folder: for ``clusters.json`` and ``adapters/``.
        tell: gets a short text when a stage starts.
    """
    tell("distilling")
    report = distil_with_progress(distiller, dataset)
    people = population_on(dataset, model, style, distilled=report.distilled)
    tell("clustering")
    vectors = ms_vectors(settings.ms, dataset.catalog.genre_names)
    clusters = find_clusters(people.personas, vectors, k=settings.num_clusters, seed=settings.seed)
    folder.mkdir(parents=True, exist_ok=True)
    clusters.save(folder / "clusters.json")
    tell("writing the RAFT set")
    raft, tokens = raft_of(dataset, model, style, settings.raft, report)
    variant = train_variants(
        model,
        raft.examples,
        raft.users,
        clusters.labels,
        settings.preset,
        folder / "adapters",
        seed=settings.seed,
        names=[settings.variant],
        on_step=lambda name, step, loss: tell(f"training {name}") if step == 1 else None,
    )[settings.variant]
    on_adapters = people_on(people, variant, clusters.labels)
    return Built(on_adapters, report, clusters, tokens, variant.cards)


def raft_of(
    dataset: Dataset,
    model: str,
    style: PromptStyle,
    settings: RaftSettings,
    report: DistillationReport,
) -> tuple[RaftSet, TokenReport]:
    """The RAFT set that fits into the context of ``model``, with Ms by whoever distilled it."""
    from agents.inference.local.loading import load_shape, load_tokenizer

    by_model = report.distilled if report.sections else None
    limit = int(load_shape(model).max_position_embeddings)
    raft = raft_set(dataset, style, settings, by_model)
    return fitting(raft, load_tokenizer(model), limit)
