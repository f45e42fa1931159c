"""How an adapter is put to work on a Hugging Face model; it knows no requests and no cache.

Merging an update into bfloat16 weights rounds it as those weights are rounded; in float32 the ways
agree to 1e-4.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor

from agents.inference.facets.mixtures import read_mixture
from agents.inference.facets.rank_scaling import check_facets, mixed
from agents.inference.local.light.base_model import BaseModel

AdapterMode = Literal["auto", "merged", "merge_in_out", "switch", "mixed"]
_NOBODY = object()


class _Part(NamedTuple):
    """One weight that an adapter changes."""

    layer: Any  # of peft
    parameter: Any  # of the base model
    merged: Tensor  # what it holds while the adapter is at work


class AdaptedModel:
    """A model with its adapters, of which one is at work at a time (or one a row).

    Args:
        model: of transformers, or a peft model around it; or ``BaseModel``, whose model may change.
        mode: ``merged`` works on weights with the adapter merged in, which are kept for the next
            time · ``merge_in_out`` merges anew for every group of requests and keeps nothing ·
            ``switch`` leaves the adapter beside the weights, as peft does · ``mixed`` does so for
            rows of several adapters in one batch · ``auto`` = ``merged``, but ``switch`` for an
            adapter that cannot be merged.
        merged_bytes: most bytes of merged weights that are kept, least recently used out.

    The mode may be set anew between calls. Merged weights stand in for the base's only while an
    adapter is at work; the base's own are put back, not computed back, and so stay what they were,
    bit for bit.

    Raises:
        ValueError: there is no such mode.
    """

    def __init__(self, model: Any, mode: AdapterMode, merged_bytes: int) -> None:
        self._held = model
        self.mode = mode
        self.facets: dict[str, int] = {}  # adapter -> K; 0 = an ordinary one, others are not merged
        self._most = merged_bytes
        self._kept: OrderedDict[str, list[_Part]] = OrderedDict()
        self._at_work: object = _NOBODY

    @property
    def model(self) -> Any:
        """The model with its adapters; None once closed."""
        return self._held.model if isinstance(self._held, BaseModel) else self._held

    @property
    def opened(self) -> Any:
        """What was opened, for its sizes: it may not run by itself (``BaseModel.first``)."""
        return self._held.first if isinstance(self._held, BaseModel) else self._held

    @property
    def mode(self) -> AdapterMode:
        """How adapters are put to work."""
        return self._mode

    @mode.setter
    def mode(self, mode: AdapterMode) -> None:
        if mode not in get_args(AdapterMode):
            raise ValueError(
                f"adapter_mode wanted one of {', '.join(get_args(AdapterMode))}, got {mode!r}"
            )
        self._mode = mode

    @contextmanager
    def using(self, adapter: str | None) -> Iterator[Any]:
        """The model with one adapter, or with none; used again inside, it changes nothing.

        Facets are at work unmerged; a mixture's as it says, an adapter's as rows of calls say.

        Raises:
            ValueError: the adapter cannot be merged and the mode wants it.
        """
        mixture = read_mixture(adapter)
        if mixture.gate:
            with self.using(mixture.adapter) as model, self.mixing([adapter]):
                yield model
        elif not hasattr(self.model, "disable_adapter") or self._at_work == adapter:
            yield self.model
        elif adapter is None:
            with self.model.disable_adapter():
                yield self.model
        else:
            self.model.set_adapter(adapter)
            with self._worked_in(adapter):
                yield self.model

    def __call__(self, adapters: Sequence[str | None], **inputs: Any) -> Any:
        """The model's output for rows (n,) on these adapters.

        Args:
            adapters: (n,) all the one that ``using`` put to work, but with ``mixed``; mixtures of
                one adapter's facets may differ.
            inputs: of the model.
        """
        if self.mode != "mixed" or not hasattr(self.model, "disable_adapter"):
            with self.mixing(adapters):
                return self.model(**inputs)
        check_facets(adapters)
        for name in {*adapters} - {None}:
            if self.model.peft_config[name].use_dora:
                raise ValueError(
                    f"adapter_mode='mixed' wanted adapters without DoRA, got {name!r} with it;"
                    " use adapter_mode='switch'"
                )
        hooks = [(layer, set(layer._forward_pre_hooks)) for layer in self.model.modules()]
        try:
            return self.model(**inputs, adapter_names=[a or "__base__" for a in adapters])
        except BaseException:  # peft would leave its hooks, which break every later call
            for layer, before in hooks:
                for key in set(layer._forward_pre_hooks) - before:
                    del layer._forward_pre_hooks[key]
                    layer._forward_pre_hooks_with_kwargs.pop(key, None)
            raise

    def mixing(self, adapters: Sequence[str | None]) -> AbstractContextManager[None]:
        """Facets of one adapter mixed as each of the rows (n,) says, one row for all of a batch.

        Ordinary adapters, and none, are left as they are.
        """
        adapter = read_mixture(adapters[0]).adapter if adapters else None
        if adapter is None or not self.facets.get(adapter):
            return nullcontext()
        return mixed(self.model, adapter, adapters)

    def forget(self, adapter: str) -> None:
        """Let go of the merged weights of an adapter."""
        self._kept.pop(adapter, None)
        self.facets.pop(adapter, None)

    def close(self) -> None:
        """Let go of the model and of all merged weights."""
        self._kept.clear()
        self._held = None

    @contextmanager
    def _worked_in(self, adapter: str) -> Iterator[None]:
        """Merged weights in the base's place, where the mode wants them."""
        if self.mode in ("switch", "mixed") or self.facets.get(adapter):
            yield
            return
        parts = self._merged(adapter)
        own = [part.parameter.data for part in parts]
        layers = {id(part.layer): part.layer for part in parts}.values()
        self._at_work = adapter
        try:
            for part in parts:
                part.parameter.data = part.merged
            for layer in layers:
                layer.merged_adapters.append(adapter)
            yield
        finally:
            self._at_work = _NOBODY
            for layer in layers:
                layer.merged_adapters.clear()
            for part, data in zip(parts, own, strict=True):
                part.parameter.data = data

    def _merged(self, adapter: str) -> list[_Part]:
        """The weights that an adapter changes, merged; kept as far as the budget goes.

        None for one that cannot be merged, if the mode leaves the choice.
        """
        keeps = self.mode != "merge_in_out"
        if keeps and adapter in self._kept:
            self._kept.move_to_end(adapter)
            return self._kept[adapter]
        reason = why_not_merged(self.model, adapter)
        if reason and self.mode != "auto":
            raise ValueError(
                f"adapter_mode={self.mode!r} wanted adapters that can be merged, got {reason};"
                " use adapter_mode='switch'"
            )
        parts = [] if reason else _merge(self.model, adapter)
        if keeps:
            self._keep(adapter, parts)
        return parts

    def _keep(self, adapter: str, parts: list[_Part]) -> None:
        self._kept[adapter] = parts
        while self._kept and sum(map(_size, self._kept.values())) > self._most:
            self._kept.popitem(last=False)


