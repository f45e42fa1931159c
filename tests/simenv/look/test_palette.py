"""The palette's promises, for eyes of every kind."""

import itertools
import re

import numpy as np
import pytest

from simenv.look.palette import SERIES, TONES, style_sheet

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
SEEN_BY = {
    "everybody": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip


def linear(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    x = SRGB_TO_XYZ @ np.clip(rgb, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one, other):
    dark, bright = sorted(float(SRGB_TO_XYZ[1] @ linear(c)) for c in (one, other))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("eyes", SEEN_BY)
def test_every_two_series_can_be_told_apart(eyes, scheme):
    seen = {n: lab(np.array(SEEN_BY[eyes]) @ linear(getattr(TONES[n], scheme))) for n in SERIES}
    for one, other in itertools.combinations(SERIES, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 20, (one, other)


def test_the_measure_would_refuse_red_beside_green():
    red, green = (lab(np.array(SEEN_BY["deutan"]) @ linear(c)) for c in ("#b33b00", "#5f7a00"))
    assert np.linalg.norm(red - green) < 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_series_stand_out_from_the_card_and_words_can_be_read(scheme):
    tone = {name: getattr(both, scheme) for name, both in TONES.items()}
    assert all(contrast(tone[name], tone["card"]) >= 3 for name in SERIES)
    words = [(word, on) for word in ("ink", "muted") for on in ("paper", "card")]
    for word, on in [*words, ("warn-ink", "warn-paper")]:
        assert contrast(tone[word], tone[on]) >= 4.5, (word, on)


def test_a_dark_screen_has_the_dark_tones_and_paper_the_light_ones():
    light, dark = style_sheet().split("@media screen and (prefers-color-scheme: dark)")
    for name, tone in TONES.items():
        assert f"--{name}: {tone.light};" in light
        assert f"--{name}: {tone.dark};" in dark
    assert len(re.findall("#[0-9a-f]{6}", style_sheet())) == 2 * len(TONES)
