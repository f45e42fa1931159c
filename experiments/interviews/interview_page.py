"""The pages ``report.html`` and ``table.md``, of a finished record alone."""

from typing import Any

from experiments.interviews import interview_figures as figures
from experiments.interviews import interview_tables as tables
from experiments.reporting.formatting import number
from experiments.reporting.markdown import markdown_table
from experiments.reporting.report import filled, markup
from experiments.reporting.result import Record

_PEOPLE_HEADS = ("population", "test", "trait", "people", "mean", "standard deviation")
_SCRIPTED = (
    "No language model answered. These figures test the plumbing and say nothing about any model."
)


def html(record: Record) -> str:
    """The page ``report.html``."""
    results = record.results
    models = results["models"]
    values = {
        "debug": results["provenance"]["config"].get("debug"),
        "warning": _SCRIPTED if any(m["scripted"] for m in models.values()) else None,
        "models": {name: model["engine"] for name, model in models.items()},
        "tests": _tests(models),
        "sentences": tables.every_sentence(models),
        "figures": [(markup(svg), caption) for svg, caption in _drawn(models)],
        "tables": _tables(models, results["people"]),
    }
    return filled("interviews/report.html", record, values)


def markdown(record: Record) -> str:
    """The page ``table.md``."""
    results = record.results
    parts = [
        f"## {title}\n\n{markdown_table(heads, rows)}"
        for title, _, heads, rows in _tables(results["models"], results["people"])
    ]
    said = tables.every_sentence(results["models"])
    return "\n".join([*parts, *(f"{sentence}\n" for sentence in said), record.command])


def _tables(models: dict[str, Any], people: dict[str, Any]) -> list[tuple[str, str, Any, Any]]:
    """(title, note, heads, rows) of every table that has rows."""
    found = [
        (
            "Types: what is reported, and whether a told one comes back (RQ1 to RQ3)",
            "Accuracy: share of runs that return the told type; its deviation is over runs, as in"
            " the paper, its interval over types.",
            *(tables.TYPE_HEADS, tables.type_rows(models)),
        ),
        (
            "Told types, letter by letter",
            "Share of runs in which a letter of the told type comes back (by chance 50 %), and the"
            " type that came most often, whichever was told. Who came back as whom: confusion in"
            " results.json.",
            *(tables.LETTER_HEADS, tables.letter_rows(models)),
        ),
        (
            "Factors unconditioned (RQ1)",
            "z: against people, where the instrument has norms. Alpha and retest are over everybody"
            " asked.",
            *(tables.BASE_HEADS, tables.base_rows(models)),
        ),
        (
            "Factors told (RQ2)",
            "Increase: per cent of the unconditioned score, as in the paper; normalised gain: share"
            " of the way to the told end of the scale.",
            *(tables.INCREASE_HEADS, tables.increase_rows(models)),
        ),
        (
            "Factors told, with a role (RQ3)",
            "Roles of our own table, high pole only; repetition i takes role i mod 3.",
            *(tables.INCREASE_HEADS, tables.increase_rows(models, "role")),
        ),
        (
            "What moved beside the target",
            "Points above the unconditioned score.",
            *(tables.off_target_heads(models), tables.off_target_rows(models)),
        ),
        (
            "Can the answers be trusted?",
            "Acquiescence: -1 never agrees, 1 always. Order: how far the distribution moves when"
            " options change places, 0 to 1. Scored options cannot be refused.",
            *(tables.TRUST_HEADS, tables.trust_rows(models)),
        ),
        (
            "Are the tests known? (RQ0)",
            "What a model says of each type or factor, nearest by embedding to which reference?",
            *(tables.AWARE_HEADS, tables.awareness_rows(models)),
        ),
        ("People of populations", "Expected points.", _PEOPLE_HEADS, _people_rows(people)),
    ]
    return [one for one in found if one[3]]


def _people_rows(people: dict[str, Any]) -> list[list[str]]:
    return [
        [name, test, trait, str(own["people"]), number(own["mean"], 2), number(own["sd"], 2)]
        for name, tests in people.items()
        for test, traits in tests.items()
        for trait, own in traits.items()
    ]


def _drawn(models: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    if any("types" in model for model in models.values()):
        found += [
            (figures.types_svg(models), "Types reported unconditioned (RQ1)."),
            (figures.accuracy_svg(models), "How often a told type comes back (RQ2, RQ3)."),
            (figures.gain_svg(models), "What a role adds (RQ3), with 95 % over types."),
        ]
    if any("factors" in model for model in models.values()):
        found.append((figures.factors_svg(models), "Factors reported unconditioned (RQ1)."))
    return found


def _tests(models: dict[str, Any]) -> list[str]:
    """What was asked, in words."""
    first: dict[str, Any] = next(iter(models.values()), {})
    tests = [first[kind]["instrument"] for kind in ("types", "factors") if kind in first]
    doubts = ["" if test["validated"] else ", not validated" for test in tests]
    return [
        f"{test['name']}: {test['items']} items, {test['licence']}{doubt}"
        for test, doubt in zip(tests, doubts, strict=True)
    ]
