"""What exactly is one person asked, and what do they answer? The prompt, memories, chances, tokens.

How to run: ``personarec show user=3 item=5`` for the shipped people, with ``population=PATH`` for a
population of your own, with ``data=NAME`` for the people of a data set, told by ``distiller=NAME``
where you like (``words``, ``local``, ``openai``; only the person shown is written about). An item
is named by its number or its title.

How to score: read it. The question is asked twice: the second time the profile's tokens come from
the prefix cache.
"""

AIM = "people"
NEEDS = "nothing more"
TAKES = "seconds"
USES = ("data", "users", "engine", "embedder", "distiller", "seed")
REFUSES = {
    "users.evidence": "no policy is judged; leave it out",
    "num_users": "one person is asked; set user=NUMBER",
}
