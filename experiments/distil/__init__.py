"""What are these people like, and why did they rate as they did?

How to run: ``personarec experiment=distil``, or ``distiller=openai`` with a model; then try
``experiment.dry_run=true`` first. A stopped run goes on where it was.

How to score: ``people.jsonl`` holds one person a line: traits, profile (Ms), one reason for every
training row (Ml), and whether a model or the offline rules wrote them. ``results.json`` names who
failed and why, and what was spent.
"""

AIM = "making"
NEEDS = "a log, or the synthetic world; a server for distiller=openai"
TAKES = "a second; hours with a model"
USES = ("data", "distiller", "seed")
SPREADS = True
REFUSES = {
    "num_users": "everybody is distilled; set data.num_users",
}
