"""Do people stay themselves: distinct, consistent, developing, and hard to talk round?

How to run: ``personarec experiment=personified experiment.dry_run=true`` says how many tokens and
minutes it takes here; without that word it trains adapters on the lives of some people
(arXiv 2407.12393: corpora by life stage, questions with false premises and true twins, then DPO)
and on the same without one part each, and asks all of them what nobody learnt from.
``experiment.corpora=FOLDER`` takes lives from texts. What is there already is not made again.

How to score: false premises corrected and true ones rejected; the turn at which an opinion flips
under pressure; how alike answers are within a person (Intra), between life stages (Stage) and
between people (Inter); ratings before and after, and how far pressure in an item's text moves them.
Every figure has a 95 % interval over seeds and questions; the judge's own worth stands beside.
"""

AIM = "people"
NEEDS = "a model that talks, such as slm=smollm2; extra train; better a GPU"
TAKES = "days; about half an hour on a GPU"
USES = ("data", "distiller", "slm")
REFUSES = {
    "num_users": "who is trained is experiment.people",
    "seed": "set experiment.seeds, a list of seeds",
    "training": "set experiment.training, as experiment.training.name=personified",
}
ONLY_WITH = {"distiller": "experiment.written_by_model"}
