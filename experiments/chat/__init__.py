"""What does one person say when somebody talks to them, and what do they remember for it?

How to run: ``personarec chat population=FOLDER user=3``; an empty line ends it. ``said=FILE`` says
the lines of a file in turn. ``slm=smollm2`` puts the people on a model that can talk; people of
``experiment=personified`` bring theirs. ``stage=0`` talks to the person as they were early.

How to score: read it. Each answer stands beside the memories that were recalled for it.
"""

AIM = "people"
NEEDS = "a model that talks, such as slm=smollm2"
TAKES = "seconds an answer"
USES = ("slm",)
REFUSES = {"num_users": "one person is talked to; set user=NUMBER"}
