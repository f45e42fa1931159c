"""What would adapters learn from? Writes the RAFT set of a log (stage 3 of a population).

How to run: ``personarec experiment=raft data=movielens_1m … slm=FOLDER``.

How to score: ``results.json`` counts blocks and rows and reports prompt lengths in tokens; read a
few lines of ``raft.parquet`` as the model will.
"""

AIM = "making"
NEEDS = "nothing more"
TAKES = "10 seconds"
USES = ("data", "distiller", "seed", "slm")
REFUSES = {
    "num_users": "everybody is asked; set data.num_users",
}
