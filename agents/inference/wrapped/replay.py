"""Records every answer of a run to a file, and plays it back bit for bit with no model.

The file is JSON lines, gzipped where its name ends in ``.gz``: a header, then one answer a line.
Floats are written as Python's shortest text that reads back to the same float64. Long prefixes are
written once and named by number. It holds prompts in the clear, and no key, path or weight.
"""

import gzip
import json
import logging
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agents.inference.engine import Completion, Engine, EngineFacts, Request, Sampling
from agents.inference.named_rows import RequestError
from agents.inference.wrapped.ask_once import ask_once
from agents.inference.wrapped.engine_wrapper import EngineWrapper, refuse_masked_failures
from agents.inference.wrapped.proper_rows import is_distribution, proper_or_failed
from simenv.events import FloatArray

FORMAT = 1
_LOG = logging.getLogger(__name__)
# (adapter, prefix, suffix, then what else the answer depends on)
Key = tuple[Any, ...]


class UnknownRequestError(RequestError, KeyError):
    """A request that the recording does not hold."""

    def __init__(self, row: int, key: Key, path: Path) -> None:
        self.key, self.path = key, path
        adapter, prefix, suffix, *rest = key
        super().__init__(
            row,
            f"request {{row}} is not in the recording {path.name}: adapter {adapter!r}, prefix"
            f" {prefix[:60]!r}…, suffix ending {suffix[-80:]!r}, asked {rest}; run with the seed"
            " and settings of the recorded run, or record this run (engine=recording)",
        )

    def for_row(self, row: int) -> "UnknownRequestError":
        """See ``RequestError.for_row``."""
        return type(self)(row, self.key, self.path)

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it is the same error in another process."""
        return type(self), (self.row, self.key, self.path)


class RecordingEngine(EngineWrapper):
    """Writes what another engine answers.

    A request answered before is not asked again, neither in a call nor in a later one, so that a
    recorded run and its replay agree bit for bit even over an engine that does not repeat itself.
    An existing file of the same engine is continued; answers are on disk when a call returns.

    Args:
        inner: the engine that answers.
        path: the file.

    Raises:
        ValueError: the file holds the answers of another engine or is no recording, or the engine
            inside masks failures.
    """

    def __init__(self, inner: Engine, path: str | Path) -> None:
        refuse_masked_failures(inner, "a recording")
        super().__init__(inner)
        self.path = Path(path)
        self._answers: dict[Key, Any] = {}
        self._prefixes: dict[str, int] = {}
        if self.path.exists() and self.path.stat().st_size:
            self._resume()
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _append(self.path, [{"format": FORMAT, "engine": inner.description}])

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``; neither failed requests nor rows that are no distribution are kept.

        Raises:
            FailedRequestsError: of the engine inside, or its answers are no distributions.
        """
        keys = [score_key(request, choices) for request in requests]

        def ask(rows: list[int]) -> Iterable[Any]:
            asked = [requests[row] for row in rows]
            inside, who = partial(self.inner.score, asked, choices), self.inner.description
            return proper_or_failed(inside, len(rows), len(choices), who)

        answers = ask_once(keys, self._answers, ask, self._keep_scores, _stacked(len(choices)))
        return np.asarray(answers)

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``; failed requests are not recorded."""
        keys = [generate_key(request, sampling) for request in requests]

        def ask(rows: list[int]) -> Iterable[Any]:
            return self.inner.generate([requests[row] for row in rows], sampling)

        return list(ask_once(keys, self._answers, ask, self._keep_texts, list))

    def _resume(self) -> None:
        lines, whole = _read(self.path)
        engine, self._answers, self._prefixes = _parse(lines, self.path)
        if engine != self.inner.description:
            raise ValueError(
                f"recording {self.path.name} holds answers of {engine!r}, this engine is"
                f" {self.inner.description!r}; record to another file"
            )
        if not whole:  # a killed run left half a line
            mended = self.path.with_name("mended." + self.path.name)
            _append(mended, lines)
            mended.replace(self.path)

    def _keep_scores(self, fresh: dict[Key, Any]) -> None:
        self._keep({key: [float(x) for x in row] for key, row in fresh.items()}, "scores")

    def _keep_texts(self, fresh: dict[Key, Any]) -> None:
        self._keep({key: [c.text, c.num_tokens] for key, c in fresh.items()}, "said")

    def _keep(self, fresh: Mapping[Key, Any], kind: str) -> None:
        lines: list[dict[str, Any]] = []
        for (adapter, prefix, suffix, *rest), answer in fresh.items():
            if prefix not in self._prefixes:
                self._prefixes[prefix] = len(self._prefixes)
                lines.append({"prefix": prefix})
            ask = [adapter, self._prefixes[prefix], suffix, *rest]
            lines.append({"ask": ask, kind: answer})
        _append(self.path, lines)
        self._answers.update({key: _answer({kind: a}) for key, a in fresh.items()})


class ReplayEngine(Engine):
    """Answers from a recording; needs no model and changes nothing.

    Args:
        path: a file that ``RecordingEngine`` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no recording, or of a newer format.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(
                f"recording {str(path)!r} is not there; make it with engine=recording, or give"
                " engine.path"
            )
        lines, _ = _read(self.path)
        self._engine, self._answers, _ = _parse(lines, self.path)

    @property
    def facts(self) -> EngineFacts:
        """The description of the engine that was recorded, and that it is replayed."""
        # Whoever was recorded, whole or in blocks: other requests are refused anyway.
        return EngineFacts(f"{self._engine}, replayed", reads_blocks=True)

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``.

        Raises:
            UnknownRequestError: the recording does not hold a request.
        """
        rows = self._look_up([score_key(request, choices) for request in requests])
        return np.asarray(_stacked(len(choices))(rows))

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``; raises as ``score`` does."""
        return self._look_up([generate_key(request, sampling) for request in requests])

    def __len__(self) -> int:
        return len(self._answers)

    def _look_up(self, keys: Sequence[Key]) -> list[Any]:
        for row, key in enumerate(keys):
            if key not in self._answers:
                raise UnknownRequestError(row, key, self.path)
        return [self._answers[key] for key in keys]


