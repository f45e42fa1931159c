"""Profiles of a data set's users by either distiller, with a bar, and the RAFT set made of them."""

from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.prompt_style import PromptStyle
from experiments.reporting.progress import progress_bar
from simenv.data.dataset import Dataset
from training.distillation.chains import batches_of
from training.distillation.ledger import Spending
from training.distillation.tellers import Teller
from training.distillation.with_local_model import LocalDistiller
from training.distillation.with_model import DistillationReport, OpenAIDistiller
from training.examples.prompt_lengths import TokenReport, fitting
from training.examples.raft import RaftSet, RaftSettings, raft_set
from training.spreading import IN_THIS_PROCESS, Workers

Distiller = Teller | OpenAIDistiller | LocalDistiller


def made_distiller(cfg: DictConfig, dataset: Dataset) -> Distiller:
    """The distiller that the config names, for the items of a data set."""
    distiller: Distiller = instantiate(cfg.distiller)(dataset.catalog, dataset.averages)
    return distiller


def distil(
    distiller: Distiller, dataset: Dataset, workers: Workers = IN_THIS_PROCESS
) -> DistillationReport:
    """Distil the training rows with either distiller, showing progress and cost.

    Args:
        distiller: see there.
        dataset: whose training rows.
        workers: that write, where a model of this machine is the distiller. A paid server is asked
            by this process alone, many requests at once: one budget, one folder of paid answers.
    """
    if isinstance(distiller, Teller):
        free = Spending(0, 0, 0, 0, 0.0, 0.0, 0, None)
        return DistillationReport(distiller.distil(dataset.train), {}, {}, free)
    num_batches = sum(len(batches) for batches in batches_of(dataset.train).values())
    with progress_bar("distil", total=num_batches) as tick:
        if not isinstance(distiller, LocalDistiller):
            return distiller.distil_with_report(dataset.train, tick)
        with workers as spread:
            return distiller.distil_with_report(dataset.train, tick, spread)


def fitting_raft_set(
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
    raft = raft_set(dataset, style, settings, by_model, model)
    return fitting(raft, load_tokenizer(model), limit)
