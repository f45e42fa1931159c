"""Every option of every config and the values that it may have.

A name may begin with ``*.``: then it holds wherever the rest stands. The first entry that fits
counts. Options that nobody lists here (arguments of your own policies, ``+training.…``) are checked
by what they are given to.
"""

from collections.abc import Mapping

from experiments.command_line.kinds import (
    Anything,
    Choice,
    Either,
    Flag,
    Kind,
    ListOf,
    Matching,
    Real,
    Text,
    Whole,
)

_MANY = 1_000_000_000
SEED = Whole(0, 2**63 - 1)
COUNT = Whole(1, _MANY)
COUNT_OR_NONE = Whole(0, _MANY)
SHARE = Real(0.0, 1.0)
STARS = Real(1.0, 5.0)
NAME = Text("a name")
PLACE = Text("a path")
AMOUNT = Real(0.0, 1e12)
POSITIVE = Real(0.0, 1e12, above=True)
NUMBER = Real(None, None)
DEVICE = Matching(r"auto|cpu|mps|cuda(:\d+)?", "auto, cpu, cuda, cuda:N or mps")
AUTO = Choice(("auto",))


def _or_null(*kinds: Kind) -> Either:
    return Either(kinds, null=True)


def _list_or_one(kind: Kind) -> Either:
    return Either((ListOf(kind), kind))


COMMON: dict[str, Kind] = {
    "seed": SEED,
    "num_users": COUNT,
    "output_dir": PLACE,
    "debug": _or_null(Choice(("tiny",))),
    "precision": _or_null(Real(0.0, 4.0, above=True)),
    "budget.exposures": _or_null(COUNT),
    "budget.seconds": _or_null(POSITIVE),
    "budget.cost": _or_null(POSITIVE),
    "budget.price_per_hour": AMOUNT,
    "budget.price_per_million_tokens": AMOUNT,
    "budget.wave": COUNT,
    "resume": _or_null(PLACE),
    "app": Flag(),
    "sweep_dir": PLACE,
}

DATA: dict[str, Kind] = {
    "data.path": _or_null(PLACE),
    "data.items_path": _or_null(PLACE),
    "data.descriptions": _or_null(PLACE),
    "data.download_dir": _or_null(PLACE),
    "data.name": _or_null(NAME),
    "data.kind": Text("what one item is called"),
    "data.user_column": Text("the name of a column"),
    "data.item_column": Text("the name of a column"),
    "data.rating_column": Text("the name of a column"),
    "data.timestamp_column": _or_null(Text("the name of a column")),
    "data.title_column": _or_null(Text("the name of a column")),
    "data.year_column": _or_null(Text("the name of a column")),
    "data.genres_column": _or_null(Text("the name of a column")),
    "data.cast_column": _or_null(Text("the name of a column")),
    "data.summary_column": _or_null(Text("the name of a column")),
    "data.separator": _or_null(Text("what stands between two cells, such as ;", empty=True)),
    "data.genres_separator": Text("what stands between two genres", empty=True),
    "data.cast_separator": Text("what stands between two people", empty=True),
    "data.encoding": Text("the name of an encoding, such as utf-8"),
    "data.rating_scale": _or_null(ListOf(NUMBER, least=2, most=2)),
    "data.timestamp_unit": _or_null(Choice(("s", "ms", "us", "ns"))),
    "data.split": Choice(("time", "lot")),
    "data.half_stars": Choice(("up", "rescale")),
    "data.regime": Choice(("population", "same_rows")),
    "data.on_bad_rows": Choice(("error", "drop")),
    "data.fraction": Real(0.0, 1.0, above=True),
    "data.min_ratings": _or_null(COUNT),
    "data.max_ratings": _or_null(COUNT),
    "data.num_users": _or_null(COUNT),
    "data.num_items": Whole(1, 10_000_000),
    "data.logging_bias": Real(-100.0, 100.0),
    "data.seed": SEED,
}

