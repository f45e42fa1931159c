"""Who is best at recommending, and whose users are most like people? A board others can join.

Everybody meets the same worlds, made from the date of an edition: nobody could have trained on
them before that date. Policies are fitted on each world's log and play one session with each of its
true users. User models are built from the same log and judge a fixed panel of slates; what counts
is how well they order the policies that made them. The rules are fixed and have a version, so that
a number of today can stand beside one of next year.

Run::

    personarec experiment=leaderboard                                        # the board
    personarec experiment=leaderboard experiment.submissions=[their/folder]  # with what others sent
    personarec experiment=leaderboard recommender=[ease] users=ridge experiment.author=me

Score: for policies the share of the way from random slates to those of an oracle; for user models
Kendall's tau between their order of the panel and the true one, and the error of their stars.
Means over worlds with 95 % intervals; places count only differences beyond noise. The run writes
``entries.json``, which is what one submits.
"""

AIM = "policies"
NEEDS = "nothing more"
TAKES = "30 seconds; longer with a real model"
USES = ("users", "engine", "embedder", "recommender", "slm")
REFUSES = {"users.evidence": "policies and people know the same rows by the rules of the board"}
