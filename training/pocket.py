"""Trains the pocket SLM: a small Llama that reads Ms, memories and an item, and answers a rating.

It learns from scratch on the project's own prompts over many synthetic worlds, so that it can read
people and items it has never met. It knows nothing else; real runs name a real SLM.
"""

import itertools
import json
import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from agents.prompts import RATING_CHOICES, PromptStyle
from simenv.data.dataset import Dataset
from simenv.data.synthetic import drawn_world
from simenv.events import FloatArray
from training.examples import Examples, held_out_examples

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# Numbers such as " 3.7" and " +0.4" stay whole, so that one embedding stands for one quantity.
_FIRST_WORLD = 1000  # the worlds below made the tokenizer
_PRETOKENS = r" ?[+-]?\d\.\d| ?\p{L}+| ?\d{1,4}| ?[^\s\p{L}\d]+|\s+"


@dataclass(frozen=True)
class PocketConfig:
    """Shape and training of the pocket model."""

    vocab_size: int = 2048
    hidden_size: int = 128
    num_layers: int = 4
    num_heads: int = 4
    intermediate_size: int = 384
    max_length: int = 1024
    users_per_step: int = 6
    min_pool: int = 100
    turns_per_user: int = 20
    num_steps: int = 1200
    warmup_steps: int = 50
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    seed: int = 0
    style: PromptStyle = field(default_factory=PromptStyle)

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


WorldSource = Callable[[int], Dataset]


def train_tokenizer(texts: list[str], vocab_size: int) -> "PreTrainedTokenizerFast":
    """Byte-level BPE over the project's prompts; any text can be written in it."""
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
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )


