"""The one entry: ``personarec experiment=NAME key=value … [-m]``. It knows no experiment by name.

``conf/experiment/NAME.yaml`` names the function to run by its dotted path. All of its files go to
``output_dir``.
"""

import logging
import os
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

# Read when their libraries load: without these, BLAS threads fight each other on small machines
# and tokenizers warn about every fork.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")
def _run(cfg: DictConfig) -> None:
    output_dir = Path(HydraConfig.get().runtime.output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    with open_dict(cfg):
        cfg.output_dir = str(output_dir)  # in a sweep, each job's own folder
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise ValueError(
            f"{cfg.experiment.name} wanted a value for {', '.join(missing)};"
            f" add {missing[0]}=… to the command"
        )
    OmegaConf.resolve(cfg)
    logging.captureWarnings(True)
    logging.getLogger("faiss").setLevel(logging.WARNING)  # it tells of every build it looks for
    hydra.utils.get_method(cfg.experiment.run)(cfg, output_dir)


def main() -> None:
    """Run the experiment that the command line names."""
    wants_help = {"-h", "--help"} & set(sys.argv)
    if wants_help and not any(word.startswith("experiment=") for word in sys.argv):
        # Hydra composes the config before it helps, and the experiment has no default.
        sys.argv.append("experiment=policy_ranking")
    _run()


if __name__ == "__main__":
    main()
