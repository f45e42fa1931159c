"""Which runs lie in a folder, and what did each say? One page with a link to every report.

Run: ``personarec runs FOLDER``, in full ``personarec experiment=index experiment.folder=FOLDER``.

A run is a folder with a ``results.json``, however deep below FOLDER. Newest first, by experiment:
what its report says first, its command, how long it took, its commit, and what to know before it is
believed (``debug``, users that are no language model, parts and answers that failed). Nothing is
compared: sweeps are (``experiment=collect``).

Files: ``index.html``, ``index.md``, ``tables/``, ``results.json`` and ``config.yaml``; the command
``runs`` puts them into ``FOLDER/index``.
"""

AIM = "runs"
NEEDS = "a folder of runs"
TAKES = "seconds"
USES = ()
