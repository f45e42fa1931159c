"""What a study would cost, counted by hand of the prompts themselves."""

from dataclasses import replace

from experiments.interviews.dry_run import planned, with_time
from tests.experiments.interviews.known_studies import BIG_FIVE, SETTINGS

PEOPLE = 1 + 10 + 15  # unconditioned, both poles of five factors, three roles of each high pole
ELSEWHERE = replace(SETTINGS, models={"phi3": "microsoft/Phi-3-mini-4k-instruct"}, types=None)


def plan_of(**changes):
    return planned(replace(ELSEWHERE, **changes), 1000.0)["phi3"]


def test_scored_options_are_read_once_for_all_temperatures_and_repetitions():
    one, both = plan_of(rounds=1), plan_of(rounds=1, wordings=(0, 1))
    assert one["prompts"] == PEOPLE * len(BIG_FIVE.items)
    assert both == {
        **one, "prompts": 2 * one["prompts"], "tokens": 2 * one["tokens"],
        "tokens_without_kept_prefixes": 2 * one["tokens_without_kept_prefixes"],
    }  # fmt: skip
    assert plan_of(rounds=2)["prompts"] == 2 * one["prompts"]
    # without kept prefixes every person's is read with each of ten items instead of once
    suffixes = (10 * one["tokens"] - one["tokens_without_kept_prefixes"]) / 9
    assert 0 < suffixes < one["tokens"]
    assert one["memory_gb"] == 3.8 * 2
    assert one["tokens_counted"] == "about, four letters a token"


def test_spoken_answers_are_asked_at_every_temperature_and_repetition_and_cost_tokens():
    scored = plan_of(rounds=1)
    spoken = plan_of(rounds=1, answers="spoken")  # 2 temperatures, 6 repetitions, 4 new tokens
    assert spoken["prompts"] == 12 * scored["prompts"]
    whole = scored["tokens_without_kept_prefixes"]
    assert spoken["tokens"] == 12 * (whole + 4 * scored["prompts"])
    assert spoken["tokens_without_kept_prefixes"] == spoken["tokens"]


def test_hours_are_those_of_the_tokens_that_are_read():
    plan = {"tokens": 7_200_000, "tokens_without_kept_prefixes": 9e9, "tokens_per_second": 1000.0}
    assert with_time(plan)["hours"] == 2.0
