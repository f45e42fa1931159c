"""Runs the stage; the question and the score stand in the package docstring.

Files: ``raft.parquet`` (one question a row), ``results.json`` and ``config.yaml``.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from agents.prompt_style import PromptStyle
from experiments.people.base_models import model_named
from experiments.people.distilled import distil, fitting_raft_set, made_distiller
from experiments.reporting.result import Result
from simenv.data.dataset import Dataset
from training.distillation.tellers import style_for
from training.examples.raft import RaftSet, raft_settings

if TYPE_CHECKING:
    import pandas as pd


def run(cfg: DictConfig) -> Result:
    """Write the questions that adapters of the people of ``cfg.data`` would learn from."""
    options: Any = OmegaConf.to_container(cfg.experiment, resolve=True)
    dataset: Dataset = instantiate(cfg.data)
    distiller = made_distiller(cfg, dataset)
    report, settings = distil(distiller, dataset), raft_settings(**options["raft"])
    style = style_for(distiller, PromptStyle(**options["style"]))
    model = model_named(options["slm"])
    raft, tokens = fitting_raft_set(dataset, model, style, settings, report)
    values = {
        "experiment": cfg.experiment.name,
        "dataset": dataset.name,
        "blocks": len(raft.users),
        "rows": int(raft.examples.weights.sum()),
        "tokens": tokens._asdict(),
    }
    line = f"{values['rows']} questions in {values['blocks']} blocks; {tokens}"
    return Result(values, frames={"raft.parquet": _questions(raft)}, lines=[line])


def _questions(raft: RaftSet) -> "pd.DataFrame":
    import pandas as pd

    examples = raft.examples
    turns = examples.ratings.shape[1]
    counts = np.flatnonzero(examples.weights.reshape(-1))
    rows = {
        "user": np.repeat(raft.users, turns)[counts],
        "prefix": [examples.prefixes[row // turns] for row in counts],
        "suffix": [examples.suffixes[row] for row in counts],
        "rating": examples.ratings.reshape(-1)[counts],
    }
    return pd.DataFrame(rows)
