"""How many exposures a second do these users answer, and what do others' ways of asking cost?

Run::

    personarec experiment=throughput                        # a small matrix, minutes
    personarec experiment=throughput experiment.full=true   # all of it, 10,000 users: long

Every way of asking gets the same requests of the same model on the same machine, turn by turn in
one run, so that the ratios mean something where the seconds do not. ``ours`` is the engine as
people get it; its rivals are one call of ``generate`` a request, as simulators do (``generate``),
one forward pass a request (``loop``), padded batches of whole prompts (``padded``), Hugging Face's
forward with our prefix cache (``hugging_face``), peft's batches of mixed adapters (``mixed``), and
groups whose adapter is merged in and taken out again (``merge_in_out``); ``ours`` keeps merged
weights of every adapter. The last two and ``padded`` run whole prompts and differ in adapters only.
Slow rivals are given the first requests only; rates are per request. No answer is cached anywhere;
prefixes are warm, as in the middle of a run.

Score: ``results.json``. ``cells`` holds for each setting the exposures per second of every way and
``ratios``, ours over theirs, as median, least and most over the rounds; ``largest_difference`` is
how far its log-probabilities are from the padded batch's. ``env`` holds exposures per second
through ``env.step``, the share of the time that is not the model's and the time of a step;
``memory`` holds seconds and ratios of recalls from long-term memories of several kinds. ``floor``
holds the measured peak of float32 products and the share of it that our engine reaches (2 x weights
x tokens after the prefixes, attention left out).

``baseline.json`` holds the ratios alone. ``experiment.baseline=PATH`` compares with an earlier
run's; ``regressions`` are those that fell by more than ``experiment.tolerance``.
"""
