"""Whose profile is this? From its words alone, who of 20 people gave these later ratings.

How to run: ``personarec experiment=linking data=movielens_1m data.min_ratings=100
data.max_ratings=200 data.num_users=200``. The reader learns on people outside the draw; it knows no
language model.

How to score: top-1 over many sets of people beside chance, with 95 % intervals that resample
people; a profile that fits nobody better than another's does not describe its owner.
"""

AIM = "people"
NEEDS = "a log of many people, as MovieLens-1M"
TAKES = "2 minutes"
USES = ("data",)
REFUSES = {
    "num_users": "everybody who was drawn is judged; set data.num_users",
    "seed": "set experiment.draws, a list of seeds",
    "data.seed": "set experiment.draws, a list of seeds",
    "data.regime": "the reader learns on people outside the draw, so it is the population's",
}
