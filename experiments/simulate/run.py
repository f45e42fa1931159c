"""Lets the societies live and writes the files; question and score stand in the package docstring.

Files: ``results.json``, ``report.html``, ``report.md``, ``config.yaml``, and for each policy a
folder ``policies/NAME`` with ``interactions.parquet``, ``curves.parquet`` and the checkpoint.
Adapters that were trained further lie in ``adapters/``, each version under its own name.
"""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents.inference.metering.meter import EngineMeter, in_words
from experiments.reporting.progress import Tick, progress_bar
from experiments.reporting.provenance import provenance, public
from experiments.reporting.report import write_json
from experiments.simulate import society_page as page
from experiments.simulate.build import Cast, cast, refreshing, society
from simenv.abm.model import PersonaSociety
from simenv.data.dataset import Dataset

if TYPE_CHECKING:
    from agents.living.adapter_refresh import Refresh


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Live with every policy of ``cfg.recommender`` for ``cfg.experiment.ticks`` ticks.

    Returns:
        What ``results.json`` holds; nothing where ``cfg.app`` asked for the page instead.

    Raises:
        FileNotFoundError: ``cfg.resume`` names no run.
        TooManyFailuresError: too many users failed in a tick; the state is saved.
    """
    if cfg.resume is not None:
        cfg, output_dir = _resumed(cfg)
    dataset: Dataset = instantiate(cfg.data)
    if cfg.app:
        from experiments.simulate.serve import serve

        serve(cfg, output_dir)
        return {}
    logging.getLogger("MESA").setLevel(logging.WARNING)  # it tells of every step
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    output_dir.mkdir(parents=True, exist_ok=True)
    (output_dir / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(config)), "utf-8")
    people = instantiate(cfg.users)(dataset)
    who = cast(
        dataset,
        people,
        cfg.experiment.drift_sd,
        cfg.seed,
        refreshing(cfg, output_dir / "adapters"),
        instantiate(cfg.distiller)(dataset.catalog, dataset.averages),
    )
    policies, asking = {}, EngineMeter(people.engine)
    with progress_bar("ticks", total=cfg.experiment.ticks * len(cfg.recommender)) as tick:
        for name in cfg.recommender:
            folder = output_dir / "policies" / str(name)
            policies[str(name)] = _live(cfg, str(name), dataset, who, folder, tick)
    engine = asking.report()
    results = {
        "experiment": cfg.experiment.name,
        "debug": cfg.get("debug"),
        "ticks": cfg.experiment.ticks,
        "people": people.card,
        "groups": who.labels,
        "setting": {
            "users": dataset.num_users,
            "items": dataset.num_items,
            **config["experiment"]["settings"],
        },
        "shocks": config["experiment"]["shocks"],
        "policies": policies,
        "engine": public(engine),
        "provenance": provenance(config, started),
    }
    write_json(output_dir / "results.json", results)
    page.write(output_dir, results, OmegaConf.to_yaml(OmegaConf.create(config)))
    page.tell(results, Console())
    Console().print(in_words(engine), style="dim", highlight=False)
    Console().print(f"Report: {output_dir / 'report.html'}", highlight=False, soft_wrap=True)
    return results


def build(
    cfg: DictConfig, name: str, dataset: Dataset, who: Cast, folder: Path | None
) -> PersonaSociety:
    """The society of one policy, from its last checkpoint where there is one."""
    options: Any = OmegaConf.to_container(cfg.experiment, resolve=True)
    return society(
        dataset,
        who,
        instantiate(cfg.recommender[name]),
        settings=options["settings"],
        activation=options["activation"],
        social=options["social"],
        shocks=options["shocks"],
        seed=cfg.seed,
        folder=folder,
        resume=True,
    )


def _live(
    cfg: DictConfig, name: str, dataset: Dataset, who: Cast, folder: Path, tick: Tick
) -> dict[str, Any]:
    model = build(cfg, name, dataset, who, folder)
    tick(name, advance=min(model.steps, cfg.experiment.ticks))
    while model.steps < cfg.experiment.ticks:
        model.step()
        tick(f"{name}: {model.datacollector.model_vars['active'][-1]:.0f} awake", advance=1)
    model.finish()
    frame = model.datacollector.get_model_vars_dataframe()
    frame.to_parquet(folder / "curves.parquet")
    return {
        "curves": {column: [round(v, 6) for v in frame[column]] for column in frame},
        "exposures": int(frame["active"].sum()) * cfg.experiment.settings.slate_size,
        "refreshes": [_told(refresh) for refresh in getattr(who.users, "refreshes", [])],
        "refits": [refit._asdict() for refit in model.platform.refits],
        "seconds": {
            "total": round(model.total_seconds, 3),
            "users": round(model.user_seconds, 3),
            "policy": round(model.platform.seconds, 3),
        },
    }


def _told(refresh: "Refresh") -> dict[str, Any]:
    after = None if refresh.after is None else refresh.after._asdict()
    return {**refresh._asdict(), "before": refresh.before._asdict(), "after": after}


def _resumed(cfg: DictConfig) -> tuple[DictConfig, Path]:
    """The config and the folder of an earlier run; only how long it lasts may be another."""
    folder = Path(cfg.resume)
    if not (folder / "config.yaml").is_file():
        raise FileNotFoundError(
            f"resume wanted the folder of a run, got {folder.name!r} without a config.yaml;"
            " give the output_dir of the run to go on with"
        )
    earlier = DictConfig(OmegaConf.load(folder / "config.yaml"))
    earlier.resume, earlier.app = None, cfg.app
    earlier.experiment.ticks = max(cfg.experiment.ticks, earlier.experiment.ticks)
    return earlier, folder
