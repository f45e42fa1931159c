"""Can a simulator be believed? In worlds whose truth is known: which judge finds the best policy?

Run::

    personarec experiment=worlds                            # 20 worlds at 3 levels of logging bias
    personarec experiment=worlds users=ridge                # another kind of users in their place
    personarec experiment=worlds users.evidence=independent  # people share no row with policies
    personarec experiment=worlds data=reading_world         # worlds in which summaries must be read
    personarec experiment=worlds debug=tiny users=scripted  # seconds, no meaning

In every world all policies are fitted on one log and show one slate to the same users. Each judge
puts a value on every policy: offline metrics and off-policy estimates from the held-out rows of the
log, and users (``users=…``, and two rating predictors without a language model) by the stars they
expect of what is shown to them. The truth is what the true users expect of the same slates.

The off-policy estimates are given the true logging chances, which are unknown outside a synthetic
world: they are the best case of their kind. The simulated users read training
rows only.

``users.evidence`` says which training rows people are made of: all, from which the policies learnt
too (``shared``); with ``independent`` everybody's rows are cut in two, policies learn from one half
and judges (people, predictors, readers) from the other, then the halves are swapped and the two
values of a policy are averaged; with ``mixed`` judges know both halves. A judge that shares its
rows with a policy loves that policy's mistakes.

A world lies in ``cells/``, one JSON file each; a run that was stopped goes on where it was, and
runs with the same ``experiment.cells`` folder share their worlds.

Score: ``results.json``. ``levels.BIAS.judges.NAME`` holds the mean of Kendall's tau with the truth
over worlds and its interval, how often the truly best policy was picked, what the pick cost in true
stars, and the share of right orders among pairs of policies that differ by at least
``experiment.clear_gap`` true stars. ``differences`` are paired by world, Holm-adjusted in a level.
``easy_mode`` holds what the users say of deliberately bad slates. ``knowable`` holds the share of
the knowable: (squared error of the bias model - that of the users) / (that of the bias model - that
of a perfect reader), on held-out rows and, in a world that must be read (``data=reading_world``),
on items that nobody has rated; a reader of genres and years alone stands beside them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from simenv.data.dataset import Dataset

AIM = "policies"
NEEDS = "nothing more"
TAKES = "40 minutes; about 20 without a language model"
DATA = ("synthetic", "tiny", "reading_world")
USES = ("data", "users", "engine", "embedder", "recommender", "seed", "slm")
REFUSES = {
    "num_users": "set experiment.num_users, the people asked in each world",
    "data.seed": "set experiment.first_world",
}


def questions(cfg: "DictConfig", dataset: "Dataset") -> int:
    """What a run asks: a slate of every policy to every user of every world."""
    settings = cfg.experiment
    users = min(int(settings.num_users), dataset.num_users)
    worlds = int(settings.worlds) * len(settings.biases)
    return worlds * users * len(cfg.recommender) * int(settings.slate_size)
