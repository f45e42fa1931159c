"""What a study of persons is made of, by its config: the paper's models and numbers."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

import experiments
from experiments.personified.published import PUBLISHED, with_published
from experiments.personified.study import study_of
from training.personified.preference_tuning import dpo_settings
from training.personified.retrieval import PAPER_BUDGETS
from training.personified.whole_model import whole_settings

CONF = Path(experiments.__file__).parents[1] / "conf"


def config(*words):
    with initialize_config_dir(str(CONF), version_base=None):
        return compose("config", ["experiment=personified", "output_dir=x", *words])


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_name_sets_every_number_of_the_paper(name):
    study = study_of(config(f"experiment.published={name}", "slm=shipped"))
    assert study.budgets == PAPER_BUDGETS
    assert study.whole == whole_settings(name)
    assert study.passes == 5
    assert study.dpo == dpo_settings("as_published")
    assert (study.most_alike, study.test_share, study.per_general) == (0.95, 0.2, 5)
    assert study.rejected == ("person", "stage"), "induced answers are ours"
    assert study.base.endswith("model"), "a model that was named stays"


def test_the_papers_models_are_taken_where_none_is_named():
    told = {
        n: with_published(config(f"experiment.published={n}").experiment).slm for n in PUBLISHED
    }
    assert told == {
        "minicpm_2b": "openbmb/MiniCPM-2B-sft-bf16-llama-format",
        "chinese_llama_2_7b": "hfl/chinese-llama-2-7b",
    }


def test_without_a_name_nothing_changes_and_adapters_are_trained():
    study = study_of(config("slm=shipped"))
    assert study.whole is None
    assert study.passes == study.preset.epochs == 3
    assert study_of(config("slm=shipped", "experiment.whole=small")).whole == whole_settings()


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"published wanted null or one of minicpm_2b, .*got 'gpt"):
        with_published(config("experiment.published=gpt").experiment)