def new_model(config: PocketConfig, vocab_size: int) -> Any:
    """An untrained Llama of the given shape."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(config.seed)
    model: Any = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.num_layers,
            num_attention_heads=config.num_heads,
            num_key_value_heads=config.num_heads,
            max_position_embeddings=config.max_length,
            tie_word_embeddings=True,
            # The usual 0.02 is made for wide models; in a narrow one attention starts out flat.
            initializer_range=0.5 / math.sqrt(config.hidden_size),
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
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


def answer_logits(model: Any, tokenizer: "PreTrainedTokenizerFast", examples: Examples) -> Tensor:
    """Logits (n·t, vocabulary) at each turn's answer; a user's turns share one pass over Ms.

    Each turn sees the prefix and itself, never another turn, exactly as at inference.
    """
    num_turns = len(examples.suffixes) // len(examples.prefixes)
    device = next(model.parameters()).device
    prefix, prefix_mask = _padded(tokenizer, examples.prefixes, "left", device)
    suffix, suffix_mask = _padded(tokenizer, examples.suffixes, "right", device)
    cache = model.model(
        input_ids=prefix,
        attention_mask=prefix_mask,
        position_ids=(prefix_mask.cumsum(1) - 1).clamp_min(0),
        use_cache=True,
    ).past_key_values
    cache.batch_repeat_interleave(num_turns)
    prefix_mask = prefix_mask.repeat_interleave(num_turns, 0)
    start = prefix_mask.sum(1, keepdim=True)
    hidden = model.model(
        input_ids=suffix,
        attention_mask=torch.cat([prefix_mask, suffix_mask], 1),
        position_ids=start + torch.arange(suffix.shape[1], device=device),
        past_key_values=cache,
    ).last_hidden_state
    last = suffix_mask.sum(1) - 1
    logits: Tensor = model.lm_head(hidden[torch.arange(len(last), device=device), last])
    return logits


def _padded(
    tokenizer: "PreTrainedTokenizerFast", texts: list[str], side: str, device: torch.device
) -> tuple[Tensor, Tensor]:
    batch = tokenizer(
        texts, padding=True, padding_side=side, add_special_tokens=False, return_tensors="pt"
    )
    return batch["input_ids"].to(device), batch["attention_mask"].to(device)


def answer_ids(tokenizer: "PreTrainedTokenizerFast") -> Tensor:
    """Token ids (5,) of the five answers."""
    return torch.tensor(
        [tokenizer(c, add_special_tokens=False)["input_ids"][-1] for c in RATING_CHOICES]
    )


def batches(config: PocketConfig, worlds: WorldSource, first_world: int = 0) -> Iterator[Examples]:
    """An endless stream of batches; every world is used once, batches of several are mixed."""
    mixer = np.random.default_rng([config.seed, first_world])
    pool: list[Examples] = []
    while True:
        while len(pool) < config.min_pool:
            pool += _world_batches(config, worlds, first_world)
            first_world += 1
        yield pool.pop(int(mixer.integers(len(pool))))


def _world_batches(config: PocketConfig, worlds: WorldSource, world: int) -> list[Examples]:
    rng = np.random.default_rng([config.seed, world])
    examples = held_out_examples(worlds(world), config.style, config.turns_per_user, rng)
    order = rng.permutation(len(examples.prefixes))
    size = config.users_per_step
    if len(order) < size:
        raise ValueError(
            f"training wanted worlds of at least users_per_step={size} users with later rows, got"
            f" {len(order)} in world {world}; use larger worlds or fewer users a step"
        )
    return [
        chosen_users(examples, order[start : start + size])
        for start in range(0, len(order) - size + 1, size)
    ]


def chosen_users(examples: Examples, users: np.ndarray) -> Examples:
    """The examples of some users (n,)."""
    turns = len(examples.suffixes) // len(examples.prefixes)
    return Examples(
        [examples.prefixes[u] for u in users],
        [examples.suffixes[u * turns + t] for u in users for t in range(turns)],
        examples.targets[users],
        examples.ratings[users],
    )


class PocketTrainer:
    """One training run with checkpoints; a resumed run goes on from the last one.

    Supports: from scratch or from a checkpoint folder, CPU or GPU. Saves ``model/`` (safetensors
    and tokenizer) and ``state.pt`` (what a resumed run needs) every ``save_every`` steps. Raises
    ``ValueError`` if the checkpoint was made with another configuration.
    """

    def __init__(
        self,
        config: PocketConfig,
        folder: Path,
        worlds: WorldSource = drawn_world,
        device: str = "cpu",
        save_every: int = 200,
    ) -> None:
        self.config, self.folder, self.worlds = config, Path(folder), worlds
        self.device, self.save_every = device, save_every
        self.step = 0
        self.seconds = 0.0  # of training, over all runs that this checkpoint saw
        self.losses: list[float] = []
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / "state.pt").exists():
            self._resume()
        else:
            self._start()
        self._answers = answer_ids(self.tokenizer).to(device)

    def _start(self) -> None:
        # A list: the tokenizer's threads have small stacks, in which numpy's solvers crash.
        texts = [t for w in range(12) for t in self._sample_texts(w)]
        self.tokenizer = train_tokenizer(texts, self.config.vocab_size)
        self.model: Any = new_model(self.config, len(self.tokenizer))
        give_numbers_meaning(self.model, self.tokenizer)
        self.model.to(self.device)
        self._make_optimizer()

    def _sample_texts(self, world: int) -> list[str]:
        rng = np.random.default_rng([self.config.seed, world])
        examples = held_out_examples(self.worlds(world), self.config.style, 4, rng)
        answers = itertools.cycle(RATING_CHOICES)
        said = [s + c for s, c in zip(examples.suffixes, answers, strict=False)]
        return examples.prefixes + said

    def _make_optimizer(self) -> None:
        decay = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": decay, "weight_decay": self.config.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=self.config.learning_rate,
            betas=(0.9, 0.98),
        )

    def _resume(self) -> None:
        from transformers import PreTrainedTokenizerFast

        state = torch.load(self.folder / "state.pt", weights_only=True)
        if state["config"] != json.dumps(asdict(self.config), sort_keys=True):
            raise ValueError(
                f"checkpoint {self.folder} was made with another configuration; use an empty"
                " folder or the configuration of the checkpoint"
            )
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(self.folder / "model")
        self.model = new_model(self.config, len(self.tokenizer))
        self.model.to(self.device)
        self.model.load_state_dict(state["model"])
        self._make_optimizer()
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.losses = state["step"], state["losses"]
        self.seconds = state["seconds"]

    def save(self) -> None:
        """Write the checkpoint; a kill in the middle leaves the previous one."""
        self.model.save_pretrained(self.folder / "model")
        self.tokenizer.save_pretrained(self.folder / "model")
        state = {
            "config": json.dumps(asdict(self.config), sort_keys=True),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
        }
        torch.save(state, self.folder / "state.tmp")
        (self.folder / "state.tmp").replace(self.folder / "state.pt")

    def train(self, on_step: Callable[[int, float], None] | None = None) -> None:
        """Run to ``config.num_steps``; ``on_step`` gets the step and its loss in nats."""
        if self.step >= self.config.num_steps:
            return
        self.model.train()
        # A resumed run draws the batches it has seen once more and skips them, so that it goes on
        # exactly as an uninterrupted one would.
        stream = batches(self.config, self.worlds, first_world=_FIRST_WORLD)
        for examples in itertools.islice(stream, self.step, self.config.num_steps):
            started = time.perf_counter()
            loss = self._update(examples)
            self.seconds += time.perf_counter() - started
            self.step += 1
            self.losses.append(loss)
            if on_step:
                on_step(self.step, loss)
            if self.step % self.save_every == 0:
                self.save()
        self.save()

    def _update(self, examples: Examples) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        logits = answer_logits(self.model, self.tokenizer, examples)
        targets = torch.as_tensor(examples.targets, dtype=torch.float32, device=self.device)
        log_probabilities = logits.float().log_softmax(-1)[:, self._answers]
        loss = -(targets.reshape(-1, len(RATING_CHOICES)) * log_probabilities).sum(-1).mean()
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return float(loss.detach())

    def _learning_rate(self) -> float:
        c = self.config
        warm = min(1.0, (self.step + 1) / c.warmup_steps)
        done = min(1.0, self.step / c.num_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * done))
        return c.learning_rate * warm * (0.05 + 0.95 * cosine)


def evaluate(
    model: Any, tokenizer: Any, examples: Examples, users_per_batch: int = 32
) -> FloatArray:
    """Predicted distributions (n, t, 5), restricted to the five answers."""
    ids, parts = answer_ids(tokenizer), []
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(examples.prefixes), users_per_batch):
            users = np.arange(start, min(start + users_per_batch, len(examples.prefixes)))
            logits = answer_logits(model, tokenizer, chosen_users(examples, users))
            parts.append(logits.float()[:, ids].softmax(-1).cpu().numpy())
    model.train()
    chances: FloatArray = np.concatenate(parts).reshape(examples.targets.shape)
    return chances
