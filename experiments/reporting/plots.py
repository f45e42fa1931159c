"""Matplotlib figures as inline SVG that follows the page's light or dark theme.

Figures are drawn in the sentinel colours below; the SVG text then names CSS variables instead, and
the page's font replaces matplotlib's.
"""

import io
import re
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, GRID = "#010101", "#020202", "#030303"
SIMULATED, TRUE, OFFLINE = "#040404", "#050505", "#060606"
PAPER = "#070707"

_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    SIMULATED: "--simulated",
    TRUE: "--true",
    OFFLINE: "--offline",
    PAPER: "--card",
}
_STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # a name may hold dollars
    "svg.fonttype": "none",
    "font.size": 12,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": MUTED,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.frameon": False,
    "legend.labelcolor": INK,
}


def themed(**settings: Any) -> AbstractContextManager[None]:
    """Draw within it: matplotlib in the sentinel colours, its own state left alone."""
    import matplotlib  # heavy, and only reports draw

    style: dict[Any, Any] = {**_STYLE, **dict(settings.items())}
    return matplotlib.rc_context(style)


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of the given inches, without pyplot's global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def grid_behind(axes: Any, axis: str) -> None:
    """Thin grid lines along one axis (``x`` or ``y``), behind what is drawn."""
    axes.grid(axis=axis, linewidth=0.8)
    axes.set_axisbelow(True)


def legend_above(axes: Any) -> None:
    """The legend in two columns above the drawing, from its left edge on."""
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, borderaxespad=0.2)


def inline_svg(figure: "Figure", title: str) -> str:
    """The figure as one ``<svg>`` element that scales with its container.

    Args:
        figure: drawn within ``themed()``.
        title: what a screen reader says; must need no escaping.
    """
    buffer = io.StringIO()
    with themed(**{"svg.hashsalt": title}):  # the same figure gives the same ids
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = _fluid(buffer.getvalue())
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    width = (
        f"--inches: {figure.get_figwidth():g}"  # a narrow page shrinks it no further than legible
    )
    return svg.replace("<svg", f'<svg role="img" aria-label="{title}" style="{width}"', 1)


def _fluid(svg: str) -> str:
    """The element alone: no size of its own, no fonts, no ids that nothing refers to."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"font: (?:[\w.]+ )*?([\d.]+px) [^;\"]*", r"font-size: \1", svg)
    svg = re.sub(r' id="(?:figure|axes|text|patch|line2d|matplotlib\.axis|xtick|ytick|legend|'
                 r'LineCollection|PathCollection)_\d+"', "", svg)  # fmt: skip
    return svg