PEOPLE: dict[str, Kind] = {
    "users.population": _or_null(PLACE),
    "users.model": _or_null(PLACE),
    "users.ablation": Choice(
        ("none", "no_ms", "no_ml", "no_adapter", "shared_adapter", "shuffled_adapters")
    ),
    "users.l2": POSITIVE,
    "embedder.num_dims": Whole(1, 100_000),
    "embedder.seed": SEED,
    "embedder.model": PLACE,
    "embedder.device": _or_null(DEVICE),
    "env.slate_size": Whole(1, 10_000),
    "env.history_length": Whole(1, 1_000_000),
    "env.max_episode_steps": Whole(1, 1_000_000),
    "env.reward": Either((NAME, Anything("the settings of one"))),
    "training.name": Choice(("small", "paper", "qlora")),
}

ENGINES: dict[str, Kind] = {
    "engine.device": DEVICE,
    "engine.dtype": Choice(("auto", "float32", "bfloat16", "float16")),
    "engine.token_budget": Either((AUTO, COUNT)),
    "engine.fast": Either((AUTO, Flag())),
    "engine.adapter_mode": Choice(("auto", "merged", "merge_in_out", "switch", "mixed")),
    "engine.cache_bytes": Either((AUTO, Whole(0))),
    "engine.host_cache_bytes": Whole(0),
    "engine.repeatable": Flag(),
    "engine.folder": _or_null(PLACE),
    "engine.max_bytes": Whole(0),
    "engine.max_disk_bytes": Whole(0),
    "engine.identity": _or_null(NAME),
    "engine.path": PLACE,
    "engine.spread": POSITIVE,
    "engine.base_url": _or_null(Text("http://HOST:PORT/v1")),
    "engine.served_model": _or_null(NAME),
    "engine.endpoint": Choice(("completions", "chat")),
    "engine.top": Whole(1, 10_000),
    "engine.lead": Text("a text", empty=True),
    "engine.tokenizer": _or_null(PLACE),
    "engine.concurrency": Whole(1, 10_000),
    "engine.timeout": POSITIVE,
    "engine.tries": Whole(1, 1_000),
    "distiller.model": _or_null(NAME),
    "distiller.base_url": _or_null(Text("http://HOST:PORT/v1")),
    "distiller.cache": PLACE,
    "distiller.input_price": AMOUNT,
    "distiller.output_price": AMOUNT,
    "distiller.max_cost": _or_null(AMOUNT),
    "distiller.max_tokens": COUNT,
    "distiller.limit_field": Choice(("max_tokens", "max_completion_tokens")),
    "distiller.temperature": _or_null(Real(0.0, 100.0)),
    "distiller.seed": _or_null(SEED),
    "distiller.target_words": COUNT,
    "distiller.summary_words": COUNT,
    "distiller.corrections": Whole(0, 1_000),
    "distiller.concurrency": Whole(1, 10_000),
    "distiller.timeout": POSITIVE,
    "distiller.tries": Whole(1, 1_000),
    "distiller.first_wait": AMOUNT,
    "distiller.longest_wait": AMOUNT,
}

POLICIES: dict[str, Kind] = {
    "recommender.*.seed": SEED,
    "recommender.*.factors": Whole(1, 100_000),
    "recommender.*.iterations": Whole(1, 1_000_000),
    "recommender.*.num_threads": Whole(0, 4096),
    "recommender.*.min_rating": STARS,
    "recommender.*.learning_rate": POSITIVE,
    "recommender.*.regularisation": AMOUNT,
    "recommender.*.alpha": AMOUNT,
    "recommender.*.negatives_per_positive": COUNT,
    "recommender.*.l1": AMOUNT,
    "recommender.*.l2": AMOUNT,
    "recommender.*.max_items": COUNT,
    "recommender.*.epsilon": SHARE,
    "recommender.*.value": NAME,
    "recommender.*.prior_rows": AMOUNT,
    "recommender.*.skip_reward": Real(-1e6, 1e6),
    "recommender.*.num_neighbours": COUNT,
    "recommender.*.num_candidates": COUNT,
    "recommender.*.shrinkage": AMOUNT,
    "recommender.*.scale": AMOUNT,
    "recommender.*.per_user": Flag(),
    "recommender.*.recent_days": _or_null(POSITIVE),
    "recommender.*.half_life_days": _or_null(POSITIVE),
    "recommender.*.explicit": Flag(),
    "recommender.*.model": NAME,
    "recommender.*.arguments": Anything("arguments of the model: {name: value, …}"),
}

