"""Does a judge overrate a policy that shares its model? In worlds whose truth is known.

A prompt may say what people alike gave (``PromptStyle.peers``): the stars of a factor model of the
training rows. A policy that shows what the very same model rates highest is then judged by people
who are told its own scores. The same world is judged without that line, and by the factor model
alone; a policy on a model of the same kind from another seed tells kind from copy.

How to run: ``personarec experiment=collusion experiment.base.told=FOLDER``, a base trained with
``experiment=train_base experiment.peers=true``.

How to score: ``results.json``, ``judges.NAME``: how many stars above the truth each policy is put,
``collusion`` (the sharing policy's surplus over that of the other personal policies, mean over
worlds with its interval), and how many places too high it is ranked. Nil is what one wants.
"""

AIM = "policies"
NEEDS = "a base trained with experiment.peers=true"
TAKES = "30 minutes"
DATA = ("synthetic", "tiny")
USES = ("data", "recommender", "seed")
REFUSES = {
    "num_users": "set experiment.num_users, the people asked in each world",
    "data.seed": "set experiment.first_world",
}
