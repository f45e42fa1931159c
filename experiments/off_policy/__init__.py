"""Can off-policy estimates be believed? They are checked against the simulator's own truth.

Run::

    personarec experiment=off_policy                     # 200 logs of 400 users, minutes
    personarec experiment=off_policy experiment.repetitions=1000 experiment.num_users=1000

Scripted users of a synthetic world are shown one slate each by a logging policy that says its
chances. From that log alone every estimator values every target policy. What the target is really
worth is found by letting it play before the same world. This is repeated with other people and
other draws: a 95 % interval should contain the truth in 95 of 100 logs.

The reward of a place is the stars given, 0 if the item was not taken. Slates are the first of a
session, so that what a user has seen does not depend on who logged.

Score: ``results.json``, ``cells``: for every pair of policies and every estimator the coverage of
the interval with its binomial 95 % interval, bias, half-width, error, effective sample size and
the share of logs with an overlap warning; ``truth``: what each target is worth.
"""

AIM = "policies"
NEEDS = "nothing more"
TAKES = "50 seconds"
DATA = ("synthetic", "tiny")
USES = ("data", "env", "seed")
REFUSES = {
    "num_users": "set experiment.num_users, the people in each log, or data.num_users",
    "recommender": "set experiment.loggers and experiment.targets",
}
