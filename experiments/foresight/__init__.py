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

AIM = "policies"
NEEDS = "extra rl"
TAKES = "about 10 minutes"
USES = ("engine", "env", "recommender", "seed", "num_users")
ONLY_WITH: dict[str, str] = {}
