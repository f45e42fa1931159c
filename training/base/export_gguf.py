"""Writes a Llama-shaped model as GGUF in float32, so that llama.cpp can run the shipped model.

Supported: ``LlamaForCausalLM`` with plain rotary positions, safetensors in one file, and a
byte-level BPE ``tokenizer.json``. llama.cpp has a fixed list of pre-tokenizers; the shipped model's
differs from its ``gpt-2`` in that a decimal (`` 3.5``) is one piece, so decimals are written as
user-defined tokens, which llama.cpp cuts out first. A decimal that is no token of its own (rare
ones, as `` 9.7``) is cut otherwise than here, so a prompt with one is read a little differently.
Not supported: any other shape, which raises.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simenv.events import FloatArray

_DECIMAL = re.compile(r"Ġ?[+-]?\d\.\d")
_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4  # llama.cpp's kinds of tokens
_TENSORS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def export_gguf(model: str | Path, path: str | Path) -> None:
    """Write the model in folder ``model`` to the file ``path``.

    Raises:
        ModuleNotFoundError: gguf is not installed.
        ValueError: the model is of another shape than supported.
    """
    try:
        import gguf
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "writing GGUF needs gguf: pip install 'personarec[llama]'", name="gguf"
        ) from error
    from safetensors.numpy import load_file

    folder = Path(model)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    words = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    _check(config, words)
    writer = gguf.GGUFWriter(str(path), "llama")
    _add_shape(writer, config)
    _add_words(writer, config, words)
    _add_tensors(writer, config, load_file(folder / "model.safetensors"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _check(config: Mapping[str, Any], words: Mapping[str, Any]) -> None:
    found = (
        config["architectures"],
        config["rope_parameters"]["rope_type"],
        words["model"]["type"],
        (words.get("decoder") or {}).get("type"),
    )
    wanted = (["LlamaForCausalLM"], "default", "BPE", "ByteLevel")
    if found != wanted:
        raise ValueError(
            f"export_gguf wanted (architectures, rope, tokenizer, decoder) {wanted}, got {found};"
            " use llama.cpp's own convert_hf_to_gguf.py"
        )


def _add_shape(writer: Any, config: Mapping[str, Any]) -> None:
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(0)  # float32 throughout


def _add_words(writer: Any, config: Mapping[str, Any], words: Mapping[str, Any]) -> None:
    vocabulary = sorted(words["model"]["vocab"].items(), key=lambda word: word[1])
    control = {token["id"] for token in words["added_tokens"]}
    texts, kinds = [], []
    for text, token in vocabulary:
        decimal = _DECIMAL.fullmatch(text) is not None
        texts.append(text.replace("Ġ", " ") if decimal else text)
        kinds.append(_CONTROL if token in control else _USER_DEFINED if decimal else _NORMAL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(texts)
    writer.add_token_types(kinds)
    merges = words["model"]["merges"]
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    begins = json.dumps(words.get("post_processor") or {})
    writer.add_add_bos_token("SpecialToken" in begins)


def _add_tensors(writer: Any, config: Mapping[str, Any], weights: Mapping[str, Any]) -> None:
    def add(name: str, tensor: FloatArray) -> None:
        writer.add_tensor(f"{name}.weight", np.ascontiguousarray(tensor, dtype=np.float32))

    add("token_embd", weights["model.embed_tokens.weight"])
    add("output_norm", weights["model.norm.weight"])
    if not config["tie_word_embeddings"]:
        add("output", weights["lm_head.weight"])
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for layer in range(config["num_hidden_layers"]):
        for theirs, ours in _TENSORS.items():
            tensor = weights[f"model.layers.{layer}.{theirs}.weight"]
            add(f"blk.{layer}.{ours}", _turned(tensor, heads[ours]) if ours in heads else tensor)


def _turned(tensor: FloatArray, heads: int) -> FloatArray:
    """Rows of a rotary projection in llama.cpp's order: neighbours in place of halves."""
    rows, columns = tensor.shape
    halves = tensor.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)
