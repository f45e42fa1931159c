"""The settings of whole models, by name; training them stands in ``test_tuning.py``."""

import pytest

from training.personified.whole_model import WholeSettings, whole_settings


def test_the_papers_numbers_have_names():
    assert whole_settings("minicpm_2b") == WholeSettings(5e-5, 5, 16, 50 / 3500, 0.1, True)
    assert whole_settings("chinese_llama_2_7b") == WholeSettings(2e-5, 5, 16, 50 / 3500, 0.1, True)
    assert whole_settings("small_time_tokens") == WholeSettings(time_tokens=True)
    assert whole_settings("minicpm_2b", epochs=1).epochs == 1


def test_a_trainer_gets_these_numbers():
    found = whole_settings("minicpm_2b").schedule
    told = (found.learning_rate, found.epochs, found.blocks_per_step, found.weight_decay)
    assert told == (5e-5, 5, 16, 0.1)
    assert round(found.warmup * 3500) == 50


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (
            "large",
            {},
            "whole model wanted one of small, small_time_tokens, minicpm_2b, .*got 'large'",
        ),
        ("small", {"rank": 3}, "preset 'small' has no setting rank; it has learning_rate, epochs"),
        ("small", {"learning_rate": 0}, "learning_rate"),
    ],
)
def test_unknown_names_and_wrong_numbers_are_refused(name, changes, message):
    with pytest.raises(ValueError, match=message):
        whole_settings(name, **changes)
