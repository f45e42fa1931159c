"""Puts a society together: people of a data set, a policy, and a world that moves where it may."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from omegaconf import DictConfig, OmegaConf

from experiments.people.people import People
from simenv.abm.activation import Activation, ReturnTimes, SteadyShare, weekly_rhythm
from simenv.abm.model import PersonaSociety
from simenv.abm.moving_world import LivingTruth, MovingWorld
from simenv.abm.settings import SocietySettings
from simenv.abm.shocks import Shock
from simenv.abm.social import SocialSettings
from simenv.data.dataset import Dataset
from simenv.events import IntArray, InteractionLog
from simenv.policy import LearningPolicy
from simenv.user_model import UserModel
from simenv.users.lives import Life

if TYPE_CHECKING:
    from agents.living.adapter_refresh import Refresher
    from agents.living.reflection import LivingUsers
    from agents.persona_users import PersonaUsers
    from training.distillation.offline import Distilled


class Cast(NamedTuple):
    """Who lives in the society and how they are grouped."""

    users: UserModel
    world: MovingWorld | None
    activity: IntArray  # (U,) 1, 2 or 3
    groups: IntArray  # (U,) from 0
    labels: list[str]  # one a group
    living: "LivingUsers | None" = None  # the users, where they are personas that reflect


class Distils(Protocol):
    """Who writes profiles, with a model or without."""

    def distil(self, log: InteractionLog) -> "Distilled":
        """One persona a user of the log."""
        ...


class Refreshing(NamedTuple):
    """How the adapters of personas are trained further while they live."""

    settings: Mapping[str, Any]  # of ``agents.living.adapter_refresh.RefreshSettings``
    training: Mapping[str, Any]  # of ``training.adapters.lora_presets.lora_preset``
    folder: Path  # of all adapters


def cast(
    dataset: Dataset,
    people: People,
    drift_sd: float,
    seed: int,
    refreshing: Refreshing | None = None,
    distiller: "Distils | None" = None,
) -> Cast:
    """The people of a data set, alive: a known truth drifts, personas reflect.

    Args:
        dataset: whose people they are.
        people: who answers.
        drift_sd: see ``LivingTruth``.
        seed: of the drift, and of trainings.
        refreshing: None = adapters stay as they are.
        distiller: writes profiles anew when people reflect; without a model they are written as the
            people's style tells them, whichever distiller is named.

    Raises:
        ValueError: tastes are to drift where nobody knows them, or adapters are to be trained
            where there are none.
    """
    from agents.persona_users import PersonaUsers

    if isinstance(people.model, PersonaUsers):
        if drift_sd:
            raise ValueError(
                f"drift_sd wanted a world with known tastes, got personas and {drift_sd};"
                " personas change by reflecting: set experiment.settings.reflect_every, or take"
                " users=scripted"
            )
        trains = None if refreshing is None else refresher(people.model, seed, refreshing)
        return _personas(dataset, people.model, trains, distiller)
    if people.card.get("on_disk"):
        raise ValueError(
            "experiment=simulate wanted people in memory, got users.on_disk: in a society they"
            " hear of each other and become others, which people on disk cannot; leave it out, or"
            " take experiment=policy_ranking"
        )
    return _scripted(dataset, people.model, drift_sd, seed)


def _scripted(dataset: Dataset, model: UserModel, drift_sd: float, seed: int) -> Cast:
    from simenv.users.scripted_users import ScriptedUsers

    truth, catalog = dataset.truth, dataset.catalog
    activity = np.full(dataset.num_users, 2) if truth is None else truth.activity
    labels = [f"activity {level}" for level in np.unique(activity)]
    groups = np.unique(activity, return_inverse=True)[1]
    if truth is None:
        return Cast(model, None, activity, groups, labels)
    world = LivingTruth(
        truth,
        catalog.genre_matrix,
        truth.conformity,
        dataset.averages.fair,
        noise_sd=truth.noise_sd,
        drift_sd=drift_sd,
        seed=seed,
    )
    users = ScriptedUsers(world, dataset.num_users, dataset.num_items, activity=activity)
    return Cast(users, world, activity, groups, labels)


def _personas(
    dataset: Dataset,
    model: "PersonaUsers",
    trains: "Refresher | None",
    distiller: "Distils | None",
) -> Cast:
    from agents.living.reflection import LivingUsers
    from training.distillation.tellers import Teller, teller

    personas = model.population.personas
    activity = np.array([persona.activity for persona in personas])
    clusters = np.array([persona.cluster for persona in personas])
    kind, own = ("persona", clusters) if len(set(clusters.tolist())) > 1 else ("activity", activity)
    names, groups = np.unique(own, return_inverse=True)
    without_model = distiller is None or isinstance(distiller, Teller)
    told = teller(model.population.style, dataset.catalog, dataset.averages)
    writer: Distils = told if distiller is None or without_model else distiller
    users = LivingUsers(model, lambda log: writer.distil(log).personas, trains)
    # They hear of averages and scandals themselves, and their snapshot holds what they heard.
    return Cast(users, users, activity, groups, [f"{kind} {name}" for name in names], users)


def refreshing(cfg: DictConfig, folder: Path) -> Refreshing | None:
    """How adapters are trained further, below ``folder``; None where the config says never."""
    options: Any = OmegaConf.to_container(cfg.experiment, resolve=True)
    if not options["settings"]["refresh_every"]:
        return None
    settings = options["refresh"]
    return Refreshing(settings, settings.pop("training"), folder)


def refresher(model: "PersonaUsers", seed: int, refreshing: Refreshing) -> "Refresher":
    """Who trains the adapters of these people further."""
    from agents.living.adapter_refresh import Refresher, RefreshSettings
    from training.adapters.from_diary import FurtherTraining
    from training.adapters.lora_presets import lora_preset

    settings, preset = RefreshSettings(**refreshing.settings), lora_preset(**refreshing.training)
    train = FurtherTraining(model.population.model, refreshing.folder, preset, seed=seed)
    return Refresher(model, train, refreshing.folder, settings)


def society(
    dataset: Dataset,
    who: Cast,
    policy: LearningPolicy,
    options: Mapping[str, Any],
    seed: int = 0,
    folder: Path | None = None,
) -> PersonaSociety:
    """A society at its first tick, or at the last checkpoint in its folder.

    Args:
        dataset: catalogue, and the log that everybody brings.
        who: lives in it.
        policy: what recommends.
        options: as in ``conf/experiment/simulate.yaml``: ``settings`` of ``SocietySettings``;
            ``activation``, ``share`` for the same share every tick, else fields of ``Life`` and
            ``ticks_per_day`` (the weekly rhythm comes from the log where its timestamps show it);
            ``social`` of ``SocialSettings``; ``shocks``, each of ``Shock``.
        seed: of every draw.
        folder: of log and checkpoints; None = neither is kept.
    """
    return PersonaSociety(
        who.users,
        policy,
        dataset.catalog,
        dataset.train,
        averages=dataset.averages,
        activity=who.activity,
        groups=who.groups,
        settings=SocietySettings(**options["settings"]),
        activation=_activation(dataset, dict(options["activation"])),
        social=SocialSettings(**options["social"]),
        shocks=[Shock(**shock) for shock in options["shocks"]],
        world=who.world,
        seed=seed,
        folder=folder,
        resume=folder is not None,
    )


def _activation(dataset: Dataset, options: dict[str, Any]) -> Activation:
    share = options.pop("share", None)
    ticks = options.pop("ticks_per_day")
    if share is not None:
        return SteadyShare(share, ticks)
    return ReturnTimes(Life(**options), weekly_rhythm(dataset.train), ticks)
