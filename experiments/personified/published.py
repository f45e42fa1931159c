"""The paper's models and numbers under a name (arXiv 2407.12393); it trains nothing.

Each setting stands in the paper's appendix or in the code that was published with it. Models come
in the formats of transformers, since no code of a hub is ever run.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from omegaconf import DictConfig, OmegaConf

_NUMBERS: dict[str, Any] = {
    "objective_words": 1300, "subjective_words": 350, "most_alike": 0.95, "test_share": 0.2,
    "per_general": 5, "rejected": ["person", "stage"], "dpo": {"name": "as_published"},
}  # fmt: skip
PUBLISHED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "minicpm_2b": _NUMBERS
        | {"slm": "openbmb/MiniCPM-2B-sft-bf16-llama-format", "whole": "minicpm_2b"},
        "chinese_llama_2_7b": _NUMBERS
        | {"slm": "hfl/chinese-llama-2-7b", "whole": "chinese_llama_2_7b"},
    }
)


def with_published(settings: DictConfig) -> DictConfig:
    """The settings with those of ``settings.published`` in their place.

    A model that was named (``slm=``) stays, so that the paper's numbers can be tried on another.

    Raises:
        ValueError: nothing is published under this name.
    """
    name = settings.published
    if name is None:
        return settings
    if name not in PUBLISHED:
        raise ValueError(
            f"experiment.published wanted null or one of {', '.join(PUBLISHED)}, got {name!r}"
        )
    told = dict(PUBLISHED[name])
    if settings.slm:
        del told["slm"]
    own: Any = OmegaConf.to_container(settings, resolve=True)
    found: Any = OmegaConf.merge(own, told)
    return DictConfig(found)
