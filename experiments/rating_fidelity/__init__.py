"""How well do personas on adapters and memories rate what the real user rated? The paper's table.

How to run: ``personarec experiment=rating_fidelity data=movielens_1m data.min_ratings=100
data.max_ratings=200 data.num_users=200``; a stopped run goes on where it was. The base of the
population regime is trained with ``experiment=train_base`` on people who are in no draw.

How to score: RMSE, MAE, URR and calibration on every test row of the drawn users, beside always-4,
means, the bias model and matrix factorisation learnt from the same rows, averaged over draws, with
95 % intervals that resample draws and users.
"""

AIM = "people"
NEEDS = "a log, as MovieLens-1M; extra train"
TAKES = "hours"
USES = ("data", "training", "slm")
REFUSES = {
    "num_users": "everybody who was drawn is asked; set data.num_users",
    "seed": "set experiment.draws, a list of seeds",
    "data.seed": "set experiment.draws, a list of seeds",
    "data.regime": "set experiment.regimes",
}
