"""The options of the study, read once; it asks nobody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf

from agents.interviews.asking import Interview
from agents.interviews.instruments import Instrument
from agents.interviews.readers import instrument_named
from experiments.interviews.presets import models_named


@dataclass(frozen=True)
class Settings:
    """See ``conf/experiment/interviews.yaml``."""

    models: Mapping[str, str]
    populations: Mapping[str, str]
    people: int
    types: Instrument | None
    factors: Instrument | None
    levels: tuple[int, ...]
    temperatures: tuple[float, ...]
    repetitions: int
    answers: Literal["scored", "spoken"]
    retries: int
    max_new_tokens: int
    order: Any
    rounds: int
    wordings: tuple[int, ...]
    chat: bool
    seed: int
    race: Mapping[str, int]

    def __post_init__(self) -> None:
        if self.types is None and self.factors is None:
            raise ValueError(
                "experiment=interviews wanted a test, got none; set experiment.type_instrument or"
                " experiment.factor_instrument"
            )

    @classmethod
    def of(cls, cfg: DictConfig) -> "Settings":
        """The settings of a command.

        Raises:
            InstrumentError: an instrument cannot be scored.
            ValueError: neither test is asked for, or two models have one name.
        """
        own: Any = OmegaConf.to_container(cfg.experiment, resolve=True)
        names = ("people", "repetitions", "answers", "retries", "max_new_tokens", "order", "race")
        types, factors = (_instrument(own, kind) for kind in ("type", "factor"))
        return cls(
            models=_models(own["models"], own["slm"]),
            populations=own["populations"],
            types=types,
            factors=factors,
            levels=tuple(own["levels"]),
            temperatures=tuple(float(t) for t in own["temperatures"]),
            rounds=own["rounds"] if own["order"] == "permuted" else 1,
            wordings=tuple(own["wordings"]),
            chat=own["frame"] == "chat",
            seed=int(cfg.seed),
            **{name: own[name] for name in names},
        )

    @property
    def instruments(self) -> list[Instrument]:
        """The tests that are asked: of types, then of factors."""
        return [test for test in (self.types, self.factors) if test is not None]

    def how(self, wording: int | None = None) -> Interview:
        """How it is asked; None = the first wording."""
        chosen = self.wordings[0] if wording is None else wording
        return Interview(self.order, self.rounds, chosen, self.seed)


def _models(wanted: list[str], slm: str | None) -> dict[str, str]:
    if wanted and slm:
        raise ValueError(
            f"experiment=interviews wanted its models once, got the base model {slm} beside"
            " experiment.models; leave one of them out"
        )
    return models_named(wanted, slm)


def _instrument(own: Mapping[str, Any], kind: str) -> Instrument | None:
    place = own[f"{kind}_instrument"]
    if place is None:
        return None
    found = instrument_named(place)
    if found.scoring != f"{kind}s":
        raise ValueError(
            f"experiment.{kind}_instrument wanted an instrument of {kind}s, got {found.name!r}, one"
            f" of {found.scoring}"
        )
    return found
