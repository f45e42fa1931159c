"""Which settings of a policy rank the last part of the *training* rows best?

Run::

    personarec experiment=tune                                       # ALS, BPR, logistic MF
    personarec experiment=tune recommender=[ease] 'experiment.grids={ease: {l2: [50, 200, 800]}}'

The rows that are held out for evaluation are dropped before anything is fitted: each user's
training rows are cut in time once more, the first part is learnt from and the second validates.
Defaults that were chosen here have not seen the rows by which policies are compared. (``search``
asks users instead, and confirms on others.)

Score: ``results.json``: for every policy the settings tried with their NDCG@10, the best of them,
and its paired difference to the settings as configured.
"""

AIM = "policies"
NEEDS = "nothing more"
TAKES = "25 seconds"
USES = ("data", "recommender", "seed")
REFUSES = {
    "num_users": "policies are judged by all users; set data.num_users",
}
