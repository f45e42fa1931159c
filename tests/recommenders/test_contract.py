"""Every policy of conf/recommender keeps the contract; a new YAML file is tested by being there."""

from pathlib import Path

import hydra
import pytest
from omegaconf import OmegaConf

import conf
from recommenders.testing import MakePolicy, RecommenderContract

CONFIGS = sorted((Path(conf.__file__).parent / "recommender").glob("*.yaml"))
# Quick enough for a contract; the values in the files are for real logs.
SMALL = {"factors": 4, "iterations": 3}
SMALL_ARGUMENTS = {"n_epochs": 1, "embedding_dim": 4, "k": 2, "autoencoder_structure": [4]}
OPTIONAL = {"factorisation": "implicit", "cornac_models": "cornac"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
class TestConfiguredPolicies(RecommenderContract):
    @pytest.fixture
    def make_policy(self, path: Path) -> MakePolicy:
        config = OmegaConf.load(path)
        room = config._target_.split(".")[-2]
        if room in OPTIONAL:
            pytest.importorskip(OPTIONAL[room])
        config.update({name: value for name, value in SMALL.items() if name in config})
        arguments = config.get("arguments", {})
        arguments.update({n: v for n, v in SMALL_ARGUMENTS.items() if n in arguments})
        return lambda: hydra.utils.instantiate(config)


def test_there_are_configs() -> None:
    assert len(CONFIGS) >= 15
