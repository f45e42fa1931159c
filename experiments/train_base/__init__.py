"""Can a small model learn to read people? Trains the pocket SLM, the base of populations.

Score: its last losses; `build_population` and `rating_fidelity` measure what it is worth.
"""

AIM = "making"
NEEDS = "extra train"
TAKES = "about an hour"
USES = ("data", "seed")
REFUSES = {
    "num_users": "set data.num_users, the people who are left out",
}
