"""Ways to spoil a population's folder: name -> what is done to it, and the file that is spoilt.

Every one was thought of as an attack, or as an accident of a disk, a copy or an editor.
"""

import json
import os
import struct

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

ADAPTER = "adapters/ann"
WEIGHTS, LORA = "model/model.safetensors", f"{ADAPTER}/adapter_model.safetensors"
MODEL, SETTINGS = "model/config.json", f"{ADAPTER}/adapter_config.json"
CARD, TOKENIZER = f"{ADAPTER}/adapter_card.json", "model/tokenizer.json"
TABLES = ("catalog.parquet", "personas.parquet", "history.parquet")
VECTORS = "vectors.safetensors"
EVERY = ("population.json", *TABLES, VECTORS, WEIGHTS, MODEL, TOKENIZER, LORA, SETTINGS)
WORTHLESS = {"a list": "[]", "{}": "{}", "NaN": '{"a": NaN}', "null": "null"}


def entry(file, *path, value, digest=False):
    """Set one entry of a JSON file; its digest goes, as after an edit by hand, unless it stays."""

    def spoil(folder):
        content = json.loads((folder / file).read_text())
        if not digest:
            content.pop("digest", None)
        inner = content
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        (folder / file).write_text(json.dumps(content))

    return file, spoil


def text(file, content):
    return file, lambda folder: (folder / file).write_text(content)


def cut(file, share):
    def spoil(folder):
        whole = (folder / file).read_bytes()
        (folder / file).write_bytes(whole[: int(len(whole) * share)])

    return file, spoil


def gone(file):
    return file, lambda folder: (folder / file).unlink()


def pipe(file):
    def spoil(folder):
        (folder / file).unlink()
        os.mkfifo(folder / file)

    return file, spoil


def link(file):
    def spoil(folder):
        (folder / file).rename(folder.parent / "elsewhere")
        (folder / file).symlink_to(folder.parent / "elsewhere")

    return file, spoil


def table(file, change):
    def spoil(folder):
        frame = pd.read_parquet(folder / file)
        attrs = frame.attrs
        frame = change(frame)
        frame.attrs = attrs
        frame.to_parquet(folder / file, index=False)

    return file, spoil


def cell(file, column, value, kind=None):
    """One cell of a table, in row 1."""

    def change(frame):
        frame[column] = frame[column].astype(kind or object)
        frame.at[1, column] = value
        return frame

    return table(file, change)


def column(file, name, make):
    def change(frame):
        frame[name] = make(frame)
        return frame

    return table(file, change)


def tensors(file, change):
    def spoil(folder):
        save_file(change(load_file(folder / file)), folder / file, metadata={"format": "pt"})

    return file, spoil


def with_value(value):
    def change(weights):
        name = sorted(weights)[0]
        changed = weights[name].clone()
        changed.view(-1)[0] = value
        return {**weights, name: changed}

    return change


def header(file, length=None, more=b""):
    """A header that lies about its length, or bytes that no tensor owns."""

    def spoil(folder):
        whole = (folder / file).read_bytes()
        start = whole[:8] if length is None else struct.pack("<Q", length)
        (folder / file).write_bytes(start + whole[8:] + more)

    return file, spoil


def overlapping(folder):
    """Two tensors that own the same bytes."""
    facts = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    head = json.dumps({"a": facts, "b": facts}).encode()
    data = struct.pack("<Q", len(head)) + head + b"\0" * 8
    (folder / WEIGHTS).write_bytes(data)


def every_other(weights):
    return dict(list(weights.items())[::2])


def renamed(weights):
    return {f"x.{name}": tensor for name, tensor in weights.items()}


def doubled(weights):
    name = next(n for n in weights if "proj" in n)
    return {**weights, name: torch.cat([weights[name]] * 2)}


def code(file, **more):
    def spoil(folder):
        entry(file, "auto_map", value={"AutoModelForCausalLM": "evil.M"})[1](folder)
        for key, value in more.items():
            entry(file, key, value=value)[1](folder)
        (folder / "model" / "evil.py").write_text("raise SystemExit(77)")

    return file, spoil


