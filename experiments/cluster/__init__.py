"""Which groups do these people form, and how many are there?

How to run: ``personarec experiment=cluster``; ``experiment.k=null`` takes the elbow,
``experiment.ms=numbers`` groups by level and tastes instead of words.

How to score: ``report.html`` shows the elbow and what the groups have in common; ``results.json``
holds the curve and the share of the variance of levels and tastes that the groups explain, beside
the share that random groups of the same sizes explain; and how good as many groups of Ms and of who
agrees with whom are: silhouette, adjusted Rand index of two seeds, and with groups that are known.
``clusters.json`` keeps the centroids, by
which later people are assigned.
"""

AIM = "making"
NEEDS = "extra train, for the elbow"
TAKES = "3 seconds"
USES = ("data", "embedder", "seed")
REFUSES = {
    "num_users": "everybody is grouped; set data.num_users",
}
