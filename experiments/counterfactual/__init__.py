"""What if these users had been given another recommender from here on?

Run::

    personarec experiment=counterfactual experiment.before=popularity experiment.switch_at=3

Everybody plays ``experiment.before`` for ``experiment.switch_at`` slates. Then the whole world is
kept (memories, moods, histories, draws), and every policy goes on from that very moment with the
same users. What differs afterwards is due to the switch alone.

Score: ``results.json``: of each policy ``after`` the mean expected stars of the slates after the
switch, and the paired difference to staying, over the users who were still there, with intervals.
"""

TAKES = "40 seconds"
USES = ("data", "users", "engine", "embedder", "env", "recommender", "seed", "slm", "num_users")
