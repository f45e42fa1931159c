"""The pictures of the report: mean stars, ranks by each measure, and what sessions do over time."""

from collections.abc import Mapping
from typing import Any

from experiments.reporting.plots import (
    GRID,
    INK,
    MUTED,
    PAPER,
    SIMULATED,
    TRUE,
    grid_behind,
    inline_svg,
    legend_above,
    new_figure,
    themed,
)


def means_svg(results: Mapping[str, Any]) -> str:
    """Mean stars of every measured policy with 95 % intervals, best on top."""
    measured = [p for p in results["policies"] if p["simulated"]]
    with themed():
        figure = new_figure(6.6, 1.4 + 0.42 * max(len(measured), 1))
        axes = figure.add_subplot()
        known = any(p["true"] for p in measured)
        for row, policy in enumerate(measured):
            shift = 0.13 if known else 0.0
            _interval(axes, policy["simulated"], row - shift, SIMULATED, "o")
            _interval(axes, policy["true"], row + shift, TRUE, "D")
        axes.set_yticks(range(len(measured)), [p["name"] for p in measured])
        axes.set_ylim(len(measured) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        grid_behind(axes, "x")
        axes.set_xlabel("mean stars over everything shown (1 to 5)")
        _legend(axes, known)
        return inline_svg(
            figure, "Mean stars of every policy with 95 per cent intervals", _n(results)
        )


def _n(results: Mapping[str, Any]) -> str:
    return f"{results['setting']['num_users']:,} users"


def _interval(axes: Any, figures: dict[str, Any] | None, y: float, colour: str, mark: str) -> None:
    if not figures or figures["mean_rating"] is None:
        return
    mean, (low, high) = figures["mean_rating"], figures["ci95"]
    if low is not None:
        axes.plot([low, high], [y, y], color=colour, linewidth=2.5, solid_capstyle="butt")
    axes.plot([mean], [y], mark, color=colour, markersize=7, markeredgecolor=PAPER)


def _legend(axes: Any, known: bool) -> None:
    axes.plot([], [], "o-", color=SIMULATED, label="simulated users")
    if known:
        axes.plot([], [], "D-", color=TRUE, label="true users")
    legend_above(axes)


def over_time_svg(results: Mapping[str, Any]) -> str:
    """Mean expected stars of each slate over the users still there, one line a policy."""
    lines = {
        p["name"]: [point["mean"] for point in p["simulated"]["rating_by_slate"]]
        for p in _measured(results)
    }
    with themed():
        figure = new_figure(5.4, 3.9)
        axes = figure.add_subplot()
        for name, ys in lines.items():
            axes.plot(range(1, len(ys) + 1), ys, color=_colour(name, lines), linewidth=2)
        _label_ends(axes, {n: (len(ys), ys[-1]) for n, ys in lines.items()}, lines)
        axes.set_xlabel("slate of the session")
        axes.set_ylabel("mean stars (1 to 5)")
        _dress_lines(axes)
        return inline_svg(
            figure, "Mean stars of each slate of the session for every policy", _n(results)
        )


def _draw_survival(axes: Any, curve: Mapping[str, list[Any]], colour: str) -> None:
    """One curve and its band, where the interval is known."""
    xs = range(len(curve["share"]))
    axes.step(xs, curve["share"], where="post", color=colour, linewidth=2)
    known = [x for x in xs if None not in (curve["low"][x], curve["high"][x])]
    low, high = ([curve[end][x] for x in known] for end in ("low", "high"))
    band = 0.25 if colour == SIMULATED else 0.10
    axes.fill_between(known, low, high, step="post", color=colour, alpha=band, linewidth=0)


def survival_svg(results: Mapping[str, Any]) -> str:
    """Share of users still there after each slate, with 95 % bands."""
    curves = {p["name"]: p["simulated"]["survival"] for p in _measured(results)}
    with themed():
        figure = new_figure(5.4, 3.9)
        axes = figure.add_subplot()
        for name, curve in curves.items():
            _draw_survival(axes, curve, _colour(name, curves))
        lowest = min(share for c in curves.values() for share in c["share"])
        axes.set_ylim(max(0.0, lowest - 0.15), 1.03)
        ends = {n: (len(c["share"]) - 1, c["share"][-1]) for n, c in curves.items()}
        _label_ends(axes, ends, curves)
        axes.set_xlabel("slates seen")
        axes.set_ylabel("share of users still there (0 to 1)")
        _dress_lines(axes)
        title = "Share of users still there after each slate for every policy"
        return inline_svg(figure, title, _n(results))


def _measured(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [p for p in results["policies"] if p["simulated"]]


def _colour(name: str, ranked: dict[str, Any]) -> str:
    """The best policy stands out; more than a few colours could not be distinguished."""
    return SIMULATED if name == next(iter(ranked)) else MUTED


def _label_ends(axes: Any, ends: dict[str, tuple[int, float]], ranked: dict[str, Any]) -> None:
    """Names at the right ends of the lines, moved apart where they would touch."""
    low, high = axes.get_ylim()
    gap = 0.075 * (high - low)
    right, last = max((x for x, _ in ends.values()), default=1), -float("inf")
    for name, (_, y) in sorted(ends.items(), key=lambda item: item[1][1]):
        last = max(y, last + gap)
        axes.text(right + 0.02 * right, last, f" {name}", va="center", color=_colour(name, ranked))
    axes.set_xlim(right=right * 1.32)
    axes.set_ylim(low, max(high, last + gap))


def _dress_lines(axes: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    grid_behind(axes, "y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def slopes_svg(results: Mapping[str, Any]) -> str:
    """The rank of every policy offline, with simulated users and, where known, in truth."""
    ranks = _ranks(results)
    heads = {"offline": "offline\nNDCG", "simulated": "simulated\nusers", "true": "true\nusers"}
    places = [key for key in heads if key in ranks]
    names = list(ranks["simulated"])
    with themed():
        figure = new_figure(5.4, 1.5 + 0.52 * max(len(names), 1))
        axes = figure.add_subplot()
        colours = [SIMULATED, *[MUTED] * len(names)]
        for name, colour in zip(names, colours, strict=False):
            ys = [ranks[key][name] for key in places]
            axes.plot(range(len(places)), ys, color=colour, linewidth=2.5, alpha=0.9)
            axes.plot(range(len(places)), ys, "o", color=colour, markersize=9, mec=PAPER)
        for place, label in labels(ranks[places[0]]).items():
            axes.text(-0.1, place, label, ha="right", va="center")
        for place, label in labels(ranks[places[-1]]).items():
            axes.text(len(places) - 0.9, place, label, ha="left", va="center")
        _dress_slopes(axes, [heads[key] for key in places], len(names))
        return inline_svg(figure, "Rank of every policy offline, simulated and true", _n(results))


def labels(ranks: Mapping[str, float]) -> dict[float, str]:
    r"""What stands beside every rank: names that share one stand below each other.

    >>> labels({"als": 2.5, "ease": 1.0, "slim": 2.5})
    {2.5: 'als\nslim', 1.0: 'ease'}
    """
    return {rank: "\n".join(n for n in ranks if ranks[n] == rank) for rank in ranks.values()}


def _dress_slopes(axes: Any, heads: list[str], num_rows: int) -> None:
    axes.set_xticks(range(len(heads)), heads)
    axes.set_xlim(-0.95, len(heads) - 0.05)
    axes.set_ylim(num_rows + 0.5, 0.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelcolor=INK)
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(False)
    for place in range(len(heads)):
        axes.axvline(place, color=GRID, linewidth=0.8, zorder=0)


def _ranks(results: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Rank by measure and policy (1 = best; equal scores share the mean rank)."""
    from scipy.stats import rankdata

    top = f"ndcg@{results['setting']['top']}"
    measured = [p for p in results["policies"] if p["simulated"]]
    scores = {
        "offline": [p["offline"].get(top) for p in measured],
        "simulated": [p["simulated"]["mean_rating"] for p in measured],
        "true": [p["true_mean_rating"] for p in measured],
    }
    names = [p["name"] for p in measured]
    return {
        key: dict(zip(names, rankdata([-v for v in values]), strict=True))
        for key, values in scores.items()
        if key == "simulated" or None not in values
    }
