"""The one entry: ``personarec experiment=NAME key=value … [-m]``. It knows no experiment by name.

``conf/experiment/NAME.yaml`` names the function to run by its dotted path. All of its files go to
``output_dir``.
"""

import logging
import os
import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, open_dict

# Read when their libraries load: without these, BLAS threads fight each other on small machines
# and tokenizers warn about every fork.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")
def _run(cfg: DictConfig) -> None:
    from experiments.reporting.running import perform  # loads numpy, which reads the lines above

    with open_dict(cfg):
        cfg.output_dir = str(HydraConfig.get().runtime.output_dir)  # in a sweep, each job's own
    logging.captureWarnings(True)
    logging.getLogger("faiss").setLevel(logging.WARNING)  # it reports every build it looks for
    perform(cfg)


def main() -> None:
    """Run the experiment that the command line names; an error is the last line printed."""
    wants_help = {"-h", "--help"} & set(sys.argv)
    if wants_help and not any(word.startswith("experiment=") for word in sys.argv):
        # Hydra composes the config before it helps, and the experiment has no default.
        sys.argv.append("experiment=policy_ranking")
    try:
        _run()
    except SystemExit as stop:
        error = stop.__context__  # Hydra has printed it, and a hint of its own behind it
        if isinstance(error, Exception) and not isinstance(error, HydraException):
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
