"""The card as tables of text, under its three headings: for the page, Markdown and the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agents.fidelity.probes import NEUTRAL
from experiments.reporting.claims import verdict
from experiments.reporting.formatting import NONE, interval, number, percent, signed

_FIGURES = {
    "rmse": "RMSE",
    "mae": "MAE",
    "log_loss": "log loss",
    "brier": "Brier",
    "ece": "ECE",
    "rps": "RPS",
    "auc": "AUC",
    "uauc": "UAUC",
}
_PANEL = {
    "ks": "KS distance",
    "wasserstein": "Wasserstein, stars",
    "mean_shift": "mean shift, stars",
    "low_share": "1 and 2 stars",
    "real_low_share": "1 and 2 stars, real",
    "variance_ratio": "variance between people / real",
    "genre_gap": "gap of liked genres",
    "agreement": "who is like whom",
}
_CHOSEN = ("accuracy", "precision", "recall", "f1", "auc")
_STANDS = {"more": "more", "less": "less", "noise": "within noise", "unknown": "unknown"}


class Table(NamedTuple):
    """A caption, heads and rows of text."""

    caption: str
    heads: list[str]
    rows: list[list[str]]


def gate_table(gate: Mapping[str, Any]) -> Table:
    """Every check of everybody, and the word of every persona."""
    rows = [[c["measure"], c["word"], c["said"]] for c in gate["checks"]]
    for name, own in gate["personas"].items():
        wrong = [c["measure"] for c in own["checks"] if c["word"] != "pass"]
        rows.append([f"persona {name}", own["word"], ", ".join(wrong)])
    return Table("The gate", ["measure", "word", "figure"], rows)


def predictor_rows(card: Mapping[str, Any]) -> Table:
    """Everybody who answered for the measured rows."""
    rows = [
        [name, *(number(own[key], 3) for key in _FIGURES), interval(own.get("difference_ci95"), 3)]
        for name, own in card["statistical_alignment"]["predictors"].items()
    ]
    heads = ["predictor", *_FIGURES.values(), "RMSE of simulated users minus this, 95 % CI"]
    return Table("Ratings that nothing was learnt from", heads, rows)


def statistical(card: Mapping[str, Any]) -> list[Table]:
    """Tables of the first heading."""
    own = card["statistical_alignment"]
    found = [predictor_rows(card), _panel(own["utopian_bias"]), _calibrations(own["calibrated"])]
    found += [_kinds(by, rows) for by, rows in own["kinds"].items() if rows]
    return found + ([_later(own["later_ratings"])] if own["later_ratings"] else [])


def _panel(panel: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = [[name, *(number(own[key], 3) for key in _PANEL)] for name, own in panel.items()]
    caption = "Too kind, too much alike? On the very same items"
    return Table(caption, ["who answers", *_PANEL.values()], rows)


def _calibrations(found: Mapping[str, Mapping[str, Any]]) -> Table:
    keys = {"log_loss": "log loss", "ece": "ECE", "rmse": "RMSE", "temperature": "temperature"}
    rows = [[name, *(number(own[key], 3) for key in keys)] for name, own in found.items()]
    caption = "Calibrated on other rows, measured on these"
    return Table(caption, ["calibration", *keys.values()], rows)


def _kinds(by: str, found: Mapping[str, Mapping[str, Any]]) -> Table:
    figures = ("rmse", "bias_model_rmse", "log_loss_ratio", "ece", "mean_shift", "uauc")
    rows = [
        [name, f"{own['rows']:,}", *(number(own[key], 3) for key in figures)]
        for name, own in found.items()
    ]
    heads = [by, "rows", "RMSE", "RMSE, bias model", "log loss / bias model's", "ECE",
             "mean shift", "UAUC"]  # fmt: skip
    captions = {
        "popularity": "By popularity of the item, a tenth of the ratings each, rarest first",
        "history": "By known ratings of the person",
    }
    return Table(captions.get(by, f"By {by}"), heads, rows)


def _later(found: Mapping[str, Any]) -> Table:
    rows = [
        [name, number(own["rmse"], 3), number(own["rmse_without"], 3), *_rise(own)]
        for name, own in found.items()
        if isinstance(own, Mapping)
    ]
    heads = ["who answers", "RMSE", "RMSE without others' later ratings", "rise", "95 % CI", "so"]
    caption = f"What others' later ratings are worth, {found['rows']:,} late rows"
    return Table(caption, heads, rows)


def _rise(own: Mapping[str, Any]) -> list[str]:
    ends = own["rise_ci95"]
    return [signed(own["rise"], 3), interval(ends, 3), _STANDS[verdict(ends)]]


def human(card: Mapping[str, Any]) -> list[Table]:
    """Tables of the second heading, of what was asked."""
    own, found = card["human_likeness"], []
    if own["trajectories"]:
        found.append(_trajectories(own["trajectories"]))
    if own["choices"]:
        five = own["choices"]["five_way"]
        found += [_five(five)] if five else []
        found += _likes(own["choices"]["like_or_dislike"])
    if own["identity"]:
        found += [_variants(own["identity"]["variants"]), _cold(own["identity"]["cold_start"])]
    return found + (_probes(own["probes"]) if own["probes"] else [])


def _trajectories(found: Mapping[str, Any]) -> Table:
    rows = [
        [name, number(own["auc"], 3), interval(own["ci95"], 3), f"{own['num_trajectories']:,}"]
        for name, own in found.items()
        if isinstance(own, Mapping)
    ]
    caption = "Told from real trajectories by a classifier; 0.5 = not at all"
    return Table(caption, ["who answers", "AUC", "95 % CI", "trajectories of each kind"], rows)


_LEADS = ("lead_by_letter_ci95", "lead_by_stars_ci95")


def _five(found: Mapping[str, Any]) -> Table:
    rows = [
        [
            name,
            percent(own["accuracy"]),
            *(_percents(own[ends]) for ends in ("ci95", *_LEADS)),
        ]
        for name, own in found["accuracy"].items()
    ]
    heads = ["who answers", "right", "95 % CI", "lead by letter", "lead by stars"]
    return Table(f"Which of five was taken, {found['num_scenes']} scenes", heads, rows)


def _percents(ends: Sequence[float | None] | None) -> str:
    if ends is None or None in ends:
        return NONE
    return f"{100 * (ends[0] or 0):.1f} to {100 * (ends[1] or 0):.1f} %"


def _likes(found: Mapping[str, Any]) -> list[Table]:
    tables = []
    for negatives, ratios in found.items():
        rows = [
            [ratio, name, *(number(own[key], 3) for key in _CHOSEN),
             interval(own["lead_ci95"], 3)]
            for ratio, table in ratios.items()
            for name, own in table["scores"].items()
        ]  # fmt: skip
        heads = ["liked : never met", "who answers", "accuracy", "precision", "recall", "F1", "AUC",
                 "lead of simulated users, 95 % CI"]  # fmt: skip
        tables.append(Table(f"Liked or never met, negatives {negatives}", heads, rows))
    return tables


def _variants(found: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = [
        [name, number(own["rmse"], 3), *_rise(own), number(own["moved"], 3)]
        for name, own in found.items()
    ]
    heads = ["with", "RMSE", "rise", "95 % CI", "so", "answers moved by, stars"]
    return Table("Is it this person?", heads, rows)


def _cold(found: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = [
        [known, number(own["rmse"], 3), number(own["average_and_offset_rmse"], 3),
         interval(own["difference_ci95"], 3)]
        for known, own in found.items()
    ]  # fmt: skip
    heads = ["known ratings", "RMSE", "RMSE, average and own offset", "difference, 95 % CI"]
    return Table("How much has to be known of a person", heads, rows)


def _probes(found: Mapping[str, Any]) -> list[Table]:
    heads = ["probe", "moved by, stars", "95 % CI", "size", "largest"]
    injected = [
        [text, *_effect(own["beyond neutral"]), signed(own[NEUTRAL]["mean"], 3)]
        for text, own in found["injected texts"].items()
    ]
    asked = {"items in other order": found["items in other order"]}
    for name in ("paraphrased", "one changed word", "the same question later"):
        asked |= {f"{name}: {what}": own for what, own in found[name].items()}
    traits = [
        [name, *(number(own.get(f"level {level}"), 3) for level in (1, 2, 3)), number(own["d"], 2)]
        for name, own in found["traits"].items()
    ]
    return [
        Table("Injected texts, beyond neutral text of equal length", [*heads, NEUTRAL], injected),
        Table("The same question", heads, [[name, *_effect(own)] for name, own in asked.items()]),
        Table("Do traits become behaviour", ["", "level 1", "level 2", "level 3", "d"], traits),
    ]


def _effect(own: Mapping[str, Any]) -> list[str]:
    places = signed(own["mean"], 3), interval(own["ci95"], 3)
    return [*places, number(own["size"], 3), number(own["largest"], 3)]


def counterfactual(card: Mapping[str, Any]) -> list[Table]:
    """The table of the third heading; none where the truth is not known."""
    found = card["counterfactual"]
    if not found:
        return []
    rows = [
        [name, number(own["simulated_stars"], 2), number(own["true_stars"], 2),
         signed(own["gap"], 2), interval(own["gap_ci95"], 2), percent(own["simulated_likes"]),
         percent(own["true_likes"])]
        for name, own in found.items()
    ]  # fmt: skip
    heads = ["items", "simulated stars", "true stars", "gap", "95 % CI", "four stars or more",
             "the same in truth"]  # fmt: skip
    return [Table("Items that the log would not have shown", heads, rows)]
