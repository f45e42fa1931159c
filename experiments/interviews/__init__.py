"""What personality do language models report, and do they take on one that they are told?

The study of "Open Models, Closed Minds?" (arXiv 2401.07115) for any models, and for the people of a
population: RQ0 whether they know the tests, RQ1 what they report unconditioned, RQ2 whether a told
type or factor comes back, RQ3 whether a role beside it helps.

How to run: ``personarec experiment=interviews experiment.models=[smollm2]``, or folders, hub names,
``paper`` (its twelve models) or one of them by its short name. ``experiment.dry_run=true`` tells
prompts, tokens, memory and time first, and asks nobody.

How to score: ``report.html`` and ``table.md`` have the paper's tables and figures, ``results.json``
also confusion matrices, off-target matrices, reliability and rates, ``people.csv`` the traits of
the people of populations; ``traits.json`` in the population's folder keeps them for the page of a
society. What a model reports of itself says nothing yet of how it behaves.
"""

AIM = "people"
NEEDS = "a model that reads whole sentences, such as slm=smollm2"
TAKES = "about 10 minutes"
USES = ("engine", "embedder", "seed", "slm")
REFUSES = {
    "data": "questionnaires are asked, no films; set experiment.factor_instrument",
    "users": "name people with experiment.populations={name: folder}",
    "num_users": "set experiment.people, of each population",
}
ONLY_WITH = {"experiment.store": "experiment.populations"}
