import pytest

from experiments.interviews.presets import PRESETS, models_named


def test_the_papers_twelve_models_are_named():
    assert len(PRESETS) == len({preset.hub for preset in PRESETS.values()}) == 12
    assert models_named(["paper"], None) == {n: p.hub for n, p in PRESETS.items()}
    assert models_named(["phi3"], None) == {"phi3": "microsoft/Phi-3-mini-4k-instruct"}


def test_folders_and_hub_names_are_called_by_their_last_part_and_nothing_is_the_commands_own():
    assert models_named(["/models/mine/", "org/other"], None) == {
        "mine": "/models/mine/", "other": "org/other"
    }  # fmt: skip
    assert models_named([], "smollm2") == {"smollm2": "smollm2"}
    assert models_named([], None) == {"shipped": "shipped"}


def test_two_models_of_one_name_are_refused():
    with pytest.raises(ValueError, match="models with names of their own, got 'x' twice"):
        models_named(["a/x", "b/x"], None)
