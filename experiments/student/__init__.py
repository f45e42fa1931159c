"""How much faster are people whose student answers where it is sure, and what is lost by it?

Run::

    personarec experiment=student                                    # the shipped population
    personarec experiment=student data=movielens_1m data.path=PATH users.population=null
    personarec experiment=policy_ranking … users.student=FOLDER/student   # then use it

The people answer ``experiment.questions`` drawn questions on their language model. A student, a few
small networks, learns from the answers; how far the networks disagree is its doubt, and where that
is above what the share ``experiment.share_asked`` of the last questions showed, the model is asked:
a cascade. Rows that are held out are asked about by nobody until the student is finished.

Score: ``results.json``. ``learning`` compares the student with the model on the last tenth of the
questions, from which it did not learn: ``nats`` (Kullback-Leibler divergence of its distributions
from the model's, mean) and ``stars`` (mean distance of expected stars), for the student alone and
for the cascade. ``held_out`` gives the log loss of people's real later ratings under each.
``orders`` holds every policy's mean rating by people asked in full and through the cascade, and
Kendall's tau of the two orders. ``speed`` is exposures a second of both, by turns over the same
questions, and their ratio; ``share_asked`` of the language model stands beside every figure.

Files: ``student/`` (for ``users.student``), ``results.json``, ``report.md`` and ``config.yaml``.
"""

AIM = "people"
NEEDS = "nothing more"
TAKES = "about 5 minutes"
USES = ("data", "users", "engine", "embedder", "env", "recommender", "seed", "slm", "num_users")
REFUSES = {
    "users.evidence": "policies and people know the same rows here; take experiment=worlds",
    "users.student": "it makes one; leave it out",
    "precision": "everybody is asked; set num_users",
    "debug": "its people are the shipped ones; set experiment.questions=700 instead",
    "budget": "set experiment.questions and num_users instead",
}
