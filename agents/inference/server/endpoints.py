"""Several servers of one model as one: everybody has a home, and goes elsewhere when it fails.

A person's questions go to one server (``agents.inference.affinity``), whose prefix cache then knows
them. A server that fails is left out for a while, is asked whether it is there, and comes back. It
knows no engine; every server must hold the same model and the same adapters.
"""

import copy
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any, Literal, TypeVar

from agents.inference.affinity import Asked, places_for
from agents.inference.server.client import Caller, Rejection, ServerClient
from agents.inference.server.retries import Lost

Answer = TypeVar("Answer")
_LOG = logging.getLogger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds that a server is left out


class Endpoints:
    """One or more servers; may be used from several threads.

    Args:
        urls: of the servers; None or one text = one server, as ``ServerClient`` takes it.
        api_key: the same for all.
        timeout: seconds that one try of one server may take.
        caller: who connects.

    Attributes:
        where: host:port of all, without users and passwords.

    Raises:
        ModuleNotFoundError: the extra ``serve`` is not installed.
        ValueError: an address is none, there is no address, or one comes twice.
    """

    def __init__(
        self,
        urls: str | Sequence[str] | None,
        api_key: str | None,
        timeout: float,
        caller: Caller,
    ) -> None:
        own = [urls] if urls is None or isinstance(urls, str) else _several(urls, caller)
        clients = [ServerClient(url, api_key, timeout, caller) for url in own]
        self._places = [_Place(client) for client in clients]
        self.where = ", ".join(sorted(client.where for client in clients))

    def __deepcopy__(self, memo: dict[int, Any]) -> "Endpoints":
        """The same servers with connections of its own."""
        twin = object.__new__(Endpoints)
        twin.where = self.where
        twin._places = [_Place(copy.deepcopy(place.client, memo)) for place in self._places]
        return twin

    def post(
        self,
        asked: Asked,
        endpoint: Literal["completions", "chat"],
        body: dict[str, Any],
        rejection: Callable[[int], Rejection],
        read: Callable[[Any], Answer],
    ) -> Answer:
        """What the first server says that answers, its home first; see ``ServerClient.post``.

        Args:
            asked: adapter and prefix, which decide the home.
            endpoint: which of the two.
            body: of the request.
            rejection: HTTP status → what that means.
            read: JSON → answer; raises ``Lost`` as the client does.

        Raises:
            Lost: no other server would do better, or none answered.
        """
        losses: list[Lost] = []
        for place in self._in_order(asked):
            try:
                answer = read(place.client.post(endpoint, body, rejection))
            except Lost as lost:
                if len(self._places) == 1 or not (lost.again or lost.blame == "all"):
                    raise
                place.leave_out(lost)
                losses.append(lost)
            else:
                place.take_back()
                return answer
        raise _together(losses, len(self._places))

    def malformed(self, error: Exception) -> Lost:
        """See ``ServerClient.malformed``."""
        return Lost(self.public(str(self._places[0].client.malformed(error))), again=True)

    def public(self, text: str) -> str:
        """See ``ServerClient.public``: without the keys of any server."""
        return self._places[0].client.public(self.without_keys(text))

    def without_keys(self, text: str) -> str:
        """See ``ServerClient.without_keys``."""
        for place in self._places:
            text = place.client.without_keys(text)
        return text

    def close(self) -> None:
        """Close the connections."""
        for place in self._places:
            place.client.close()

    def _in_order(self, asked: Asked) -> Iterator["_Place"]:
        """Those that are not left out, from home on; all of them if that is nobody."""
        order = [self._places[number] for number in places_for(asked, len(self._places))]
        nobody = True
        for place in order:
            if place.is_there():
                nobody = False
                yield place
        if nobody:
            yield from order


class _Place:
    """One server, and whether to ask it now."""

    def __init__(self, client: ServerClient) -> None:
        self.client = client
        self._pause, self._until = 0.0, 0.0
        self._out = False
        self._lock, self._looking = threading.Lock(), threading.Lock()

    def is_there(self) -> bool:
        """Whether it is not left out; after its pause one thread looks whether it answers."""
        if not self._out:
            return True
        if monotonic() < self._until or not self._looking.acquire(blocking=False):
            return False
        try:
            answers = self.client.is_alive()
            if answers:
                self._out = False
            else:
                self._lengthen(0.0)
            return answers
        finally:
            self._looking.release()

    def leave_out(self, lost: Lost) -> None:
        """Ask others for a while: longer each time until it answers a question again."""
        with self._lock:
            known, self._out = self._out, True
            if not known:
                self._lengthen(lost.wait or 0.0)
                text = "the server at %s is left out for %.0f s, others answer: %s"
                _LOG.warning(text, self.client.where, self._until - monotonic(), lost)

    def take_back(self) -> None:
        """It answered a question."""
        self._out, self._pause = False, 0.0

    def _lengthen(self, wait: float) -> None:
        self._pause = min(max(_FIRST_PAUSE, 2 * self._pause), _LONGEST_PAUSE)
        self._until = monotonic() + max(wait, self._pause)


def _several(urls: Sequence[str], caller: Caller) -> list[str]:
    own = list(urls)
    if not own or not all(isinstance(url, str) and url for url in own):
        raise ValueError(
            f"{caller.setting} wanted base_url to be a URL or a list of them, got {len(own)} of"
            " which some are none; write base_url=[http://HOST1:PORT/v1,http://HOST2:PORT/v1]"
        )
    if len(set(own)) < len(own):
        raise ValueError(
            f"{caller.setting} wanted servers that differ in base_url, got one address twice;"
            " name each once"
        )
    return own


def _together(losses: Sequence[Lost], servers: int) -> Lost:
    """No server answered."""
    waits = [lost.wait for lost in losses if lost.wait is not None]
    return Lost(
        f"none of {servers} servers answers; the last: {losses[-1]}",
        again=any(lost.again for lost in losses),
        wait=min(waits) if len(waits) == len(losses) else None,
        blame="all" if all(lost.blame == "all" for lost in losses) else "server",
        refused=all(lost.refused for lost in losses),
    )
