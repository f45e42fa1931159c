"""Lets the societies live; question and score stand in the package docstring.

Files: ``results.json``, ``report.html``, ``report.md``, ``config.yaml``, and for each policy a
folder ``policies/NAME`` with ``interactions.parquet``, ``curves.parquet`` and the checkpoint.
Adapters that were trained further lie in ``adapters/``, each version under its own name.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from agents.inference.metering.meter import EngineMeter
from agents.inference.server.masking import masked_config, refilled_config
from experiments.people.people import People
from experiments.reporting.failed_answers import failed_answers
from experiments.reporting.progress import Tick, progress_bar
from experiments.reporting.provenance import public
from experiments.reporting.result import Result
from experiments.simulate import society_page as page
from experiments.simulate.build import Cast, cast, refreshing, society
from experiments.tournament.policies import make_policy
from simenv.abm.model import PersonaSociety
from simenv.data.dataset import Dataset
from simenv.whole_files import replace_whole, write_whole

if TYPE_CHECKING:
    from agents.living.adapter_refresh import Refresh


def run(cfg: DictConfig) -> Result | None:
    """Live with every policy of ``cfg.recommender`` for ``cfg.experiment.ticks`` ticks.

    Returns:
        The result; None where ``cfg.app`` asked for the live page instead.

    Raises:
        FileNotFoundError: ``cfg.resume`` names no run.
        TooManyFailuresError: too many users failed in a tick; the state is saved.
    """
    if cfg.resume is not None:
        cfg = _resumed(cfg)
    if cfg.app:
        from experiments.simulate.serve import serve

        serve(cfg)
        return None
    logging.getLogger("MESA").setLevel(logging.WARNING)  # it reports every step
    # With all paths, unlike the reports: a run that is resumed has to find its data again.
    plain: Any = OmegaConf.to_container(cfg, resolve=True)
    config_yaml = OmegaConf.to_yaml(OmegaConf.create(masked_config(plain)))
    folder = Path(cfg.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "policies").is_dir():  # else the folder's run goes on, or refuses this config
        write_whole(folder / "config.yaml", config_yaml.encode())
    values = _lived(cfg)
    return Result(
        values,
        pages={"report.html": page.html, "report.md": page.markdown, "config.yaml": config_yaml},
        lines=page.lines(values),
        config=cfg,
    )


def _lived(cfg: DictConfig) -> dict[str, Any]:
    """All that ``results.json`` holds, after every policy had its turn."""
    dataset: Dataset = instantiate(cfg.data)
    people: People = instantiate(cfg.users)(dataset)
    who, asking = _cast(cfg, dataset, people), EngineMeter(people.engine)
    policies = _lives(cfg, dataset, who)
    options: Any = OmegaConf.to_container(cfg.experiment, resolve=True)
    sizes = {"users": dataset.num_users, "items": dataset.num_items}
    return {
        "experiment": cfg.experiment.name,
        "debug": cfg.get("debug"),
        "ticks": cfg.experiment.ticks,
        "people": people.card,
        "groups": who.labels,
        "setting": sizes | options["settings"],
        "shocks": options["shocks"],
        "policies": policies,
        "engine": public(asking.report()),
        "failed_answers": _failed(policies, options["settings"]["slate_size"]),
    }


def _lives(cfg: DictConfig, dataset: Dataset, who: Cast) -> dict[str, dict[str, Any]]:
    """What became of the society under every policy, one after the other."""
    policies = {}
    with progress_bar("ticks", total=cfg.experiment.ticks * len(cfg.recommender)) as tick:
        for name in map(str, cfg.recommender):
            folder = Path(cfg.output_dir) / "policies" / name
            policies[name] = _live(cfg, name, dataset, who, folder, tick)
    return policies


def _failed(policies: dict[str, dict[str, Any]], slate_size: int) -> dict[str, Any]:
    """Of the whole lives, whatever part of them this process has seen."""
    curves = [policy["curves"] for policy in policies.values()]
    asked = sum(sum(own["active"]) + sum(own["failed"]) for own in curves)
    unanswered = sum(sum(own["unanswered"]) for own in curves)
    return failed_answers(round(asked * slate_size), round(unanswered * slate_size))


def _cast(cfg: DictConfig, dataset: Dataset, people: People) -> Cast:
    trains = refreshing(cfg, Path(cfg.output_dir) / "adapters")
    distiller = instantiate(cfg.distiller)(dataset.catalog, dataset.averages)
    return cast(dataset, people, cfg.experiment.drift_sd, cfg.seed, trains, distiller)


def _live(
    cfg: DictConfig, name: str, dataset: Dataset, who: Cast, folder: Path, tick: Tick
) -> dict[str, Any]:
    options: Any = OmegaConf.to_container(cfg.experiment, resolve=True)
    model = society(
        dataset, who, make_policy(name, cfg.recommender[name]), options, cfg.seed, folder
    )
    tick(name, advance=min(model.steps, cfg.experiment.ticks))
    while model.steps < cfg.experiment.ticks:
        model.step()
        tick(f"{name}: {model.datacollector.model_vars['active'][-1]:.0f} awake", advance=1)
    model.finish()
    frame = model.datacollector.get_model_vars_dataframe()
    replace_whole(folder / "curves.parquet", frame.to_parquet)
    exposures = int(frame["active"].sum()) * cfg.experiment.settings.slate_size
    curves = {column: [round(v, 6) for v in frame[column]] for column in frame}
    return {"curves": curves, "exposures": exposures, **_costs(model, who)}


def _costs(model: PersonaSociety, who: Cast) -> dict[str, Any]:
    """Trainings of adapters, refits of the policy, and seconds."""
    return {
        "refreshes": [_plain(refresh) for refresh in (who.living.refreshes if who.living else ())],
        "refits": [refit._asdict() for refit in model.platform.refits],
        "seconds": {
            "total": round(model.total_seconds, 3),
            "users": round(model.user_seconds, 3),
            "policy": round(model.platform.seconds, 3),
        },
    }


def _plain(refresh: "Refresh") -> dict[str, Any]:
    after = None if refresh.after is None else refresh.after._asdict()
    return {**refresh._asdict(), "before": refresh.before._asdict(), "after": after}


def _resumed(cfg: DictConfig) -> DictConfig:
    """The config of an earlier run, in its folder; only how long it lasts may be another.

    Keys were not written down: they are taken from this command or the environment.
    """
    folder = Path(cfg.resume)
    if not (folder / "config.yaml").is_file():
        raise FileNotFoundError(
            f"resume wanted the folder of a run, got {folder.name!r} without a config.yaml;"
            " give the output_dir of the run to go on with"
        )
    written = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    earlier = DictConfig(refilled_config(written, OmegaConf.to_container(cfg, resolve=True)))
    earlier.resume, earlier.app, earlier.output_dir = None, cfg.app, str(folder)
    earlier.experiment.ticks = max(cfg.experiment.ticks, earlier.experiment.ticks)
    return earlier
