"""What did a sweep say? One table of all its runs, with seeds, intervals, cost, config and commit.

Run::

    personarec -m experiment=policy_ranking recommender=random,popularity,als,ease data.seed=0,1,2 \
        output_dir=runs/sweep
    personarec experiment=collect sweep_dir=runs/sweep

Jobs run one after the other; ``hydra/launcher=joblib`` runs them side by side.

Runs that differ in nothing but seeds are repeats: their figures are averaged, with a Student-t
interval over seeds (over users where there is only one seed). ``rankings`` says what the other
settings change: the order of the policies in each, and its tau with that of the first setting.

Files: ``results.json``, ``table.csv``, ``report.md`` and ``report.html``.
"""

AIM = "runs"
NEEDS = "the folder of a sweep"
TAKES = "seconds"
USES = ()
