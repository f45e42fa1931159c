"""The small drawings of the page, as inline SVG. Numbers and fixed words in, markup out."""

from collections.abc import Sequence
from html import escape

from simenv.look.palette import SERIES, variable
from simenv.user_model import Piece, Question

COLOURS = tuple(variable(name) for name in SERIES)  # as in the reports
_WIDTH, _HEIGHT, _LEFT, _TOP = 320, 110, 44, 24


def curve_svg(title: str, unit: str, values: Sequence[float]) -> str:
    """One time series with its unit, its range and its latest value."""
    name = f"{escape(title)} ({escape(unit)})"
    words = f"{name}: {values[-1]:.3g}" if values else f"{name}: no tick yet"
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    span = high - low or 1.0
    width, height = _WIDTH - _LEFT - 8, _HEIGHT - _TOP - 8
    step = width / max(1, len(values) - 1)
    points = " ".join(
        f"{_LEFT + i * step:.1f},{_TOP + height * (1 - (v - low) / span):.1f}"
        for i, v in enumerate(values)
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}" class="curve"'
        ' style="width:100%" font-family="sans-serif" fill="currentColor">'
        f'<text x="4" y="14" font-size="12">{words}</text>'
        f'<text x="4" y="{_TOP + 8}" font-size="10" opacity="0.7">{high:.3g}</text>'
        f'<text x="4" y="{_HEIGHT - 8}" font-size="10" opacity="0.7">{low:.3g}</text>'
        f'<polyline points="{points}" fill="none" stroke="{COLOURS[0]}" stroke-width="2"/></svg>'
    )


def distribution_svg(chances: Sequence[float], given: int) -> str:
    """Bars of the chances (5,) of one to five stars; the star that was given is filled."""
    bars = "".join(
        f'<rect x="{4 + 16 * i}" y="{36 - 34 * p:.1f}" width="13" height="{34 * p:.1f}"'
        f' fill="{COLOURS[1] if i + 1 == given else COLOURS[0]}"/>'
        f'<text x="{10 + 16 * i}" y="47" font-size="9" text-anchor="middle">{i + 1}</text>'
        for i, p in enumerate(chances)
    )
    spoken = ", ".join(f"{p:.2f}" for p in chances)
    return (
        f'<svg viewBox="0 0 88 50" width="132" height="75" role="img" aria-label="{spoken}"'
        f' class="stars" font-family="sans-serif" fill="currentColor">{bars}</svg>'
    )


def prompt_markup(asked: Question) -> str:
    """The prompt with what came from the cache set apart, and how much that was."""
    parts = asked.pieces or [Piece(asked.prompt, False)]
    spans = "".join(
        f'<span style="opacity:{0.55 if piece.cached else 1}">{escape(piece.text)}</span>'
        for piece in parts
    )
    told = "Which tokens were computed is not known."
    if asked.cached_tokens is not None and asked.pieces:
        new = len(asked.pieces) - asked.cached_tokens
        told = f"{new} tokens computed, {asked.cached_tokens} (pale) from the prefix cache."
    return f'<pre class="prompt" style="white-space:pre-wrap">{spans}</pre><p>{told}</p>'


def question_markup(title: str, asked: Question) -> str:
    """What is asked about an item, folded away: the memories recalled, then the prompt."""
    memories = "".join(
        f"<li>{memory.similarity:.2f} {escape(memory.title)}: {memory.stars:.0f} stars,"
        f" {escape(memory.reason)} ({'in full' if memory.in_full else 'summed up'})</li>"
        for memory in asked.recalled
    )
    return (
        f'<details class="question"><summary>What is asked about {escape(title)}</summary>'
        f"<ul>{memories}</ul>{prompt_markup(asked)}</details>"
    )
