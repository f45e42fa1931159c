"""The page with real people behind it: the shipped ones, those of the config, or its world."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from experiments.people.people import People, scripted
from experiments.simulate.build import Cast, cast, refreshing, society
from experiments.tournament.policies import make_policy
from simenv.abm.live_page.interviewing import Interviewer
from simenv.abm.live_page.running_society import Choice
from simenv.abm.model import PersonaSociety
from simenv.data.dataset import Dataset

if TYPE_CHECKING:
    from agents.population.population import Population

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
    """Builds societies from the config; the language model of a population is loaded once."""

    def __init__(self, cfg: DictConfig, folder: Path) -> None:
        """``folder`` is for adapters that are trained further."""
        self._cfg, self._folder = cfg, folder
        self._folders = {str(name): path for name, path in cfg.experiment.populations.items()}
        self.populations = [_SHIPPED, *self._folders, _WORLD]
        self.recommenders = [str(name) for name in cfg.recommender]
        self.shocks = list(_SHOCKS)
        self.most_users = 200
        self._known: dict[str, tuple[Population, Any]] = {}
        self._loaded(_SHIPPED)  # now, so that the page is there at once
        self._casts: dict[int, Cast] = {}

    def build(self, choice: Choice) -> PersonaSociety:
        """See ``simenv.abm.live_page.running_society.Stage.build``."""
        cfg = self._cfg
        is_world = choice.population == _WORLD
        dataset, people = self._world(choice) if is_world else self._personas(choice)
        drift = cfg.experiment.drift_sd if is_world else 0.0
        writer = instantiate(cfg.distiller)(dataset.catalog, dataset.averages)
        trains = None if is_world else refreshing(cfg, self._folder)
        who = cast(dataset, people, drift, choice.seed, trains, writer)
        options: Any = OmegaConf.to_container(cfg.experiment, resolve=True)
        if is_world:
            options["settings"]["refresh_every"] = 0  # scripted users have no adapters
        options["shocks"] = _SHOCKS[choice.shock]
        policy = make_policy(choice.recommender, cfg.recommender[choice.recommender])
        model = society(dataset, who, policy, options, choice.seed)
        self._casts = {id(model): who}
        return model

    def labels(self, society: PersonaSociety) -> list[str]:
        """See ``simenv.abm.live_page.running_society.Stage.labels``."""
        return self._casts[id(society)].labels

    def interviewer(self, society: PersonaSociety) -> Interviewer | None:
        """See ``simenv.abm.live_page.running_society.Stage.interviewer``."""
        from experiments.simulate.interviewing import interviewer_of

        return interviewer_of(society.user_model)

    def _loaded(self, name: str) -> "tuple[Population, Any]":
        """A population and its engine."""
        if name not in self._known:
            from agents.population.population import Population

            at = self._folders.get(name)
            people = Population.shipped() if at is None else Population.load(at)
            if self._cfg.slm is not None:
                people = people.on_model(self._cfg.slm)
            engine = instantiate(self._cfg.engine)(people.model, adapters=people.adapters)
            self._known[name] = people, engine
        return self._known[name]

    def _world(self, choice: Choice) -> tuple[Dataset, People]:
        dataset = instantiate(self._cfg.data, num_users=choice.num_users)
        return dataset, scripted(dataset)

    def _personas(self, choice: Choice) -> tuple[Dataset, People]:
        from agents.assembly import persona_users
        from experiments.people.sized_populations import first_people, own_dataset

        everybody, engine = self._loaded(choice.population)
        people = first_people(everybody, choice.num_users)
        users = persona_users(people, engine=lambda *_, **__: engine)
        return own_dataset(people), People(users, {}, engine=users.engine, population=people)


_stage: list[ConfiguredStage] = []  # the one on show


def stage_on_show() -> ConfiguredStage:
    """What ``serve`` has set up in this process."""
    return _stage[0]


def serve(cfg: DictConfig) -> None:
    """Show the page on this machine until it is interrupted."""
    _stage[:] = [ConfiguredStage(cfg, Path(cfg.output_dir) / "adapters")]
    os.environ["SOLARA_APP"] = "experiments.simulate.watch"
    os.environ.setdefault("SOLARA_MODE", "production")
    os.environ.setdefault("SOLARA_THEME_SHOW_BANNER", "false")  # it lies over the page's foot
    import uvicorn

    port = int(cfg.experiment.port)
    Console().print(f"Page: http://{_HOST}:{port}  (Ctrl-C ends it)", highlight=False)
    uvicorn.run("solara.server.starlette:app", host=_HOST, port=port, log_level="warning")
