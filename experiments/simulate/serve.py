"""The page with real people behind it: the shipped population, or the world of the config."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from experiments.people import People, scripted
from experiments.simulate.build import Cast, cast, society
from simenv.abm.app import Choice
from simenv.abm.model import PersonaSociety
from simenv.data.dataset import Dataset

_SHIPPED, _WORLD = "shipped people", "scripted world"
_SHOCKS: dict[str, list[dict[str, Any]]] = {
    "no shock": [],
    "holiday at 10": [{"kind": "holiday", "tick": 10, "ticks": 8, "size": 3.0}],
    "viral item at 10": [{"kind": "viral", "tick": 10, "ticks": 8, "items": [0], "size": 0.8}],
    "scandal at 10": [
        {"kind": "scandal", "tick": 10, "ticks": 8, "items": list(range(100)), "size": 1.5}
    ],
}
_HOST = "127.0.0.1"


class ConfiguredStage:
    """Builds societies from the config; a language model is loaded once."""

    def __init__(self, cfg: DictConfig) -> None:
        self._cfg = cfg
        self.populations = [_SHIPPED, _WORLD]
        self.recommenders = [str(name) for name in cfg.recommender]
        self.shocks = list(_SHOCKS)
        self.most_users = 200
        self._engine = self._load_engine()  # now, so that the page is there at once
        self._casts: dict[int, Cast] = {}

    def build(self, choice: Choice) -> PersonaSociety:
        """See ``simenv.abm.app.Stage.build``."""
        cfg = self._cfg
        made = self._shipped if choice.population == _SHIPPED else self._world
        dataset, people = made(choice)
        drift = 0.0 if choice.population == _SHIPPED else cfg.experiment.drift_sd
        who = cast(dataset, people, drift, choice.seed)
        options: Any = OmegaConf.to_container(cfg.experiment, resolve=True)
        model = society(
            dataset,
            who,
            instantiate(cfg.recommender[choice.recommender]),
            settings=options["settings"],
            activation=options["activation"],
            social=options["social"],
            shocks=_SHOCKS[choice.shock],
            seed=choice.seed,
        )
        self._casts = {id(model): who}
        return model

    def labels(self, society: PersonaSociety) -> list[str]:
        """See ``simenv.abm.app.Stage.labels``."""
        return self._casts[id(society)].labels

    def _load_engine(self) -> Any:
        from agents.population import Population

        shipped = Population.shipped()
        return instantiate(self._cfg.engine)(shipped.model, adapters=shipped.adapters)

    def _world(self, choice: Choice) -> tuple[Dataset, People]:
        dataset = instantiate(self._cfg.data, num_users=choice.num_users)
        return dataset, scripted(dataset, np.zeros(0, dtype=np.int64))

    def _shipped(self, choice: Choice) -> tuple[Dataset, People]:
        from agents.assembly import persona_users
        from agents.population import Population

        everybody = Population.shipped()
        n = choice.num_users
        history = everybody.history
        own = history.users < n
        log = replace(history.take(own), num_users=n)
        people = replace(
            everybody,
            personas=everybody.personas[:n],
            history=log,
            reasons=[r for r, mine in zip(everybody.reasons, own.tolist(), strict=True) if mine],
        )
        users = persona_users(people, engine=lambda *_, **__: self._engine)
        nothing = log.take(np.zeros(len(log), dtype=np.bool_))
        ids = tuple(str(user) for user in range(n))
        dataset = Dataset(people.name, people.catalog, log, nothing, ids)
        return dataset, People(users, {})


_stage: list[ConfiguredStage] = []  # the one on show


def stage_on_show() -> ConfiguredStage:
    """What ``serve`` has set up in this process."""
    return _stage[0]


def serve(cfg: DictConfig, output_dir: Path) -> None:
    """Show the page on this machine until it is interrupted."""
    _stage[:] = [ConfiguredStage(cfg)]
    os.environ["SOLARA_APP"] = "experiments.simulate.watch"
    os.environ.setdefault("SOLARA_MODE", "production")
    import uvicorn

    port = int(cfg.experiment.port)
    Console().print(f"Page: http://{_HOST}:{port}  (Ctrl-C ends it)", highlight=False)
    uvicorn.run("solara.server.starlette:app", host=_HOST, port=port, log_level="warning")
