"""The HTTP under the ``openai`` client, made safe against what a server may do to it.

One deadline for a whole try, however slowly bytes come; no more bytes kept than an answer may have,
compressed or not; no redirect to another host. It knows no prompt and no engine.
"""

import threading
import zlib
from collections.abc import Iterable
from time import monotonic
from typing import Any

MOST_BYTES = 2**24  # of an answer, decoded; a long one of our kind has 2**17
_MOST_HOPS = 3  # redirects within a host
_MOMENT = 1e-3  # seconds left to an operation after the deadline; it fails by itself


class RefusedAnswerError(Exception):
    """An answer that is not read; the text says why and what to do. ``again``: may help."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def guarded_client(openai: Any, timeout: float) -> Any:
    """An HTTP client for ``openai.OpenAI(http_client=…)``.

    Args:
        openai: the package; which HTTP library it stands on is its own business.
        timeout: seconds that one request may take in all.
    """
    deadline = _Deadline()

    class Guarded(openai.DefaultHttpxClient):  # type: ignore[misc, name-defined]  # only known now
        """Reads every answer itself, within the limits."""

        def send(self, request: Any, **settings: Any) -> Any:
            """The whole answer, decoded; raises ``RefusedAnswerError`` or the library's errors."""
            deadline.begin(timeout)
            settings |= {"stream": True, "follow_redirects": False}
            for _ in range(_MOST_HOPS):
                response = super().send(request, **settings)
                try:
                    if not response.has_redirect_location:
                        return _read(response)
                    request = _same_host(request, response)
                finally:
                    response.close()
            raise RefusedAnswerError("the server redirects in circles", again=False)

    client = Guarded(timeout=timeout, headers={"Accept-Encoding": "gzip, deflate"})
    # No public setting reaches the sockets; a test with a slow server notices if this ends.
    for transport in (client._transport, *client._mounts.values()):
        if transport is not None:
            pool = transport._pool
            pool._network_backend = _Network(pool._network_backend, deadline)
    return client


def _same_host(request: Any, response: Any) -> Any:
    """The request that follows a redirect within the host."""
    there = response.next_request
    if there is None or response.status_code not in (307, 308):
        raise RefusedAnswerError(
            f"the server redirects ({response.status_code}) to a page that answers no questions;"
            " set base_url to the address that does, with its path (…/v1)",
            again=False,
        )
    here, url = request.url, there.url
    if (url.scheme, url.host, url.port) != (here.scheme, here.host, here.port):
        port = f":{url.port}" if url.port else ""
        raise RefusedAnswerError(
            f"the server redirects to {url.scheme}://{url.host}{port}, and prompts go to no other"
            " host than base_url names; set base_url to that address if it is yours",
            again=False,
        )
    return there


def _read(response: Any) -> Any:
    """The same answer with its body read and decoded."""
    data = _limited(response.iter_raw())
    for encoding in reversed(response.headers.get("content-encoding", "").lower().split(",")):
        data = _decoded(data, encoding.strip())
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name.lower() not in ("content-encoding", "content-length", "transfer-encoding")
    ]
    return type(response)(
        response.status_code, headers=headers, content=data, request=response.request
    )


def _limited(chunks: Iterable[bytes]) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > MOST_BYTES:
            raise _too_long()
    return bytes(data)


def _decoded(data: bytes, encoding: str) -> bytes:
    """One layer of compression less, never more than ``MOST_BYTES``."""
    if encoding in ("", "identity"):
        return data
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise RefusedAnswerError(
            f"the answer is encoded as {encoding[:20]!r}, asked was for gzip, deflate or none",
            again=True,
        )
    raw_deflate = encoding == "deflate" and data[:1] != b"\x78"
    machine = zlib.decompressobj(-15 if raw_deflate else 47)
    try:
        decoded = machine.decompress(data, MOST_BYTES + 1)
    except zlib.error as error:
        raise RefusedAnswerError(f"the answer is no {encoding} ({error})", again=True) from None
    if len(decoded) > MOST_BYTES:
        raise _too_long()
    if not machine.eof or machine.unused_data:
        raise RefusedAnswerError(f"the answer is no whole {encoding}", again=True)
    return decoded


def _too_long() -> RefusedAnswerError:
    return RefusedAnswerError(
        f"the answer is longer than {MOST_BYTES // 2**20} MiB; see the server's log", again=False
    )


class _Deadline(threading.local):
    """When the request of this thread must be over."""

    at = 0.0

    def begin(self, seconds: float) -> None:
        self.at = monotonic() + seconds

    def left(self, timeout: float | None) -> float:
        """Seconds that the next operation may take; at the end a moment, so that it fails."""
        left = max(self.at - monotonic(), _MOMENT)
        return left if timeout is None else min(left, timeout)


class _Network:
    """Opens connections that keep the deadline; for the rest the backend inside."""

    def __init__(self, inner: Any, deadline: _Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def connect_tcp(self, *where: Any, timeout: float | None = None, **more: Any) -> "_Stream":
        stream = self._inner.connect_tcp(*where, timeout=self._deadline.left(timeout), **more)
        return _Stream(stream, self._deadline)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Stream:
    """A connection on which every operation ends by the deadline of its thread."""

    def __init__(self, inner: Any, deadline: _Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._inner.read(max_bytes, timeout=self._deadline.left(timeout))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout=self._deadline.left(timeout))

    def start_tls(self, *how: Any, timeout: float | None = None, **more: Any) -> "_Stream":
        stream = self._inner.start_tls(*how, timeout=self._deadline.left(timeout), **more)
        return _Stream(stream, self._deadline)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
