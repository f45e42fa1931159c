"""A TCP server that answers an HTTP request with any bytes at all, as slowly as it likes."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence

Say = bytes | Sequence[tuple[float, bytes]]  # at once, or each piece after so many seconds


class RawServer:
    """Answers every request with what ``say`` is now, then closes; use it in a ``with``.

    Attributes:
        say: the bytes, pieces of them, or a function from the request's bytes to either.
        heard: requests, as bytes.
    """

    def __init__(self, say: Say | Callable[[bytes], Say] = b"") -> None:
        self.say = say
        self.heard: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "RawServer":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = _request(connection)
                if not request:
                    return
                self.heard.append(request)
                say = self.say(request) if callable(self.say) else self.say
                for seconds, piece in _pieces(say):
                    time.sleep(seconds)
                    connection.sendall(piece)
            except OSError:
                pass  # the client had enough


def http(
    body: bytes, status: str = "200 OK", headers: Iterable[str] = (), length: int | None = None
) -> bytes:
    """An HTTP answer; ``length`` is what it claims, if not the truth."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body


def _pieces(say: Say) -> Sequence[tuple[float, bytes]]:
    return [(0.0, say)] if isinstance(say, bytes) else say


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < wanted:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
