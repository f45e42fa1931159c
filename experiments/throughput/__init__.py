"""How many exposures a second do these users answer, and what do others' ways of asking cost?

Run::

    personarec experiment=throughput                            # a small matrix, minutes
    personarec experiment=throughput experiment.part=race       # or env, or memory
    personarec experiment=throughput experiment.part=ray        # Ray workers beside one process
    personarec experiment=throughput experiment.part=crowd      # 100,000 people on disk
    personarec experiment=throughput experiment.part=soak       # a million exposures: half an hour
    personarec experiment=throughput experiment.full=true       # the whole matrix: long
    personarec experiment=throughput_gpu                        # a model of 3.8 billion: ``gpu.py``

Single figures, each in minutes on a quiet machine::

    … experiment.part=race experiment.adapters=[4] experiment.users=[256] experiment.slates=[5]
      experiment.workloads=[uniform]                            # 256 users
    … experiment.part=race experiment.adapters=[64] experiment.users=[64] experiment.slates=[5]
      experiment.workloads=[uniform]                            # 64 adapters
    … experiment.part=env experiment.env_users=[100,10000] experiment.env_steps=2
      experiment.cache_bytes=8589934592                         # cost at 10,000 over that at 100
    … experiment.part=ray experiment.ray.kills=20               # and 20 workers killed
    … experiment.part=memory experiment.memory.users=10000      # 10,000 x 200 decisions

Every way of asking gets the same requests of the same model on the same machine, turn by turn in
one run, so that the ratios mean something where the seconds do not. ``ours`` is the engine as
people get it; its rivals are one call of ``generate`` a request, as simulators do (``generate``),
one forward pass a request (``loop``), padded batches of whole prompts (``padded``), Hugging Face's
forward with our prefix cache (``hugging_face``), and llama.cpp with the same weights where it is
installed (``llama_cpp``). ``padded`` leaves adapters beside the weights; ``merged`` keeps merged
weights of each, ``merge_in_out`` merges for each group anew, ``mixed`` puts rows of several in one
batch: the four run whole prompts and differ in adapters only. Slow rivals are given the first
requests only; rates are per request. No answer is cached anywhere; prefixes are warm, as in the
middle of a run.

A population that reads in blocks (``experiment.population``) is raced against one forward a request
of all its texts under an explicit mask, with nothing kept (``masked_loop``), and against Hugging
Face's layers with what was read kept (``layers``).

Score: ``results.json``. ``cells`` holds for each setting the exposures per second of every way and
``ratios``, ours over theirs, as median, least and most over the rounds; ``largest_difference`` is
how far its log-probabilities are from the padded batch's. ``env`` holds exposures per second
through ``env.step``, the share of the time that is not the model's, the time of a step, tokens,
cache, padding and the share of the measured peak of float32 products that the model reaches (2 x
weights x real tokens after the prefixes, attention left out); ``cost_ratio``, for several sizes,
what an exposure costs among the most users over what it costs among the fewest. ``memory`` holds
seconds and ratios of recalls from long-term memories of several kinds. ``ray`` holds exposures per
second of the engine in this process, on one Ray worker and on several, their ratios, this process's
own share in asking one, and how many calls in which a worker was killed came out the same.
``crowd`` holds what people on disk take: seconds to build, to open and of a tick, bytes on disk,
and resident memory. ``soak`` holds, for every tenth of a long run in one process, resident memory,
the bytes of kept states, and what an exposure costs.

``baseline.json`` holds the ratios alone. A run is compared with the one kept beside this file, or
with ``experiment.baseline=PATH``; ``regressions`` are ratios that fell by more than
``experiment.tolerance``. ``experiment.store=true`` writes a run's ratios into the kept one.
"""

AIM = "runs"
NEEDS = "extras train and serve for some of the ways"
TAKES = "about 10 minutes"
USES = ()
REFUSES = {
    "num_users": "set experiment.users or experiment.env_users",
    "seed": "requests are the same in every run; leave it out",
    "users": "the people are those of experiment.population",
    "engine": "it compares engines; set experiment.adapters and experiment.workloads",
}
