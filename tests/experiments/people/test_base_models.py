"""What the command line says of a training reaches it."""

import pytest
from hydra import compose, initialize_config_module

from experiments.command_line.options import OptionError
from experiments.people.base_models import pocket_config, training_worlds
from experiments.reporting.running import check
from training.base.few_rows import FewRows
from training.base.hiding import Hiding
from training.base.world_mix import WorldMix

NAMES = ("train_base", "build_population")


def composed(*words):
    with initialize_config_module("conf", version_base="1.3"):
        return compose("config", [*words, "output_dir=runs/test"])


@pytest.mark.parametrize("name", NAMES)
def test_people_are_known_by_all_their_rows_and_logs_are_of_old_unless_it_is_asked_for(name):
    cfg = composed(f"experiment={name}")
    assert pocket_config(cfg).few_rows == FewRows(0.0, 5, 60)
    assert training_worlds(cfg.experiment, None) == WorldMix(0.0, 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_few_rows_hiding_and_extreme_logs_are_as_asked(name):
    pocket = "experiment.pocket"
    cfg = composed(
        f"experiment={name}", f"{pocket}.few_rows={{share: 0.5, least: 3, most: 9}}",
        f"{pocket}.hiding.items=0.2", "experiment.biased_share=0.25",
    )  # fmt: skip
    assert pocket_config(cfg).few_rows == FewRows(0.5, 3, 9)
    assert pocket_config(cfg).hiding == Hiding(items=0.2)
    assert training_worlds(cfg.experiment, None) == WorldMix(0.0, 0.25)


@pytest.mark.parametrize(
    "word", ["experiment.biased_share=1.5", "experiment.pocket.few_rows.share=-1",
             "experiment.pocket.few_rows.least=0"]
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_the_door(word):
    cfg = composed("experiment=train_base", word)
    with pytest.raises(OptionError, match=word.split("=")[0]):
        check(cfg, ["experiment=train_base", word])