DEEP = "[" * 100_000 + "]" * 100_000
HUGE = 10**400
HEAD = "population.json"

SPOILT = {
    **{f"{file} is missing": gone(file) for file in EVERY},
    **{f"{file} is empty": cut(file, 0) for file in EVERY},
    **{f"{file} is half": cut(file, 0.5) for file in EVERY},
    **{f"{file} is a pipe": pipe(file) for file in EVERY},
    **{f"{file} is a link": link(file) for file in (HEAD, WEIGHTS, LORA, TABLES[1])},
    **{
        f"{file} is deep": text(file, DEEP)
        for file in (HEAD, MODEL, SETTINGS, CARD, TOKENIZER, "model/tokenizer_config.json")
    },
    **{
        f"{file} is {name}": text(file, content)
        for file in (HEAD, MODEL, SETTINGS, CARD)
        for name, content in WORTHLESS.items()
    },
    **{f"{file} is binary": text(file, "\0\1\2") for file in (HEAD, *TABLES, TOKENIZER)},
    # the head
    "format is a text": entry(HEAD, "format", value="1"),
    "format is huge": entry(HEAD, "format", value=HUGE),
    "format is negative": entry(HEAD, "format", value=-1),
    "name is a number": entry(HEAD, "name", value=3),
    "style is null": entry(HEAD, "style", value=None),
    "style has a word more": entry(HEAD, "style", "evil", value=1),
    "style counts in fractions": entry(HEAD, "style", "gist", value=2.5),
    "style counts below nothing": entry(HEAD, "style", "verbatim", value=-1),
    "style counts without end": entry(HEAD, "style", "gist", value=10**9),
    "style recalls another number": entry(HEAD, "style", "gist", value=7, digest=True),
    "digest is a text": entry(HEAD, "digest", value="mine"),
    "digest is another": entry(HEAD, "digest", value="0" * 64),
    "adapters is a text": entry(HEAD, "adapters", value="ann"),
    "an adapter climbs": entry(HEAD, "adapters", value=["../ann"]),
    "an adapter is absolute": entry(HEAD, "adapters", value=["/etc"]),
    "an adapter is a number": entry(HEAD, "adapters", value=[1]),
    "an adapter is not there": (LORA, entry(HEAD, "adapters", value=["ann", "bob"])[1]),
    "an adapter that people use is not listed": entry(HEAD, "adapters", value=[]),
    "card is a list": entry(HEAD, "card", value=[]),
    "a count is wrong": entry(HEAD, "counts", value={"personas": 6, "items": 12, "history": 24}),
    # people
    "level is NaN": cell(TABLES[1], "level", float("nan"), float),
    "level is infinite": cell(TABLES[1], "level", float("inf"), float),
    "level is a text": column(TABLES[1], "level", lambda f: f["level"].astype(str)),
    "level is beyond stars": cell(TABLES[1], "level", 9.0, float),
    "activity is 1_0": column(TABLES[1], "activity", lambda f: ["1_0"] * len(f)),
    "activity is a fraction": column(TABLES[1], "activity", lambda f: f["activity"] + 0.5),
    "activity is 4": cell(TABLES[1], "activity", 4, int),
    "activity is true": column(TABLES[1], "activity", lambda f: [True] * len(f)),
    "cluster is beyond 2 to the 63": column(
        TABLES[1], "cluster", lambda f: np.full(len(f), 2**63 + 1, np.uint64)
    ),
    "a profile is missing": cell(TABLES[1], "profile", None),
    "a profile is endless": cell(TABLES[1], "profile", "word " * 3000),
    "profiles are bytes": column(TABLES[1], "profile", lambda f: [b"\xff"] * len(f)),
    "tastes are no JSON": cell(TABLES[1], "tastes", "{"),
    "tastes hold NaN": cell(TABLES[1], "tastes", '{"War": NaN}'),
    "tastes hold a text": cell(TABLES[1], "tastes", '{"War": "1_0"}'),
    "tastes are a list": cell(TABLES[1], "tastes", "[1]"),
    "tastes are deep": cell(TABLES[1], "tastes", DEEP),
    "an unknown adapter is used": cell(TABLES[1], "adapter", "eve"),
    "a persona is doubled": table(TABLES[1], lambda f: pd.concat([f, f.iloc[:1]])),
    "a persona is lost": table(TABLES[1], lambda f: f.iloc[:-1]),
    "no persona is there": table(TABLES[1], lambda f: f.iloc[:0]),
    "a column of people is lost": table(TABLES[1], lambda f: f.drop(columns="tastes")),
    # memories
    "a rating is NaN": cell(TABLES[2], "rating", float("nan"), float),
    "a rating is 9": cell(TABLES[2], "rating", 9.0, float),
    "a rating is 0": cell(TABLES[2], "rating", 0.0, float),
    "ratings are texts": column(TABLES[2], "rating", lambda f: f["rating"].astype(str)),
    "a user is nobody": cell(TABLES[2], "user", 99, int),
    "a user is negative": cell(TABLES[2], "user", -1, int),
    "users are fractions": column(TABLES[2], "user", lambda f: f["user"] + 0.5),
    "an item is none": cell(TABLES[2], "item", 12, int),
    "items are beyond 2 to the 63": column(
        TABLES[2], "item", lambda f: np.full(len(f), 2**64 - 1, np.uint64)
    ),
    "a reason is missing": cell(TABLES[2], "reason", None),
    "a time is missing": cell(TABLES[2], "timestamp", float("nan"), float),
    "rows are not sorted": table(TABLES[2], lambda f: f.iloc[::-1]),
    "a memory is lost": table(TABLES[2], lambda f: f.iloc[:-1]),
    "a memory is doubled": table(TABLES[2], lambda f: f.iloc[[0, *range(len(f))]]),
    # items
    "a title is missing": cell(TABLES[0], "title", None),
    "titles are numbers": column(TABLES[0], "title", lambda f: range(len(f))),
    "a year is a fraction": column(TABLES[0], "year", lambda f: f["year"] + 0.5),
    "a year is 10 to the 18": cell(TABLES[0], "year", 10**18, int),
    "genres are texts": column(TABLES[0], "genres", lambda f: ["War"] * len(f)),
    "a genre is missing": column(TABLES[0], "genres", lambda f: [["War", None]] * len(f)),
    "an average is NaN": cell(TABLES[0], "average", float("nan"), float),
    "an average is infinite": cell(TABLES[0], "average", float("inf"), float),
    "an average is 0.5": cell(TABLES[0], "average", 0.5, float),
    "a fair average is 0": cell(TABLES[0], "fair_average", 0.0, float),
    "a count is negative": cell(TABLES[0], "count", -1, int),
    "counts are fractions": column(TABLES[0], "count", lambda f: f["count"] + 0.5),
    "an item is lost": table(TABLES[0], lambda f: f.iloc[:-1]),
    "an item is doubled": table(TABLES[0], lambda f: pd.concat([f, f.iloc[-1:]])),
    # vectors
    "vectors hold NaN": tensors(VECTORS, with_value(float("nan"))),
    "vectors hold infinity": tensors(VECTORS, with_value(float("inf"))),
    "vectors lose a row": tensors(VECTORS, lambda w: {"vectors": w["vectors"][:-1].clone()}),
    "vectors are flat": tensors(VECTORS, lambda w: {"vectors": w["vectors"].ravel()}),
    "vectors are called otherwise": tensors(VECTORS, renamed),
    "vectors are bfloat16": tensors(
        VECTORS, lambda w: {"vectors": w["vectors"].bfloat16()}
    ),
    "vectors have bytes behind": header(VECTORS, more=b"\0" * 64),
    # weights
    "weights: 19 of 38": tensors(WEIGHTS, every_other),
    "weights are renamed": tensors(WEIGHTS, renamed),
    "a weight is misshapen": tensors(WEIGHTS, doubled),
    "a weight is NaN": tensors(WEIGHTS, with_value(float("nan"))),
    "a weight is infinite": tensors(WEIGHTS, with_value(float("-inf"))),
    "a weight too many": tensors(WEIGHTS, lambda w: {**w, "stray": torch.ones(2)}),
    "no weights at all": tensors(WEIGHTS, lambda w: {}),
    "weights: header beyond the file": header(WEIGHTS, 2**40),
    "weights: header of nothing": header(WEIGHTS, 0),
    "weights: header of 2 to the 64": header(WEIGHTS, 2**64 - 1),
    "weights: bytes behind": header(WEIGHTS, more=b"evil" * 16),
    "weights overlap": (WEIGHTS, overlapping),
    # what the model is
    "the model asks for code": code(MODEL, model_type="evil"),
    "the model asks for code beside its own": code(MODEL),
    "the tokenizer asks for code": code("model/tokenizer_config.json", tokenizer_class="Evil"),
    "the model is of no known kind": entry(MODEL, "model_type", value="evil"),
    "the model has no kind": entry(MODEL, "model_type", value=None),
    "the model is an encoder": entry(MODEL, "model_type", value="t5"),
    "a million layers": entry(MODEL, "num_hidden_layers", value=10**6),
    "layers by text": entry(MODEL, "num_hidden_layers", value="4"),
    "fewer layers": entry(MODEL, "num_hidden_layers", value=2),
    "no layers": entry(MODEL, "num_hidden_layers", value=0),
    "a billion words": entry(MODEL, "vocab_size", value=10**9),
    "fewer words": entry(MODEL, "vocab_size", value=7),
    "a million wide": entry(MODEL, "hidden_size", value=10**6),
    "wide by a fraction": entry(MODEL, "hidden_size", value=128.5),
    "width of 400 digits": entry(MODEL, "hidden_size", value=HUGE),
    "a million heads": entry(MODEL, "num_attention_heads", value=10**6),
    "another activation": entry(MODEL, "hidden_act", value="evil"),
    "another tokenizer": text(TOKENIZER, '{"model": {"type": "BPE"}}'),
    # adapters
    "an adapter's half": tensors(LORA, every_other),
    "an adapter is renamed": tensors(LORA, renamed),
    "an adapter is misshapen": tensors(LORA, doubled),
    "an adapter is NaN": tensors(LORA, with_value(float("nan"))),
    "an adapter has bytes behind": header(LORA, more=b"\0" * 8),
    "rank of a million": entry(SETTINGS, "r", value=10**6),
    "rank by text": entry(SETTINGS, "r", value="4"),
    "rank is negative": entry(SETTINGS, "r", value=-4),
    "rank of another": entry(SETTINGS, "r", value=8),
    "rank by layer of a million": entry(SETTINGS, "rank_pattern", value={"q_proj": 10**6}),
    "alpha of 400 digits": entry(SETTINGS, "lora_alpha", value=HUGE),
    "alpha is null": entry(SETTINGS, "lora_alpha", value=None),
    "another kind of adapter": entry(SETTINGS, "peft_type", value="EVIL"),
    "no kind of adapter": entry(SETTINGS, "peft_type", value=None),
    "layers that are not there": entry(SETTINGS, "target_modules", value=["c_attn"]),
    "layers by number": entry(SETTINGS, "target_modules", value=3),
    "an adapter imports a module": entry(SETTINGS, "megatron_config", value={"a": 1}),
    "a card without a base": entry(CARD, "base_identity", value=None),
    "a card of another base": entry(CARD, "base_identity", value="0" * 64),
}  # fmt: skip

# What only the hashes can tell: files that are right in themselves, and another's.
EXCHANGED = {
    "other positions": entry(MODEL, "rope_parameters", "rope_theta", value=5e5),
    "other heads": entry(MODEL, "head_dim", value=64),
    "another scale of an adapter": entry(SETTINGS, "lora_alpha", value=64),
    "other vectors": tensors(VECTORS, with_value(0.25)),
    "other weights": tensors(WEIGHTS, with_value(1.0)),
    "other weights of an adapter": tensors(LORA, with_value(1.0)),
    "tokens that begin otherwise": entry("model/tokenizer_config.json", "bos_token", value="</s>"),
    "words of other numbers": (TOKENIZER, lambda folder: (folder / TOKENIZER).write_text(
        (folder / TOKENIZER).read_text().replace('"ĠWar"', '"ĠPeace"'))),
}  # fmt: skip