def recording_engine(
    model: str,
    adapters: Mapping[str, str] | None = None,
    *,
    engine: Callable[..., Engine],
    path: str | Path,
) -> RecordingEngine:
    """The recorder around the engine that ``engine(model, adapters=…)`` makes; for configs."""
    return RecordingEngine(engine(model, adapters=adapters), path)


def replay_engine(
    model: str, adapters: Mapping[str, str] | None = None, *, path: str | Path
) -> ReplayEngine:
    """A replay; takes and ignores a population's model. For configs."""
    return ReplayEngine(path)


def score_key(request: Request, choices: Sequence[str]) -> Key:
    """What a distribution depends on; the seed is no part of it."""
    return (request.adapter, request.prefix, request.rest, tuple(choices))


def generate_key(request: Request, sampling: Sampling) -> Key:
    """What a text depends on; recordings from before emojis could be kept out still serve."""
    *drawn, emojis = astuple(sampling)
    how = tuple(drawn) if emojis else (*drawn, False)
    return (request.adapter, request.prefix, request.rest, int(request.seed), how)


def _append(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    if data:
        with open(path, "ab") as file:
            file.write(gzip.compress(data) if path.suffix == ".gz" else data)


def _read(path: Path) -> tuple[list[dict[str, Any]], bool]:
    """(the lines, whether the file ends as it should); half a last line is left out."""
    try:
        data, whole = path.read_bytes(), True
        if path.suffix == ".gz":
            data, whole = _unzipped(data)
        text = data.decode("utf-8", errors="strict" if whole else "ignore")
    except (zlib.error, UnicodeDecodeError) as error:
        raise _no_recording(path) from error
    whole = whole and text.endswith("\n")
    try:
        lines = [json.loads(line) for line in text.split("\n")[:-1] if line]
    except json.JSONDecodeError as error:
        raise _no_recording(path) from error
    return lines, whole


def _unzipped(data: bytes) -> tuple[bytes, bool]:
    """(what is there of all gzip members, whether the last is whole)."""
    parts, whole = [], False
    while data:
        member = zlib.decompressobj(wbits=31)
        parts.append(member.decompress(data))
        data, whole = member.unused_data, member.eof
    return b"".join(parts), whole


def _parse(
    lines: Sequence[Mapping[str, Any]], path: Path
) -> tuple[str, dict[Key, Any], dict[str, int]]:
    """(engine, answers, prefixes) of a recording's lines."""
    if not lines or not isinstance(lines[0], dict) or "format" not in lines[0]:
        raise _no_recording(path)
    if lines[0]["format"] != FORMAT:
        raise ValueError(
            f"recording {path.name} has format {lines[0]['format']}, this version reads {FORMAT};"
            " update personarec, or record again"
        )
    answers: dict[Key, Any] = {}
    prefixes: list[str] = []
    try:
        for line in lines[1:]:
            if "prefix" in line:
                prefixes.append(line["prefix"])
                continue
            adapter, prefix, suffix, *rest = line["ask"]
            more = (tuple(x) if isinstance(x, list) else x for x in rest)
            if "scores" in line and not is_distribution(np.array(line["scores"], np.float64)):
                _LOG.warning("recording %s: an answer is no distribution, left out", path.name)
                continue
            answers[(adapter, prefixes[prefix], suffix, *more)] = _answer(line)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise _no_recording(path) from error
    return str(lines[0]["engine"]), answers, {prefix: i for i, prefix in enumerate(prefixes)}


def _answer(line: Mapping[str, Any]) -> Any:
    if "scores" in line:
        return np.array(line["scores"], dtype=np.float64)
    text, num_tokens = line["said"]
    return Completion(str(text), int(num_tokens))


def _stacked(num_choices: int) -> Callable[[list[Any]], FloatArray]:
    return lambda rows: np.array(rows, dtype=np.float64).reshape(-1, num_choices)


def _no_recording(path: Path) -> ValueError:
    return ValueError(
        f"{path.name} is no recording of an engine, or is damaged; record again with"
        " engine=recording"
    )
