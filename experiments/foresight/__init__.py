"""Does it pay to look ahead, and does a learner find out?

In ``env=foresight`` tempting items please now and wear people out, nourishing ones bring them back
(as in RecSim's long-term satisfaction), so the best next slate is not the best life. For scripted
users the optimum is known by dynamic programming, and the oracle of the next slate is the best that
can be done without foresight. PPO and DQN learn from half of the users; everybody is then shown to
the other half, one life each, with the same draws.

Run::

    personarec experiment=foresight                              # scripted users
    personarec experiment=foresight experiment.people=shipped    # the shipped users, no optimum
    personarec experiment=foresight experiment.people=shipped env=sessions   # one visit each

Score: ``results.json``, ``levels``: what a life is worth under every policy, with 95 % intervals,
over users for policies and over seeds for learners; ``curves``: the same after so many slates shown
in training.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from agents.persona_users import PersonaUsers
    from agents.population.population import Population

AIM = "policies"
NEEDS = "extra rl"
TAKES = "50 seconds; about half an hour with the shipped users"
USES = ("engine", "env", "recommender", "seed", "num_users")
ONLY_WITH: dict[str, str] = {}


def asked_users(
    cfg: "DictConfig", engine: Callable[..., Any]
) -> "tuple[PersonaUsers, Population] | None":
    """The shipped people; None where scripted users answer. See ``--dry-run``."""
    from agents.assembly import persona_users  # heavy: the package says its aim
    from agents.population.population import Population

    if cfg.experiment.people != "shipped":
        return None
    people = Population.shipped()
    return persona_users(people, engine), people


def questions(cfg: "DictConfig", people: "Population") -> int:
    """What a run asks if every life is whole: opinions of the judges, lives, and all training."""
    settings, slate = cfg.experiment, int(cfg.env.slate_size)
    seeds, dqn = len(settings.seeds), bool(settings.dqn_steps)
    judges = min(int(cfg.num_users), len(people.personas) // 2)
    lives = 1 + len(cfg.recommender) + seeds * (int(settings.num_checkpoints) + 1 + dqn)
    learnt = seeds * (int(settings.ppo.total_steps) + int(settings.dqn_steps))
    life = int(cfg.env.max_episode_steps) * slate
    return judges * (len(people.catalog) + lives * life) + learnt * slate
