"""Are persona groups worth adapters of their own? Trains the variants (stage 4 of a population).

How to run: ``personarec experiment=train_adapters data=movielens_1m … slm=FOLDER``; what
was trained from the same base on the same examples is not trained again.

How to score: rows, losses and seconds of every adapter; ``rating_fidelity`` says what they are
worth on later ratings.
"""

AIM = "making"
NEEDS = "extra train"
TAKES = "about 30 minutes"
USES = ("data", "distiller", "training", "seed", "slm")
SPREADS = True
REFUSES = {
    "num_users": "everybody belongs to a group; set data.num_users",
}
