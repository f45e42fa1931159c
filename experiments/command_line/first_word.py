"""The first word of a command: a verb, or what was probably meant by a word that is none."""

from difflib import get_close_matches

from experiments.command_line.experiments_said import experiments

# Verbs that answer without a run, and what answers; ``_AS_EXPERIMENTS`` are experiments.
VERBS = {
    "list": "experiments.verbs.listing.show_list",
    "inspect": "experiments.verbs.inspect_population.show_population",
    "smoke": "experiments.verbs.smoke.smoke",
    "share": "experiments.verbs.sharing.share",
    "fetch": "experiments.verbs.sharing.fetch",
}
_AS_EXPERIMENTS = ("show", "chat", "runs")


def refused(word: str) -> str | None:
    """What is wrong with a first word that is no verb, no option and no flag; None = nothing.

    >>> refused("policy_rankin")
    'policy_rankin cannot be read; did you mean personarec experiment=policy_ranking?'
    """
    if "=" in word or word.startswith(("-", "~")) or word in (*VERBS, *_AS_EXPERIMENTS):
        return None
    known = {name: f"personarec {name}" for name in (*VERBS, *_AS_EXPERIMENTS)}
    known |= {name: f"personarec experiment={name}" for name in experiments()}
    near = get_close_matches(word, known, n=1)
    if near:
        return f"{word} cannot be read; did you mean {known[near[0]]}?"
    return (
        f"{word} cannot be read; options are written option=value, and personarec --help lists"
        " experiments and verbs"
    )
