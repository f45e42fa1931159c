"""Options that would change nothing beside the others are refused in the command line's words."""

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from agents.inference.server.masking import masked_config
from experiments.command_line.experiments_said import experiments, said_of
from experiments.command_line.option_effects import check_effects
from experiments.command_line.options import OptionError
from tests.experiments.command_line.test_base_model_option import checked

ASKING = sorted(
    n for n, said in experiments().items() if {"engine", "users"} <= (said.uses or set())
)


def test_experiments_on_users_take_an_engine():
    assert {"policy_ranking", "simulate", "worlds", "counterfactual", "search"} <= set(ASKING)


@pytest.mark.parametrize("word", ["engine=scripted", "engine.seed=1", "embedder=hashing"])
@pytest.mark.parametrize("users", ["scripted", "fitted", "ridge", "non_personal"])
def test_users_without_a_language_model_do_not_swallow_its_engine(users, word):
    option = word.split("=")[0]
    with pytest.raises(
        OptionError,
        match=rf"{word} would change nothing: these users have no {option.split('.')[0]}; take"
        rf" users=persona, or leave {option} out",
    ):
        checked("experiment=policy_ranking", f"users={users}", "+" * ("." in word) + word)


@pytest.mark.parametrize("name", ASKING)
def test_every_experiment_on_users_refuses_an_engine_that_they_do_not_have(name):
    # The shipped people, whom a student watches, bring their memories with what finds them.
    own = [] if name == "student" else ["embedder=hashing"]
    checked(f"experiment={name}", "engine=scripted", *own)
    with pytest.raises(OptionError, match="engine=scripted would change nothing"):
        checked(f"experiment={name}", "users=scripted", "engine=scripted")


def test_users_of_ones_own_may_name_the_engine_as_they_like():
    own = ["users=scripted", "users._target_=pathlib.PurePath", "+users.model_server=${engine}"]
    with pytest.raises(OptionError, match=r"users\.model_server is no option of pathlib"):
        checked("experiment=policy_ranking", "engine=scripted", *own)  # the engine is no matter


def test_people_who_bring_their_memories_take_no_embedder():
    with pytest.raises(OptionError, match="embedder=hashing would change nothing: the people of"):
        checked("experiment=policy_ranking", "embedder=hashing", "users.population=mine")


@pytest.mark.parametrize(
    ("words", "switch", "value"),
    [
        (["experiment=simulate", "distiller=offline", "experiment.settings.reflect_every=0"],
         "experiment.settings.reflect_every", 5),
        (["experiment=simulate", "experiment.refresh.window=9"],
         "experiment.settings.refresh_every", 5),
        (["experiment=train_policy", "experiment.ensemble.size=3"], "experiment.penalties", "[1]"),
    ],
)  # fmt: skip
def test_what_is_switched_off_takes_no_options(words, switch, value):
    with pytest.raises(OptionError, match=rf"{words[1]} would change nothing: {switch} is"):
        checked(*words)
    checked(*words, f"{switch}={value}")


@pytest.fixture
def begun(tmp_path):
    """The folder of a society that was begun with seed 3 and 6 ticks."""
    folder = tmp_path / "begun"
    folder.mkdir()
    config = composed(*BEGUN)
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(masked_config(config)), encoding="utf-8")
    return folder


BEGUN = ["experiment=simulate", "users=scripted", "seed=3", "experiment.ticks=6", "debug=tiny",
         "recommender=[random,als]"]  # fmt: skip


def composed(*words):
    with initialize_config_module("conf", version_base="1.3"):
        cfg = compose("config", list(words), return_hydra_config=True)
    OmegaConf.update(cfg, "hydra.runtime.output_dir", "runs/test")
    plain = OmegaConf.to_container(cfg, resolve=False)
    del plain["hydra"]
    plain["output_dir"] = next((w.split("=")[1] for w in words if w[:7] == "output_"), "runs/test")
    return OmegaConf.to_container(OmegaConf.create(plain), resolve=True)


@pytest.mark.parametrize(
    "word", ["seed=4", "users=persona", "data.num_users=9", "slm=smollm2", "recommender=[random]",
             "experiment.settings.herding=false", "output_dir=elsewhere"]
)  # fmt: skip
def test_a_resumed_run_refuses_what_it_was_not_begun_with(word, begun):
    words = ["experiment=simulate", f"resume={begun}", word]
    option = word.split("=")[0].replace(".", r"\.")
    with pytest.raises(
        OptionError, match=rf"would change nothing: resume=.* goes on with.*leave {option} out, or"
    ):
        check_effects(composed(*words), said_of("experiments.simulate.run.run"), words)


def test_a_resumed_run_takes_the_words_it_was_begun_with_and_more_ticks(begun):
    for ticks in (6, 9):
        words = [*BEGUN, f"experiment.ticks={ticks}", f"resume={begun}", f"output_dir={begun}"]
        check_effects(composed(*words), said_of("experiments.simulate.run.run"), words)


def test_a_resumed_run_cannot_end_before_its_ticks(begun):
    words = ["experiment=simulate", f"resume={begun}", "experiment.ticks=5"]
    with pytest.raises(
        OptionError, match=r"experiment\.ticks=5 would .*it was begun with 6; leave"
    ):
        check_effects(composed(*words), said_of("experiments.simulate.run.run"), words)
