"""Trains the pocket SLM on many worlds, synthetic or made of a log, with checkpoints.

It learns from scratch on the project's own prompts, so that it can read people and items it has
never met. It knows nothing else; real runs name a real SLM.
"""

import itertools
import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from agents.inference.engine_facts import reads_blocks
from agents.inference.local.loading import load_model
from agents.prompts import RATING_CHOICES
from simenv.data.synthetic import drawn_world
from simenv.whole_files import replaced_folder
from training.base.batches import Batch, WorldSource, batches, world_examples
from training.base.pocket_model import (
    PocketConfig,
    answer_ids,
    answer_logits,
    give_numbers_meaning,
    new_model,
    train_tokenizer,
)
from training.base.room_for_blocks import make_room
from training.checkpoint import read_state, restored_model, settings_files, write_state

_FIRST_WORLD = 1000  # the worlds below made the tokenizer
_WORLDS_OF_A_SEED = 10**6  # so that a training that goes on under another seed meets new ones
# Every number that a cue may hold, so that each becomes one token.
_NUMBERS = " ".join(
    ["", *(f"{i / 10:.1f}" for i in range(60)), *(f"{i / 10:+.1f}" for i in range(-9, 10)), "-"]
)
_NUMBER_LINES = 2000


class PocketTrainer:
    """One training run with checkpoints; a resumed run goes on from the last one.

    Supports: from scratch, from the model in ``initial`` (its shape and tokenizer are then used;
    people told in blocks teach a Llama that read whole prompts to read so) or from a checkpoint
    folder, CPU or GPU. Every ``save_every`` steps it saves ``model/``
    (safetensors and tokenizer) and a checkpoint; a torn one is passed over for the one before it.

    Raises:
        OSError: the disk is full; the checkpoint that was there still is.
        ValueError: the checkpoint was made with another configuration, or all are torn.
    """

    def __init__(
        self,
        config: PocketConfig,
        folder: Path,
        worlds: WorldSource = drawn_world,
        device: str = "cpu",
        save_every: int = 200,
        initial: str | Path | None = None,
        workers: int = 0,
    ) -> None:
        self.workers = workers  # processes that prepare worlds
        self.config, self.folder, self.worlds = config, Path(folder), worlds
        self.initial = initial
        self.device, self.save_every = device, save_every
        self.step = 0
        self.seconds = 0.0  # of training, over all runs that this checkpoint saw
        self.losses: list[float] = []
        self.model: Any
        self.folder.mkdir(parents=True, exist_ok=True)
        state = read_state(self.folder)
        if state is None:
            self._start()
        else:
            self._resume(state)
        self._answers = answer_ids(self.tokenizer).to(device)

    def _start(self) -> None:
        if self.initial:
            self._go_on_from(self.initial)
            return
        # A list: the tokenizer's threads have small stacks, in which numpy's solvers crash.
        texts = [t for w in range(12) for t in self._sample_texts(w)]
        blocks = self.config.style.reading == "blocks"
        more = self.config.places.tokens if blocks else ()
        texts += [_NUMBERS] * (_NUMBER_LINES if blocks else 0)
        self.tokenizer = train_tokenizer(texts, self.config.vocab_size, more)
        self.model = new_model(self.config, len(self.tokenizer))
        give_numbers_meaning(self.model, self.tokenizer)
        self.model.to(self.device)
        self._make_optimizer()

    def _go_on_from(self, initial: str | Path) -> None:
        """Train a model that there is, which learns to read in blocks where people are told so."""
        self.tokenizer, self.model = load_model(initial, torch.device("cpu"), "float32")
        if self.config.style.reading == "blocks":
            make_room(self.model, self.tokenizer, self.config.places, self.config.seed)
        elif reads_blocks(self.model):
            raise ValueError(
                f"training wanted a model that reads whole prompts, got {self.model.name_or_path},"
                " which reads in blocks; set pocket.style.reading=blocks, or begin with another"
            )
        self.model.to(self.device)
        self._make_optimizer()

    def _sample_texts(self, world: int) -> list[str]:
        rng = np.random.default_rng([self.config.seed, world])
        answers = itertools.cycle(RATING_CHOICES)
        texts: list[str] = []
        for examples in world_examples(self.worlds(world), world, self.config, 4, rng):
            texts += examples.prefixes
            texts += [s + c for s, c in zip(examples.suffixes, answers, strict=False)]
            texts += [*examples.items, *(d.text for past in examples.pasts for d in past)]
        return texts

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

    def _resume(self, state: Mapping[str, Any]) -> None:
        if state["config"] != self._config_text():
            raise ValueError(
                f"checkpoint {self.folder} was made with another configuration; use an empty"
                " folder or the configuration of the checkpoint"
            )
        self.tokenizer, self.model = restored_model(state, self.folder / "model")
        self.model.to(self.device)
        self._make_optimizer()
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.losses = state["step"], state["losses"]
        self.seconds = state["seconds"]

    def _config_text(self) -> str:
        config = asdict(self.config)
        for later in ("peers", "together"):  # checkpoints of earlier versions know neither
            if not config["style"][later]:
                del config["style"][later]
        if config["style"]["reading"] == "whole":  # nor these
            del config["style"]["reading"], config["style"]["attended"]
            del config["places"], config["num_key_heads"]
        if not self.config.few_rows.share:
            del config["few_rows"]
        return json.dumps(config, sort_keys=True)

    def save(self) -> None:
        """Write a checkpoint and the model; at every instant a whole checkpoint is on the disk."""
        state = {
            "config": self._config_text(),
            "model": self.model.state_dict(),
            "files": settings_files(self.model, self.tokenizer),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
        }
        write_state(self.folder, state)
        self._write_model()

    def _write_model(self) -> None:
        with replaced_folder(self.folder / "model") as building:
            self.model.save_pretrained(building)
            self.tokenizer.save_pretrained(building)

    def train(self, on_step: Callable[[int, float], None] | None = None) -> None:
        """Run to ``config.num_steps``; ``on_step`` gets the step and its loss in nats."""
        if self.step >= self.config.num_steps:
            self._write_model()  # a kill, or a torn file, may have cost the one that was there
            return
        self.model.train()
        # A resumed run draws the batches it has seen once more and skips them, so that it goes on
        # exactly as an uninterrupted one would.
        blocks = self.tokenizer if self.config.style.reading == "blocks" else None
        first = _FIRST_WORLD + self.config.seed * _WORLDS_OF_A_SEED
        stream = batches(self.config, self.worlds, first, blocks, self.workers)
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

    def _update(self, examples: Batch) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        with torch.autocast(*self._number_format()), self._attention():
            logits = answer_logits(self.model, self.tokenizer, examples)
        targets = torch.as_tensor(examples.targets, dtype=torch.float32, device=self.device)
        log_probabilities = logits.float().log_softmax(-1)[:, self._answers]
        loss = -(targets.reshape(-1, len(RATING_CHOICES)) * log_probabilities).sum(-1).mean()
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return float(loss.detach())

    def _number_format(self) -> tuple[str, torch.dtype, bool]:
        """Device, format, whether products are made in it: on GPUs; in blocks, where a CPU can."""
        kind = torch.device(self.device).type
        blocks = self.config.style.reading == "blocks"
        can = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
        fast = kind == "cuda" or (blocks and can)
        return kind, torch.bfloat16, fast

    def _attention(self) -> AbstractContextManager[None]:
        """How attention is computed: in blocks on a CPU as plain products of all texts at once.

        Torch's flash attention makes a product of its own for every text and head. Texts have some
        ten tokens, so a step took 1.5 to 2 times as long with it.
        """
        blocks = self.config.style.reading == "blocks"
        short = blocks and torch.device(self.device).type == "cpu"
        return sdpa_kernel(SDPBackend.MATH) if short else nullcontext()

    def _learning_rate(self) -> float:
        c = self.config
        warm = min(1.0, (self.step + 1) / c.warmup_steps)
        done = min(1.0, self.step / c.num_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * done))
        return c.learning_rate * warm * (0.05 + 0.95 * cosine)
