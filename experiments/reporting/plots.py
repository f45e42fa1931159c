"""Every plot of the project: Matplotlib figures in one style, as inline SVG or as a PNG.

Figures are drawn in the sentinel colours below. In SVG they then name the CSS variables of
``simenv.look``, so a drawing follows the page's light, dark or printed form, and the page's font
replaces matplotlib's; in a PNG they have the light colours. A plot without labels that say what its
numbers are, or without its n, is refused.
"""

import io
import re
from contextlib import AbstractContextManager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from simenv.look.palette import SERIES as SERIES_NAMES
from simenv.look.palette import TONES, variable
from simenv.whole_files import replace_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SENTINELS = {name: f"#{place:02x}{place:02x}{place:02x}" for place, name in enumerate(TONES, 1)}
INK, MUTED, GRID, PAPER = (_SENTINELS[name] for name in ("ink", "muted", "grid", "card"))
SIMULATED, TRUE, OFFLINE = (_SENTINELS[name] for name in ("simulated", "true", "offline"))


class Series(NamedTuple):
    """How one of several series is drawn: whoever sees no colour has the line and the mark."""

    colour: str
    line: Any  # a line style of matplotlib
    mark: str


_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
_MARKS = ("o", "D", "s", "^", "v", "P")
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


def series(place: int) -> Series:
    """The style of the series at a place; after ``len(SERIES)`` colours lines and marks move on."""
    turn, at = divmod(place, len(SERIES_NAMES))
    return Series(
        _SENTINELS[SERIES_NAMES[at]],
        _LINES[(at + turn) % len(_LINES)],
        _MARKS[(at + turn) % len(_MARKS)],
    )


def themed(**settings: Any) -> AbstractContextManager[None]:
    """Draw within it: matplotlib in the sentinel colours, its own state left alone."""
    import matplotlib  # heavy, and only reports draw

    style: dict[Any, Any] = {**_STYLE, **dict(settings.items())}
    return matplotlib.rc_context(style)


def pictured() -> AbstractContextManager[None]:
    """As ``themed``, for a picture file, which follows no page."""
    return themed(**{part: light(value) for part, value in _STYLE.items() if "#" in str(value)})


def light(colour: str) -> str:
    """What stands for a sentinel on a light page and in a picture file."""
    return {sentinel: TONES[name].light for name, sentinel in _SENTINELS.items()}[colour]


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of the given inches, without pyplot's global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def grid_behind(axes: Any, axis: str) -> None:
    """Thin grid lines along one axis (``x`` or ``y``), behind what is drawn."""
    axes.grid(axis=axis, linewidth=0.8)
    axes.set_axisbelow(True)


def legend_above(axes: Any, ncols: int = 2) -> None:
    """The legend in columns above the drawing, from its left edge on."""
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=ncols, borderaxespad=0.2)


def inline_svg(figure: "Figure", title: str, n: str) -> str:
    """The figure as one ``<svg>`` element that scales with its container.

    Args:
        figure: drawn within ``themed()``; ``n`` is added to it.
        title: what a screen reader says.
        n: how many of what the figure rests on, as ``200 users``.

    Raises:
        ValueError: an axis with numbers says not what they are, or ``n`` is empty.
    """
    _finish(figure, n, MUTED)
    buffer = io.StringIO()
    with themed(**{"svg.hashsalt": title}):  # the same figure gives the same ids
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = _fluid(buffer.getvalue())
    for name, colour in _SENTINELS.items():
        svg = svg.replace(colour, variable(name))
    width = (
        f"--inches: {figure.get_figwidth():g}"  # a narrow page shrinks it no further than legible
    )
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(title)}" style="{width}"', 1)


def write_png(path: Path, figure: "Figure", n: str) -> None:
    """The figure as a picture file, whole or not at all.

    Args:
        path: of the file.
        figure: drawn within ``pictured()`` in ``light`` colours; ``n`` is added to it.
        n: how many of what the figure rests on, as ``200 users``.

    Raises:
        ValueError: as ``inline_svg``.
    """
    _finish(figure, n, light(MUTED))
    card = TONES["card"].light
    replace_whole(path, lambda unfinished: figure.savefig(unfinished, dpi=110, facecolor=card))


def _finish(figure: "Figure", n: str, colour: str) -> None:
    """Refuse what cannot be read without its text, then say n at the lower right."""
    for axes in figure.axes:
        _check_labels(axes)
    if not n.strip():
        raise ValueError("a plot wanted n, as '200 users', got an empty text; say what it rests on")
    with themed():
        figure.supxlabel(f"n = {n}", x=0.99, ha="right", fontsize=10, color=colour)


def _check_labels(axes: "Axes") -> None:
    """Numbers along an axis need a label; names and axes without ticks need none."""
    if axes.name == "polar":
        said = {"radius": axes.get_title(loc="left")}
    else:
        said = {
            "x": _label(axes.xaxis, axes.get_shared_x_axes().get_siblings(axes), "xaxis"),
            "y": _label(axes.yaxis, axes.get_shared_y_axes().get_siblings(axes), "yaxis"),
        }
    for name, text in said.items():
        if not text:
            raise ValueError(
                f"a plot wanted a label on its {name} axis that says what the numbers are and in"
                " which unit, got none; set it before the plot is written"
            )


def _label(axis: Any, together: list[Any], which: str) -> str:
    """What stands along an axis, on it or on one that shares its scale."""
    axes = [getattr(one, which) for one in together]
    texts: list[str] = [one.get_label_text() for one in axes]
    if any(texts):
        return next(filter(None, texts))
    names = [tick.get_text() for one in axes for tick in one.get_ticklabels()]
    if not len(axis.get_ticklocs()) or any(re.search(r"[^\W\d_]", name) for name in names):
        return "names"
    return ""


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
