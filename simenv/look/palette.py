"""Every colour of pages and plots, light and dark, as CSS variables. It knows no page and no plot.

Tests hold what it promises: people with protanopia, deuteranopia or tritanopia (as simulated by
Machado, Oliveira and Fernandes, 2009) can tell all series apart, series stand out from the card
(3 : 1), and words can be read on paper and card (4.5 : 1).
"""

from typing import NamedTuple


class Tone(NamedTuple):
    """One colour as ``#rrggbb``, by the scheme of the screen; paper is printed as a light one."""

    light: str
    dark: str


TONES = {
    "paper": Tone("#fbfaf8", "#16171a"),
    "card": Tone("#ffffff", "#1e2024"),
    "ink": Tone("#1d1d1f", "#ececee"),
    "muted": Tone("#5f6169", "#a3a6ae"),
    "grid": Tone("#dedcd6", "#3a3d44"),
    "simulated": Tone("#1f5fbf", "#7fb2ff"),
    "true": Tone("#b4540a", "#f2a55f"),
    "offline": Tone("#6b6e76", "#9a9da6"),
    "fourth": Tone("#169e62", "#f7f2bd"),
    "fifth": Tone("#170f70", "#9a3ae6"),
    "sixth": Tone("#49102d", "#ba5342"),
    "warn-paper": Tone("#fdecea", "#43201d"),
    "warn-ink": Tone("#8f1d14", "#ffb4ab"),
}
# What stands side by side in one plot, in this order.
SERIES = ("simulated", "true", "fourth", "fifth", "sixth", "offline")


def variable(name: str) -> str:
    """A tone as a value of CSS.

    >>> variable("ink")
    'var(--ink)'
    """
    return f"var(--{name})"


def style_sheet() -> str:
    """The tones as variables; a dark screen has the dark ones, paper the light ones."""
    light = "".join(f"  --{name}: {tone.light};\n" for name, tone in TONES.items())
    dark = "".join(f"    --{name}: {tone.dark};\n" for name, tone in TONES.items())
    return (
        f":root {{\n  color-scheme: light dark;\n{light}}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n  :root {{\n{dark}  }}\n}}\n"
    )
