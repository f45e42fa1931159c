"""The pocket SLM itself: its tokenizer, its shape and how it answers. It knows no training loop."""

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from agents.inference.blocks.places import CONFIG_KEY, Places
from agents.inference.blocks.reader import BlockReader
from agents.inference.blocks.texts import gists_of
from agents.inference.tokens import Tokens
from agents.prompt_style import PromptStyle
from agents.prompts import RATING_CHOICES
from simenv.events import FloatArray
from training.base.few_rows import FewRows
from training.base.hiding import Hiding
from training.examples.block_batches import BlockBatch, batch_logits, encode
from training.examples.from_log import Examples, chosen_blocks

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# Numbers such as " 3.7" and " +0.4" stay whole, so that one embedding stands for one quantity.
_LENGTH_GROUPS = 4  # of a batch's turns, by length
_PRETOKENS = r" ?[+-]?\d\.\d| ?\p{L}+| ?\d{1,4}| ?[^\s\p{L}\d]+|\s+"


@dataclass(frozen=True)
class PocketConfig:
    """Shape and training of the pocket model."""

    vocab_size: int = 2048
    hidden_size: int = 128
    num_layers: int = 4
    num_heads: int = 4
    num_key_heads: int = 0  # 0 = as many as heads
    intermediate_size: int = 384
    max_length: int = 1024
    users_per_step: int = 6
    min_pool: int = 100
    turns_per_user: int = 20
    num_steps: int = 1200
    warmup_steps: int = 50
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    suggested_share: float = 0.5  # of the turns, where the truth is known; see with_suggestions
    partial_share: float = 0.3  # of the users, who are described by Ms or by Ml alone
    seed: int = 0
    style: PromptStyle = field(default_factory=PromptStyle)
    hiding: Hiding = field(default_factory=Hiding)  # what training worlds do not tell
    few_rows: FewRows = field(default_factory=FewRows)  # of people in training worlds
    places: Places = field(default_factory=Places)  # of models that read in blocks

    @classmethod
    def tiny(cls) -> "PocketConfig":
        """A model too small to mean anything, trained in seconds; for tests of the plumbing."""
        return cls(
            vocab_size=600,
            hidden_size=32,
            num_layers=2,
            num_heads=2,
            intermediate_size=64,
            users_per_step=2,
            turns_per_user=4,
            min_pool=2,
            num_steps=2,
        )


