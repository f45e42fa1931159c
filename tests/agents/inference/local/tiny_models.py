"""Tiny random models of the causal architectures of transformers, built from their configurations.

Sizes go by the names that configurations share, so that a new architecture needs no line here.
"""

import inspect
import re

import torch

VOCABULARY = 128
WINDOW = 24  # shorter than the prompts of the tests
SIZES = {
    VOCABULARY: "vocab_size vocab_size_per_layer_input",
    32: "hidden_size n_embd d_model dim dim_model embedding_size embed_dim lru_width",
    48: "intermediate_size ffn_dim n_inner d_ff ffn_hidden_size decoder_ffn_dim encoder_ffn_dim"
    " intermediate_size_mlp shared_intermediate_size",
    24: "moe_intermediate_size shared_expert_intermediate_size sliding_window window_size"
    " attention_window_size attention_chunk_size",
    16: "chunk_size qk_head_dim",
    8: "head_dim d_head d_kv kv_channels q_lora_rank kv_lora_rank qk_rope_head_dim qk_nope_head_dim"
    " v_head_dim mamba_n_heads mamba_d_head mamba_d_state mamba_num_heads mamba_head_dim"
    " ssm_state_size state_size linear_key_head_dim linear_value_head_dim"
    " hidden_size_per_layer_input",
    4: "num_hidden_layers n_layer num_layers n_layers decoder_layers encoder_layers"
    " num_decoder_layers num_encoder_layers num_attention_heads n_head n_heads num_heads"
    " decoder_attention_heads encoder_attention_heads num_decoder_attention_heads"
    " num_encoder_attention_heads rotary_dim num_experts num_local_experts n_routed_experts"
    " moe_num_experts mamba_dt_rank time_step_rank linear_num_value_heads laurel_rank",
    2: "num_key_value_heads num_kv_heads num_experts_per_tok moe_topk moe_k mamba_expand"
    " n_mamba_heads linear_num_key_heads expand altup_num_inputs",
    1: "n_group topk_group first_k_dense_replace mamba_n_groups num_groups n_groups bos_token_id",
    0: "pad_token_id num_kv_shared_layers",
    256: "max_position_embeddings n_positions n_ctx max_seq_len seq_length",
}
VALUES = {name: size for size, names in SIZES.items() for name in names.split()}
VALUES["eos_token_id"] = 2
MOST_WEIGHTS = 30_000_000
HYBRID = ["linear_attention", "full_attention"] * 2
OWN = {  # what shared names do not say
    "bamba": {"attn_layer_indices": [1, 3]},
    "dbrx": {"attn_config": {"kv_n_heads": 2, "rope_theta": 10000.0, "clip_qkv": 8.0},
             "ffn_config": {"hidden_size": 32, "ffn_hidden_size": 48, "moe_num_experts": 4,
                            "moe_top_k": 2}},
    "dots1": {"n_shared_experts": 1},
    "falcon_h1": {"mamba_d_ssm": 64},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "granitemoehybrid": {"layer_types": HYBRID},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "lfm2": {"layer_types": ["conv", "full_attention"] * 2},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "longcat_flash": {"head_dim": 8, "expert_ffn_hidden_size": 24, "zero_expert_num": 2},
    "mamba2": {"num_heads": 8},
    "qwen4_exp_text": {"indexer_n_heads": 4, "indexer_kv_heads": 1, "indexer_head_dim": 8,
                       "indexer_budget": 16, "indexer_compress_ratio": 4},
    "zamba": {"num_hidden_layers": 6, "attn_layer_period": 2, "attn_layer_offset": 1,
              "attention_hidden_size": 64, "attention_head_dim": 16},
    "zamba2": {"layers_block_type": ["linear_attention", "hybrid"] * 2, "mamba_headdim": 8,
               "n_mamba_heads": 8},
    "zaya": {"num_experts_per_tok": 1},
    "gemma4_text": {"layer_types": ["sliding_attention", "full_attention"] * 2, "head_dim": 8},
}  # fmt: skip


def causal_types():
    """Names of all causal architectures that transformers knows."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)


def tiny_config(kind, **own):
    """A small configuration, its parts too; whatever it wants else goes as keywords."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    return _tiny(CONFIG_MAPPING[kind], own)


def _tiny(maker, own):
    usual = maker()
    known = {*vars(usual), *usual.attribute_map, *inspect.signature(maker.__init__).parameters}
    sizes = {name: VALUES[name] for name in VALUES.keys() & known if _is_size(usual, name)}
    if "kv_lora_rank" in sizes:  # its heads are cut in other ways
        sizes.pop("head_dim", None)
        sizes["num_key_value_heads"] = 4
    kinds = list(dict.fromkeys(getattr(usual, "layer_types", None) or ()))
    if kinds and "layer_types" in inspect.signature(maker.__init__).parameters:
        sizes["layer_types"] = [kinds[i % len(kinds)] for i in range(4)]
    sizes |= OWN.get(maker.model_type, {})
    for part in maker.sub_configs.keys() - sizes.keys():
        if (usual_part := getattr(usual, part, None)) is not None:
            sizes[part] = _tiny(type(usual_part), own.get(part, {})).to_dict()
    sizes |= own
    while True:
        try:
            return maker(**sizes)
        except TypeError as error:
            name = re.search(r"argument '(\w+)'", str(error))
            if name is None or sizes.pop(name[1], None) is None:
                raise


def _is_size(usual, name):
    """Whether a configuration has one number of this name, and uses it."""
    try:
        value = getattr(usual, name, None)
    except (AttributeError, RuntimeError):  # one a layer
        return False
    windows = name == "sliding_window" and value is None
    return not isinstance(value, list | dict | tuple) and not windows


def tiny_model(kind, **own):
    """A random model whose weights are large enough to show a misplaced token."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    config = tiny_config(kind, **own)
    with torch.device("meta"):
        size = sum(p.numel() for p in AutoModelForCausalLM.from_config(config).parameters())
    if size > MOST_WEIGHTS:
        raise ValueError(f"{kind} is not tiny: {size} weights")
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1 and weight.is_floating_point():
                weight.normal_(0, 0.15)
    return model
