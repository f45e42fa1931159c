"""Runs the search and the confirmation; the question stands in the package docstring.

Files: ``results.json``, ``report.md``, ``trials.db`` and ``config.yaml`` (resolved).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from omegaconf import DictConfig, OmegaConf
from rich.text import Text

from experiments.reporting.claims import compare
from experiments.reporting.formatting import interval, number, rounded_ends
from experiments.reporting.parts import Parts
from experiments.reporting.progress import progress_bar
from experiments.reporting.report import markdown_table, markdown_text
from experiments.reporting.result import Record, Result
from experiments.tournament.cautions import FEW, cautions, measured_fidelity
from experiments.tournament.playing import play
from experiments.tournament.policies import make_policy
from experiments.tournament.sessions import Session, of_users
from experiments.tournament.setting import Setting, make_setting
from experiments.tournament.shared_rows import measured_collusion
from recommenders.base import Recommender
from recommenders.evaluation.session_measures import SessionScores, score_sessions
from recommenders.evaluation.statistics import paired_contrast
from simenv.events import FloatArray
from simenv.seeding import Stream, generator

if TYPE_CHECKING:
    import optuna


def run(cfg: DictConfig) -> Result:
    """Search ``cfg.experiment.space`` for ``cfg.experiment.policy``.

    Raises:
        ValueError: the policy is not among ``cfg.recommender``, the space names a parameter that it
            does not have, or there are fewer than four users.
        RuntimeError: every trial failed.
    """
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    settings = config["experiment"]
    configured = _configured(config, settings)
    setting, people = make_setting(cfg)
    searching, confirming = _halves(setting)
    study = _study(settings, configured, cfg.seed, Path(cfg.output_dir) / "trials.db")
    _search(study, settings, configured, searching)
    parts = Parts()
    values = {
        "experiment": settings["name"],
        "policy": settings["policy"],
        "objective": settings["objective"],
        "users": people.card,
        **_best(study, settings["policy"]),
        "confirmation": _confirm(settings, configured, study.best_params, confirming),
        "trials": [_described(trial) for trial in study.trials if trial.state.is_finished()],
        "fidelity": parts.get("fidelity", lambda: measured_fidelity(people, setting, FEW), None),
        "collusion": parts.get(
            "collusion",
            lambda: measured_collusion(
                cfg, people, _compared(settings, configured, study.best_params), setting
            ),
            None,
        ),
        "failures": parts.failures,
    }
    contrast = {"better": "the settings found", "worse": "those configured"}
    contrasts = [{**contrast, "ci95": values["confirmation"]["ci95"]}]
    values["before_you_quote"] = cautions(
        people, values["fidelity"], contrasts, values["collusion"]
    )
    return Result(
        values,
        pages={"report.md": _markdown},
        lines=[Text(_answer(values), style="bold")],
        error=parts.error,
    )


def _study(
    settings: dict[str, Any], configured: dict[str, Any], seed: int, path: Path
) -> "optuna.Study":
    """The study in ``path``, begun with the settings as configured or taken up where it was."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=settings["policy"],
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        storage=f"sqlite:///{path.resolve()}",
        load_if_exists=True,
    )
    if not study.trials:
        study.enqueue_trial({how["name"]: configured[how["name"]] for how in settings["space"]})
    return study


def _best(study: "optuna.Study", policy: str) -> dict[str, Any]:
    if not any(trial.value is not None for trial in study.trials):
        raise RuntimeError(
            f"every trial of {policy} failed, the last with"
            f" {study.trials[-1].user_attrs.get('error')}; narrow experiment.space"
        )
    return {"best": study.best_params, "best_value": round(float(study.best_value), 6)}


