"""How the prompts of a model may be run, read off its configuration alone.

Keeping a prefix's keys and values, and padding rows to one length, leave holes between tokens.
Attention that finds its way by the positions it is given does not notice; attention that counts
places (windows, ALiBi, rotary factors that change with the longest row) does, and answers wrongly
without a word. So a model is read that way only if its architecture is listed here, each proven by
a test, and its configuration measures no distance. Every other causal model runs whole prompts,
those of one length at a time, with no padding anywhere. It knows no weights.
"""

from typing import Any


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EXACT = _names(
    """
    apertus arcee biogpt bitnet bloom codegen cohere ctrl diffllama ernie4_5 ernie4_5_moe falcon
    flex_olmo gemma glm glm4 glm4_moe gpt2 gpt_bigcode gpt_neox gpt_neox_japanese gptj granite
    granitemoe granitemoeshared helium hunyuan_v1_dense hunyuan_v1_moe hyperclovax jais2 jetmoe
    llama minimax_m2 mistral mixtral nanochat nemotron olmo olmo2 olmoe opt persimmon phi phi3
    phimoe qwen2 qwen2_moe qwen3 qwen3_moe seed_oss smollm3 solar_open stablelm starcoder2 xglm
    """
)
_FIXED_ROPE = {"default", "linear", "llama3", "yarn"}  # the same factors whatever the length
_WINDOWS = {"full_attention", "sliding_attention", "chunked_attention"}  # what HF's cache knows

_RECURRENT = _names("mamba mamba2 falcon_mamba rwkv recurrent_gemma xlstm")
_ENCODERS = _names(  # causal only where ``is_decoder`` says so
    """
    bert bert-generation big_bird camembert data2vec-text electra ernie megatron-bert rembert
    roberta roberta-prelayernorm roc_bert roformer xlm-roberta xlm-roberta-xl xmod
    """
)
_OTHER_MASKS = _names("cpmant reformer xlm xlnet")
_SECOND_HALVES = _names(
    """
    bart bigbird_pegasus blenderbot blenderbot-small marian mbart moshi musicgen musicgen_melody mvp
    pegasus plbart prophetnet speech_to_text_2 trocr whisper
    """
)


def check_causal(config: Any, name: str) -> None:
    """Refuse a model that does not read a prompt as a causal language model with attention does.

    Args:
        config: of transformers.
        name: what the model is called in errors.

    Raises:
        ValueError: it is recurrent, an encoder, or made for another model's states.
    """
    kind = _no_causal_kind(config)
    if kind:
        raise ValueError(
            f"language model {name!r} wanted a causal decoder with attention (Llama, Qwen, Gemma,"
            f" GPT-2 and the like), got {config.model_type!r}, which is {kind};"
            " name another model"
        )


def _no_causal_kind(config: Any) -> str | None:
    kind = config.model_type
    if kind in _RECURRENT:
        return "a recurrent model"
    if kind in _SECOND_HALVES or getattr(config, "is_encoder_decoder", False):
        return "one half of an encoder-decoder"
    text = config.get_text_config()
    both_ways = getattr(text, "use_bidirectional_attention", False) is True
    if both_ways or (kind in _ENCODERS and not getattr(config, "is_decoder", False)):
        return "an encoder"
    if kind in _OTHER_MASKS:
        return "no left-to-right reader"
    return None


def context_of(config: Any) -> int:
    """Most tokens of a prompt; 2**20 where the configuration states none."""
    text = config.get_text_config()
    names = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
    found = [getattr(text, name, None) for name in names]
    return next((int(value) for value in found if isinstance(value, int) and value > 0), 2**20)


def why_whole(config: Any) -> str | None:
    """Why prompts must run whole and unpadded; None if prefixes may be kept and rows be padded."""
    text = config.get_text_config()
    if config.model_type not in _EXACT:
        kinds = sorted(set(_layer_types(text)) - {"full_attention"})
        return ", ".join(kinds) or f"architecture {config.model_type!r}"
    window = _window(text)
    ropes = _rope_types(text)
    reasons = {
        f"sliding window of {window} tokens": window is not None,
        "ALiBi": getattr(text, "alibi", False) is True,
        f"rope {', '.join(ropes)}": not set(ropes) <= _FIXED_ROPE,
        ", ".join(sorted(set(_layer_types(text)))): (
            not set(_layer_types(text)) <= {"full_attention", "sliding_attention"}
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def may_cache(config: Any) -> bool:
    """Whether transformers' own cache is exact for rows of one length, one new token at a time."""
    text = config.get_text_config()
    kinds, ropes = set(_layer_types(text)), set(_rope_types(text))
    listed = config.model_type in _EXACT or (bool(kinds) and kinds <= _WINDOWS)
    return listed and ropes <= _FIXED_ROPE


def _window(config: Any) -> int | None:
    """The window of any layer, unless it reaches over every prompt and the padding beside it."""
    kinds = _layer_types(config)
    window = getattr(config, "sliding_window", None)
    if not window or (kinds and set(kinds) == {"full_attention"}):
        return None
    return int(window) if window < 2 * context_of(config) + 8 else None


def _layer_types(config: Any) -> list[str]:
    return list(getattr(config, "layer_types", None) or ())


def _rope_types(config: Any) -> list[str]:
    """The kinds of rotary positions, which may differ between kinds of layers."""
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    parts = [rope, *(part for part in rope.values() if isinstance(part, dict))]
    kinds = {part.get("rope_type", part.get("type")) for part in parts}
    return sorted(str(kind) for kind in kinds if kind is not None)
