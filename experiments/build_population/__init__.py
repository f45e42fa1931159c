"""Who are the simulated people? Builds a population: base model, personas, memories and card.

How to run: ``personarec experiment=build_population data=synthetic data.seed=2025``. The base model
is trained with ``pocket`` unless ``slm`` names one; a stopped run goes on from its checkpoint.

How to score: the card in ``population/population.json`` and ``results.json`` hold the held-out RMSE
and calibration beside the simple predictors, on the population's own later ratings and on worlds
that neither the model nor this population has met.
"""

AIM = "making"
NEEDS = "a log, or the synthetic world; extra train"
TAKES = "about 2 hours; 30 minutes with slm=shipped"
USES = ("data", "distiller", "training", "seed", "slm")
SPREADS = True
REFUSES = {
    "num_users": "set data.num_users, the people built, or experiment.num_users, those measured",
}
