"""Do people act as they say they are? A trait on three levels: questionnaire, choice, behaviour.

Run::

    personarec experiment=personality_levels                  # the shipped model, words as traits
    personarec experiment=personality_levels slm=smollm2 num_users=10
    personarec experiment=personality_levels data=population data.path=P users.population=P

The same people are met under eleven conditions: as they are, and low and high in each factor of the
Big Five. A trait enters as words before a person's profile, or as an adapter that the population
holds (``experiment.trait_adapters={E: {high: NAME, low: NAME}}``). Under each condition everybody
fills in a questionnaire, chooses in situations of daily life, and plays sessions in the environment
with the same draws and, under a policy that does not learn, the same slates. Choices are scored by
the words of the options; ``experiment.scoring=letters`` scores the digits they stand behind.

Score: ``results.json``. ``levels.FACTOR.LEVEL`` holds the mean under low, none and high and the
difference of high and low with its interval over people; ``behaviours.FACTOR.NAME`` Cohen's d and
Cliff's delta of every behaviour, expected or not; ``agreement`` the correlations of every two
levels, within people (a trait is imposed) and between people (nothing is), by factor and pooled.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from simenv.data.dataset import Dataset

AIM = "people"
NEEDS = "a model that reads whole sentences, such as slm=smollm2"
TAKES = "minutes on the shipped model; hours with slm=smollm2"
USES = ("data", "users", "engine", "embedder", "env", "recommender", "seed", "slm", "num_users")
REFUSES = {"users.evidence": "no policy is judged; leave it out"}


def questions(cfg: "DictConfig", dataset: "Dataset") -> int:
    """What a run asks if all stay: everybody under every condition, on all three levels."""
    from agents.interviews.readers import instrument_named  # heavy: the package says its aim
    from agents.personality.situations import NUM_OPTIONS
    from experiments.personality_levels.run import situations

    settings = cfg.experiment
    people = min(int(cfg.num_users), dataset.num_users)
    items = len(instrument_named(settings.questionnaire).items) * int(settings.rounds)
    choices = len(situations(settings.situations).items) * NUM_OPTIONS
    visits = int(settings.visits) * int(cfg.env.max_episode_steps) * int(cfg.env.slate_size)
    followed = 2 * 2 * min(int(settings.influence_items), dataset.num_items)  # stars down and up
    conditions = 1 + 2 * len(set(settings.factors))
    options = choices if settings.scoring == "text" else 0  # once more behind no situation
    return conditions * (people * (items + choices + visits + followed) + options)
