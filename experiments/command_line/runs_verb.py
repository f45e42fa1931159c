"""``personarec runs FOLDER`` in the words of the command: an index beside the runs."""


def runs_words(words: list[str]) -> list[str]:
    """The words behind ``runs``, a folder and options, as those of ``experiment=index``.

    >>> runs_words(["runs/sweep"])
    ['experiment=index', 'experiment.folder=runs/sweep', 'output_dir=runs/sweep/index']
    >>> runs_words(["output_dir=elsewhere"])
    ['experiment=index', 'experiment.folder=runs', 'output_dir=elsewhere']
    """
    named = [word for word in words if "=" not in word and not word.startswith("-")]
    folder, *more = named or ["runs"]
    given = any(word.startswith("output_dir=") for word in words)
    place = [] if given else [f"output_dir={folder.rstrip('/')}/index"]
    left = [word for word in words if word not in named]
    return ["experiment=index", f"experiment.folder={folder}", *place, *left, *more]
