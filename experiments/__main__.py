"""The one entry: ``personarec experiment=NAME key=value … [-m]``. It knows no experiment by name.

``conf/experiment/NAME.yaml`` names the function to run by its dotted path. All of its files go to
``output_dir``. Verbs (``list``, ``inspect``, ``smoke``, ``share``, ``fetch``) answer without a
run. An error is one line in the words of the command; ``HYDRA_FULL_ERROR=1`` shows where it
happened. Exit codes: 0 done, 1 an error, 130 stopped by Ctrl-C.
"""

import logging
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.utils import get_method
from omegaconf import DictConfig, OmegaConf, open_dict

from experiments.command_line.arguments import (
    choices_of_ones_own,
    dry_run_in_place,
    flags_first,
    texts_as_written,
    verb_first,
    version_text,
)
from experiments.command_line.errors import (
    JobFailedError,
    as_command,
    composition_in_words,
    in_words,
)
from experiments.command_line.first_word import VERBS, refused
from experiments.command_line.secret_words import check_sweep, masked_streams

# Read when their libraries load: without these, BLAS threads fight each other on small machines
# and tokenizers warn about every fork.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
_FULL = "HYDRA_FULL_ERROR"
_SHORT = "PERSONAREC_SHORT_ERRORS"  # set here where nobody asked for tracebacks; jobs inherit it
_OURS = ("simenv", "agents", "recommenders", "training", "experiments")
_STOPPED = 130  # as shells say it
_WITH_PLACE = warnings.formatwarning
# Loggers of libraries that report what no user can act on: builds and kernels they look for.
_NOISY = ("faiss", "bitsandbytes", "huggingface_hub", "kernels", "torchao", "httpx")


@hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")
def _run(cfg: DictConfig) -> None:
    from experiments.reporting.running import perform  # loads numpy, which reads the lines above

    settings = HydraConfig.get()
    with open_dict(cfg):
        if not cfg.dry_run:
            cfg.output_dir = str(settings.runtime.output_dir)  # in a sweep, each job's own
    _quiet(cfg)
    try:
        perform(cfg, list(settings.overrides.task))
    except Exception as error:
        if _wants_traceback():
            raise
        _print_error(in_words(error, _plain(cfg)))
        if settings.mode == RunMode.RUN:
            sys.exit(1)
        raise JobFailedError from None  # the other jobs of a sweep go on


def main() -> None:
    """Run what the command line names; an error is the last line printed."""
    try:
        _main()
    except KeyboardInterrupt:
        _print_error("stopped by Ctrl-C; what was written is kept, and the same command goes on")
        raise SystemExit(_STOPPED) from None


def _main() -> None:
    words = sys.argv[1:]
    if words and words[0] in VERBS:
        raise SystemExit(_answered(words[0], words[1:]))
    if words and (odd := refused(words[0])):
        _print_error(odd)
        raise SystemExit(1)
    words = flags_first(dry_run_in_place(verb_first(words)))
    if "--version" in words:
        print(version_text())
        return
    if {"-h", "--help"} & set(words) and not any(w.startswith("experiment=") for w in words):
        from experiments.command_line.help_page import show_help

        show_help()
        raise SystemExit(0)
    sys.argv[1:] = choices_of_ones_own(texts_as_written(words))
    if os.getcwd() not in sys.path:  # policies of one's own lie in the working directory
        sys.path.insert(0, os.getcwd())
    if wrong := check_sweep(words):
        _print_error(wrong)
        raise SystemExit(1)
    if any(word in ("-m", "--multirun") or word.startswith("hydra/launcher") for word in words):
        from experiments.sweeps.ray_launcher import register  # loads numpy, as a job would

        register()
    with masked_streams(words):
        _hydra()


def _answered(verb: str, words: list[str]) -> int:
    """The exit code of a verb."""
    logging.captureWarnings(True)
    try:
        return int(get_method(VERBS[verb])(words) or 0)
    except Exception as error:
        if os.environ.get(_FULL) == "1":
            raise
        _print_error(in_words(error))
        return 1


def _hydra() -> None:
    """Hydra, with errors that it raises instead of printing, so that they can be printed here."""
    if os.environ.get(_FULL) == "1":
        _run()
        return
    before = os.environ.get(_FULL)
    os.environ |= {_FULL: "1", _SHORT: "1"}
    try:
        _run()
    except JobFailedError:
        raise SystemExit(1) from None
    except Exception as error:
        _print_error(_composition_error(error))
        raise SystemExit(1) from None
    finally:
        del os.environ[_FULL], os.environ[_SHORT]
        if before is not None:
            os.environ[_FULL] = before


def _composition_error(error: Exception) -> str:
    if not isinstance(error, HydraException):
        return in_words(error)
    from experiments.command_line.composition import choices, option_names

    return composition_in_words(error, option_names(sys.argv[1:]), choices())


def _wants_traceback() -> bool:
    return _SHORT not in os.environ or bool(HydraConfig.get().verbose)


def _plain(cfg: DictConfig) -> dict[str, Any]:
    try:
        found: Any = OmegaConf.to_container(cfg, resolve=True)
    except Exception:  # an interpolation that leads nowhere is the error that is told
        found = OmegaConf.to_container(cfg, resolve=False)
    return dict(found)


def _print_error(text: str) -> None:
    print(f"error: {text}", file=sys.stderr)


def _quiet(cfg: DictConfig) -> None:
    logging.captureWarnings(True)
    warnings.formatwarning = _in_one_line(cfg)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)


def _in_one_line(cfg: DictConfig) -> Callable[..., str]:
    """Our own warnings are for the person at the command; where the code gave them is not."""

    def formatted(message: Any, category: Any, *place: Any, **more: Any) -> str:
        if category.__module__.split(".")[0] not in _OURS:
            return _WITH_PLACE(message, category, *place, **more)
        return f"warning: {as_command(str(message), _plain(cfg))}"

    return formatted


if __name__ == "__main__":
    main()