def train_tokenizer(
    texts: list[str], vocab_size: int, more_tokens: Sequence[str] = ()
) -> "PreTrainedTokenizerFast":
    """Byte-level BPE over the project's prompts; any text can be written in it.

    ``more_tokens`` are special ones beside those that begin, end and fill up a text.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PRETOKENS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<pad>", "<s>", "</s>", *more_tokens],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=list(more_tokens),
    )


def new_model(config: PocketConfig, vocab_size: int) -> Any:
    """An untrained Llama of the given shape."""
    from transformers import LlamaConfig, LlamaForCausalLM

    blocks = config.style.reading == "blocks"
    more: dict[str, Any] = {CONFIG_KEY: asdict(config.places)} if blocks else {}
    torch.manual_seed(config.seed)
    model: Any = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.num_layers,
            num_attention_heads=config.num_heads,
            num_key_value_heads=config.num_key_heads or config.num_heads,
            max_position_embeddings=config.places.context if blocks else config.max_length,
            tie_word_embeddings=True,
            # The usual 0.02 is made for wide models; in a narrow one attention starts out flat.
            initializer_range=0.5 / math.sqrt(config.hidden_size),
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            **more,
        )
    )
    return model


def give_numbers_meaning(model: Any, tokenizer: "PreTrainedTokenizerFast") -> None:
    """Add smooth functions of its value to the embedding of every token that is a number.

    Near numbers start near each other, so what is learnt of 3.7 holds for 3.8 at once.
    """
    weights = model.get_input_embeddings().weight
    generator = torch.Generator().manual_seed(1)
    directions = torch.randn(2, 8, weights.shape[1], generator=generator)
    directions *= 0.5 / math.sqrt(weights.shape[1])
    with torch.no_grad():
        for token, i in tokenizer.get_vocab().items():
            text = tokenizer.convert_tokens_to_string([token]).strip()
            if not re.fullmatch(r"[+-]?\d(\.\d)?", text):
                continue
            signed = int(text[0] in "+-")
            weights[i] += _smooth(float(text)).to(weights) @ directions[signed].to(weights)


def _smooth(value: float) -> Tensor:
    """(8,) linear, constant and periodic functions of a number between -5 and 5."""
    angles = [2 * math.pi * value / length for length in (16.0, 8.0, 4.0)]
    waves = [f(a) for a in angles for f in (math.sin, math.cos)]
    return torch.tensor([value, 1.0, *waves])


def answer_logits(
    model: Any, tokenizer: "PreTrainedTokenizerFast", examples: Examples | BlockBatch
) -> Tensor:
    """Logits (n·t, vocabulary) at each turn's answer; a user's turns share one pass over Ms.

    Each turn sees the prefix and itself, never another turn, exactly as at inference. Turns of
    about one length are read together, so that little of a batch is padding.
    """
    if isinstance(examples, BlockBatch) or examples.items:
        return _block_logits(model, tokenizer, examples)
    num_turns = len(examples.suffixes) // len(examples.prefixes)
    device = next(model.parameters()).device
    prefix, prefix_mask = _padded(tokenizer, examples.prefixes, "left", device)
    read = model.model(
        input_ids=prefix,
        attention_mask=prefix_mask,
        position_ids=(prefix_mask.cumsum(1) - 1).clamp_min(0),
        use_cache=True,
    ).past_key_values
    lengths = [len(x) for x in tokenizer(examples.suffixes, add_special_tokens=False)["input_ids"]]
    order = np.argsort(lengths, kind="stable")
    parts = [
        _turns_logits(
            model,
            tokenizer,
            [examples.suffixes[i] for i in chosen],
            read,
            prefix_mask,
            torch.as_tensor(chosen // num_turns, device=device),
        )
        for chosen in np.array_split(order, min(_LENGTH_GROUPS, len(order)))
    ]
    back = torch.as_tensor(np.argsort(order), device=device)
    return torch.cat(parts)[back]


def _block_logits(
    model: Any, tokenizer: "PreTrainedTokenizerFast", examples: Examples | BlockBatch
) -> Tensor:
    gists = gists_of(model, tokenizer)
    device = next(model.parameters()).device
    batch = encode(examples, tokenizer) if isinstance(examples, Examples) else examples
    return batch_logits(BlockReader(model), gists, batch, device).flatten(0, 1)


def _turns_logits(
    model: Any,
    tokenizer: "PreTrainedTokenizerFast",
    suffixes: list[str],
    read: Any,
    prefix_mask: Tensor,
    users: Tensor,
) -> Tensor:
    """Logits (m, vocabulary) of turns of these ``users`` (m,), whose prefixes were ``read``."""
    lead, _ = Tokens(tokenizer).choices(RATING_CHOICES)
    suffix, suffix_mask = _padded(tokenizer, suffixes, "right", prefix_mask.device, lead)
    cache = _chosen_states(read, users)
    prefix_mask = prefix_mask[users]
    start = prefix_mask.sum(1, keepdim=True)
    hidden = model.model(
        input_ids=suffix,
        attention_mask=torch.cat([prefix_mask, suffix_mask], 1),
        position_ids=start + torch.arange(suffix.shape[1], device=suffix.device),
        past_key_values=cache,
    ).last_hidden_state
    last = suffix_mask.sum(1) - 1
    logits: Tensor = model.lm_head(hidden[torch.arange(len(last), device=suffix.device), last])
    return logits


def _chosen_states(read: Any, users: Tensor) -> Any:
    """A cache of its own with the kept states of ``users``; ``read`` stays as it is."""
    from transformers import DynamicCache

    return DynamicCache(
        [
            (layer.keys.index_select(0, users), layer.values.index_select(0, users))
            for layer in read.layers
        ]
    )


def _padded(
    tokenizer: "PreTrainedTokenizerFast",
    texts: list[str],
    side: str,
    device: torch.device,
    after: Sequence[int] = (),
) -> tuple[Tensor, Tensor]:
    """Token ids and mask (n, t), each text followed by the tokens ``after``."""
    read = tokenizer(texts, add_special_tokens=False)["input_ids"]
    ids = [torch.tensor([*own, *after], dtype=torch.long) for own in read]
    rows, known = (
        pad_sequence(columns, batch_first=True, padding_side=side).to(device)
        for columns in (ids, [torch.ones_like(own) for own in ids])
    )
    return rows, known


def answer_ids(tokenizer: "PreTrainedTokenizerFast") -> Tensor:
    """Token ids (5,) by which the five answers differ."""
    return torch.tensor(Tokens(tokenizer).choices(RATING_CHOICES)[1])


def answer_chances(
    model: Any, tokenizer: Any, examples: Examples, users_per_batch: int = 32
) -> FloatArray:
    """Predicted distributions (n, t, 5), restricted to the five answers."""
    ids, parts = answer_ids(tokenizer), []
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(examples.prefixes), users_per_batch):
            users = np.arange(start, min(start + users_per_batch, len(examples.prefixes)))
            logits = answer_logits(model, tokenizer, chosen_blocks(examples, users))
            parts.append(logits.float()[:, ids].softmax(-1).cpu().numpy())
    model.train()
    chances: FloatArray = np.concatenate(parts).reshape(examples.targets.shape)
    return chances
