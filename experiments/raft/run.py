"""Runs the stage; the question and the score stand in the package docstring."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents.prompts import PromptStyle
from experiments.build_population.stages import raft_of
from experiments.distil.run import distil_with_progress
from experiments.reporting.provenance import provenance
from experiments.reporting.report import write_json
from experiments.train_base.run import initial_model
from simenv.data.dataset import Dataset
from training.examples.raft import RaftSet, raft_settings


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Write ``output_dir/raft.parquet``, one question a row.

    Returns:
        What ``results.json`` holds.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    dataset: Dataset = instantiate(cfg.data)
    report = distil_with_progress(
        instantiate(cfg.distiller)(dataset.catalog, dataset.averages), dataset
    )
    settings = raft_settings(**config["experiment"]["raft"])
    style = PromptStyle(**config["experiment"]["style"])
    model = initial_model(cfg.experiment.slm) or "shipped"
    raft, tokens = raft_of(dataset, model, style, settings, report)
    _write(raft, output_dir / "raft.parquet")
    results = {
        "experiment": cfg.experiment.name,
        "dataset": dataset.name,
        "blocks": len(raft.users),
        "rows": int(raft.examples.weights.sum()),
        "tokens": tokens._asdict(),
        "provenance": provenance(config, started),
    }
    write_json(output_dir / "results.json", results)
    Console().print(f"{results['rows']} questions in {results['blocks']} blocks; {tokens}")
    return results


def _write(raft: RaftSet, path: Path) -> None:
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
    pd.DataFrame(rows).to_parquet(path, compression="zstd", index=False)
