"""Can a trait be trained into people, what do rivals achieve, and what else changes?

How to run: ``personarec experiment=traits experiment.dry_run=true`` says how long it takes here;
without that word it trains one adapter a trait, pole and seed on opinions (arXiv 2409.10245),
asks it and its rivals (prompt, demonstrations, MEND, steering) about topics that nobody learnt
from, and asks people for ratings before and after. What is there already is not made again.

How to score: trait alignment (TA), ES, DD, TPEI and PAE with 95 % intervals over seeds and topics,
beside what the classifier and the judge are worth; the matrix of what each adapter moves;
perplexity, refusals and errors of ratings. A rival is beaten only where the interval of the
difference says so.
"""

AIM = "people"
NEEDS = "a model that talks, such as slm=smollm2; extra train"
TAKES = "about 7 hours"
USES = ("data", "distiller", "slm")
REFUSES = {
    "num_users": "who rates is experiment.rated_users",
    "seed": "set experiment.seeds, a list of seeds",
    "training": "set experiment.training, as experiment.training.name=opinion_qa_follow_up",
}
ONLY_WITH = {
    "distiller": "experiment.written_by_model",
    "data": "experiment.rated_users",
    "experiment.rated_rows": "experiment.rated_users",
}