def _configured(config: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """The policy's node as configured, every searched parameter among it."""
    if settings["policy"] not in config["recommender"]:
        raise ValueError(
            f"experiment.policy={settings['policy']} is not among the policies"
            f" {sorted(config['recommender'])}; add recommender=[{settings['policy']}]"
        )
    node: dict[str, Any] = config["recommender"][settings["policy"]]
    if unknown := sorted({how["name"] for how in settings["space"]} - set(node)):
        raise ValueError(
            f"experiment.space names {', '.join(unknown)}, but {settings['policy']} is configured"
            f" by {', '.join(k for k in node if not k.startswith('_'))}"
        )
    return node


def _halves(setting: Setting) -> tuple[Setting, Setting]:
    """The same setting for two random halves of the users."""
    if len(setting.users) < 4:
        raise ValueError(
            f"a search wanted at least four users, two to search and two to confirm, got"
            f" {len(setting.users)}; raise num_users"
        )
    order = generator(setting.seed, Stream.SEARCH_HALVES).permutation(setting.users)
    half = len(order) // 2
    first, second = np.sort(order[:half]), np.sort(order[half:])
    return setting.among(first), setting.among(second)


def _search(
    study: "optuna.Study", settings: dict[str, Any], configured: dict[str, Any], setting: Setting
) -> None:
    """Try settings until ``num_trials`` are done; one that fails is recorded, others go on."""
    left = max(0, settings["num_trials"] - sum(t.state.is_finished() for t in study.trials))
    with progress_bar("search", total=left) as tick:
        for _ in range(left):
            trial = study.ask()
            chosen = {how["name"]: _suggest(trial, how) for how in settings["space"]}
            tick(", ".join(f"{name}={value}" for name, value in chosen.items()))
            session = _played(settings["policy"], configured | chosen, setting)
            if session.error is None:
                values = _values(session, settings["objective"], setting)
                study.tell(trial, float(np.nanmean(values)))
            else:
                import optuna

                trial.set_user_attr("error", session.error["message"])
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            tick("", advance=1)


def _suggest(trial: "optuna.Trial", how: dict[str, Any]) -> Any:
    """A value out of {name, choices} or of {name, low, high[, log][, int]}."""
    if "choices" in how:
        return trial.suggest_categorical(how["name"], how["choices"])
    draw = trial.suggest_int if how.get("int", False) else trial.suggest_float
    return draw(how["name"], how["low"], how["high"], log=how.get("log", False))


def _played(name: str, node: dict[str, Any], setting: Setting) -> Session:
    def make() -> Recommender:
        return make_policy(name, node)

    sessions, _ = play({name: make}, setting, lambda text, advance=0: None)
    return sessions[0]


def _compared(
    settings: dict[str, Any], configured: dict[str, Any], best: dict[str, Any]
) -> dict[str, Callable[[], Recommender]]:
    """What makes the policy with the settings found, and as configured."""
    nodes = {"the settings found": configured | best, "those configured": configured}
    return {name: partial(make_policy, settings["policy"], node) for name, node in nodes.items()}


def _values(session: Session, objective: str, setting: Setting) -> FloatArray:
    """One value a user (n,), the mean over the views of the log.

    Raises:
        ValueError: no such objective.
    """
    if objective in session.offline:
        return session.offline_values(objective)
    if objective not in SessionScores._fields:
        known = ", ".join([*SessionScores._fields, *session.offline])
        raise ValueError(f"experiment.objective wanted one of {known}, got {objective!r}")
    facts = setting.item_facts()
    scores = [score_sessions(played, facts) for played in session.rollouts("simulated")]
    return of_users([getattr(own, objective) for own in scores])


def _confirm(
    settings: dict[str, Any], configured: dict[str, Any], best: dict[str, Any], setting: Setting
) -> dict[str, Any]:
    """The winner against the settings as configured, on users who did not search."""
    found, usual = (
        _values(_played(settings["policy"], node, setting), settings["objective"], setting)
        for node in (configured | best, configured)
    )
    return {"num_users": len(setting.users), **_difference(found, usual)}


def _difference(found: FloatArray, usual: FloatArray) -> dict[str, Any]:
    """What the winner (n,) is worth more than the settings as configured (n,)."""
    contrast = paired_contrast(found, usual)
    return {
        "found": round(float(np.nanmean(found)), 6),
        "configured": round(float(np.nanmean(usual)), 6),
        "difference": round(contrast.mean, 6),
        "ci95": rounded_ends(contrast.low, contrast.high),
        "p_value": round(contrast.p_value, 6),
    }


def _described(trial: Any) -> dict[str, Any]:
    value = None if trial.value is None else round(float(trial.value), 6)
    error = trial.user_attrs.get("error")
    return {"number": trial.number, "params": trial.params, "value": value, "error": error}


def _answer(results: dict[str, Any]) -> str:
    check = results["confirmation"]
    params = ", ".join(f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
                       for name, value in results["best"].items())  # fmt: skip
    stands = compare(
        "the settings as configured", check["ci95"], more="better than", less="worse than"
    )
    return (
        f"{results['policy']} with {params} is {stands}: on"
        f" {check['num_users']} users who did not search, {results['objective']}"
        f" {number(check['found'], 3)} against {number(check['configured'], 3)}, a difference of"
        f" {number(check['difference'], 4)} (95 % CI {interval(check['ci95'], 4)})."
    )


def _markdown(record: Record) -> str:
    results = record.results
    names = list(results["best"])
    rows = [
        [str(t["number"]), *(f"{t['params'].get(n, '')}" for n in names), number(t["value"], 4),
         t["error"] or ""]
        for t in results["trials"]
    ]  # fmt: skip
    table = markdown_table(["trial", *names, results["objective"], "error"], rows)
    return f"# {markdown_text(_answer(results))}\n\n{table}\n{record.command}"