VARIANT = Choice(("none", "single", "single_all", "persona", "random"))

EXPERIMENT: dict[str, Kind] = {
    "experiment.name": NAME,
    "experiment.run": NAME,
    "experiment.num_users": COUNT,
    "experiment.top": Whole(1, _MANY),
    "experiment.min_rating": STARS,
    "experiment.num_resamples": Whole(1, 10_000_000),
    "experiment.fraction": Real(0.0, 1.0, above=True),
    "experiment.before": NAME,
    "experiment.switch_at": COUNT,
    "experiment.repetitions": COUNT,
    "experiment.truth_plays": COUNT,
    "experiment.policy": NAME,
    "experiment.space": ListOf(Anything("{name, low, high} or {name, choices}")),
    "experiment.objective": NAME,
    "experiment.num_trials": COUNT,
    "experiment.ticks": Whole(1, _MANY),
    "experiment.drift_sd": Real(0.0, 5.0),
    "experiment.port": Whole(0, 65535),
    "experiment.shocks": ListOf(Anything("{kind, tick, ticks, …}"), least=0),
    "experiment.settings.slate_size": Whole(1, 10_000),
    "experiment.settings.history_length": Whole(1, 1_000_000),
    "experiment.settings.refit_every": COUNT_OR_NONE,
    "experiment.settings.log_budget": COUNT_OR_NONE,
    "experiment.settings.herding": Flag(),
    "experiment.settings.reflect_every": COUNT_OR_NONE,
    "experiment.settings.refresh_every": COUNT_OR_NONE,
    "experiment.settings.max_failed_share": SHARE,
    "experiment.settings.checkpoint_every": COUNT,
    "experiment.activation.share": _or_null(Real(0.0, 1.0, above=True)),
    "experiment.activation.ticks_per_day": COUNT,
    "experiment.activation.median_days": POSITIVE,
    "experiment.activation.spread": AMOUNT,
    "experiment.activation.gone_after": POSITIVE,
    "experiment.social.friends": COUNT_OR_NONE,
    "experiment.social.rewiring": SHARE,
    "experiment.social.tell_chance": SHARE,
    "experiment.social.trend_chance": SHARE,
    "experiment.refresh.window": COUNT,
    "experiment.refresh.held_out": Real(0.0, 1.0, above=True),
    "experiment.refresh.least": COUNT,
    "experiment.seeds": _list_or_one(SEED),
    "experiment.num_envs": Whole(1, 1_000_000),
    "experiment.num_checkpoints": COUNT,
    "experiment.penalties": ListOf(AMOUNT, least=0),
    "experiment.dqn_steps": COUNT_OR_NONE,
    "experiment.ppo.total_steps": COUNT,
    "experiment.ppo.minutes": POSITIVE,
    "experiment.ensemble.size": Whole(1, 10_000),
    "experiment.first_world": SEED,
    "experiment.biases": ListOf(Real(-100.0, 100.0)),
    "experiment.judged_at": Real(-100.0, 100.0),
    "experiment.slate_size": Whole(1, 10_000),
    "experiment.clear_gap": Real(0.0, 4.0),
    "experiment.ms": Choice(("words", "numbers")),
    "experiment.k": _or_null(COUNT),
    "experiment.num_clusters": _or_null(COUNT),
    "experiment.variant": VARIANT,
    "experiment.variants": _list_or_one(VARIANT),
    "experiment.dry_run": Flag(),
    "experiment.slm": _or_null(PLACE),
    "experiment.initial": _or_null(PLACE),
    "experiment.population_name": _or_null(NAME),
    "experiment.purpose": _or_null(NAME),
    "experiment.command": _or_null(NAME),
    "experiment.users_per_world": COUNT,
    "experiment.unseen_worlds": ListOf(SEED, least=0),
    "experiment.unseen_drawn_worlds": ListOf(SEED, least=0),
    "experiment.pocket.num_steps": COUNT,
    "experiment.pocket.seed": SEED,
    "experiment.pocket.learning_rate": POSITIVE,
    "experiment.raft.cuts": ListOf(Real(0.0, 1.0, above=True)),
    "experiment.raft.turns": COUNT,
    "experiment.raft.distractors": SHARE,
    "experiment.style.verbatim": COUNT_OR_NONE,
    "experiment.style.gist": COUNT_OR_NONE,
    "experiment.style.persona": Flag(),
    "experiment.draws": _list_or_one(SEED),
    "experiment.regimes": _list_or_one(Choice(("same_rows", "population"))),
    "experiment.base.same_rows": PLACE,
    "experiment.base.population": PLACE,
    "experiment.said_rows": COUNT_OR_NONE,
    "experiment.population": _or_null(PLACE),
    "experiment.part": Choice(("all", "race", "env", "memory")),
    "experiment.full": Flag(),
    "experiment.rounds": COUNT,
    "experiment.warm": COUNT_OR_NONE,
    "experiment.adapters": ListOf(COUNT),
    "experiment.users": ListOf(COUNT),
    "experiment.slates": ListOf(COUNT),
    "experiment.workloads": ListOf(Choice(("distinct", "uniform", "zipf", "identical", "skewed"))),
    "experiment.middle": ListOf(Either((COUNT, NAME)), least=4, most=4),
    "experiment.env_users": ListOf(COUNT),
    "experiment.env_users_full": ListOf(COUNT),
    "experiment.env_steps": COUNT,
    "experiment.cache_bytes": Whole(0),
    "experiment.most.*": COUNT,
    "experiment.memory.*": COUNT,
    "experiment.baseline": _or_null(PLACE),
    "experiment.store": Flag(),
    "experiment.tolerance": SHARE,
    "experiment.device": DEVICE,
    "experiment.dtype": Choice(("float32", "bfloat16", "float16")),
    "experiment.scratch": _or_null(PLACE),
    "experiment.shape.*": COUNT,
    "experiment.rank": COUNT,
    "experiment.num_adapters": COUNT,
    "experiment.prompts.*": COUNT,
    "experiment.token_budget": COUNT,
    "experiment.modes": ListOf(Choice(("merged", "merge_in_out", "switch", "mixed"))),
    "experiment.check.layers": COUNT,
    "experiment.check.users": COUNT,
    "experiment.check.tolerance": POSITIVE,
}

# One word that means something else in another experiment.
OF_EXPERIMENT: Mapping[str, dict[str, Kind]] = {
    "worlds": {"experiment.worlds": Whole(1, 1_000_000), "experiment.cells": PLACE},
    "build_population": {"experiment.worlds": Choice(("drawn", "log"))},
    "train_base": {"experiment.worlds": Choice(("drawn", "log"))},
    "cluster": {"experiment.most": COUNT},
}

# What is a mapping of its own kind: somebody else looks into it.
NODES: dict[str, Kind] = {
    "experiment.grids": Anything("{policy: {argument: [values]}}"),
    "experiment.loggers": Anything("{name: policy}"),
    "experiment.targets": Anything("{name: policy}"),
    "experiment.populations": Anything("{name: folder}"),
    "experiment.refresh.training": Anything("{name: preset, setting: value, …}"),
    "experiment.cells": Anything("{memory: [adapters]} or [memory=adapters]", (dict, list)),
}

TABLE: dict[str, Kind] = {**COMMON, **DATA, **PEOPLE, **ENGINES, **POLICIES, **EXPERIMENT}