def why_not_merged(model: Any, adapter: str) -> str | None:
    """Why an adapter cannot be merged into the weights; None if it can."""
    from peft.tuners.lora import Embedding, Linear

    kind = model.peft_config[adapter].peft_type
    if kind != "LORA":
        return f"adapter {adapter!r}, which is {kind}"
    both_ends = _tied(model)
    for name, layer in model.named_modules():
        if _holds(layer, adapter):
            weight = layer.get_base_layer().weight
            if type(layer) not in (Linear, Embedding) or not weight.is_floating_point():
                return f"adapter {adapter!r} on {name}, which is {type(layer).__name__}"
            if id(weight) in both_ends:
                return f"adapter {adapter!r} on {name}, whose weights another layer shares"
    return None


@torch.inference_mode(False)
@torch.no_grad()
def _merge(model: Any, adapter: str) -> list[_Part]:
    """What merging by peft makes of every weight; the model is left as it was."""
    layers = [layer for layer in model.modules() if _holds(layer, adapter)]
    touched = [(layer, p) for layer in layers for p in layer.get_base_layer().parameters()]
    own = [parameter.data for _, parameter in touched]
    try:
        model.merge_adapter([adapter], safe_merge=True)  # writes new tensors, and looks for NaN
        return [
            _Part(layer, parameter, parameter.data)
            for (layer, parameter), before in zip(touched, own, strict=True)
            if parameter.data_ptr() != before.data_ptr()
        ]
    except ValueError as error:
        raise FloatingPointError(
            f"adapter {adapter!r} makes weights that are no numbers ({error}); check its file, or"
            " train it again"
        ) from error
    finally:
        for layer in layers:
            layer.merged_adapters.clear()
        for (_, parameter), before in zip(touched, own, strict=True):
            parameter.data = before


def _tied(model: Any) -> set[int]:
    """Weights that two layers share, such as a tied head and embedding."""
    owners = Counter(
        id(weight)
        for layer in model.modules()
        for weight in layer._parameters.values()
        if weight is not None
    )
    return {weight for weight, count in owners.items() if count > 1}


def _holds(layer: Any, adapter: str) -> bool:
    """Whether a LoRA of that name sits on this layer."""
    return any(adapter in getattr(layer, side, {}) for side in ("lora_A", "lora_embedding_A"))


def _size(parts: list[_Part]) -> int:
    return sum(part.merged.numel() * part.merged.element_size() for part in parts)
