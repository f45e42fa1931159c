"""Keeps keys and passwords out of everything that is shown: texts, addresses, configs, logs.

It knows no server and no config file; what it is given it returns with ``***`` where secrets were.
What it cannot find is said in ``docs/how-to/run_on_a_server.md``.
"""

import base64
import html
import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlsplit

MASK = "***"
SHORTEST = 4  # characters; a shorter key is found in every text
_TIMES = 3  # encodings within encodings that are looked through
_LONG = 8  # characters of a part of an address that is masked wherever else it stands
_SECRET_NAME = re.compile(  # of a name in small letters, its parts joined by _
    r"api_?key|secret|passw(or)?d|passphrase|credential|authorization|private_?key|access_?key"
    r"|(^|_)(token|key|auth|bearer|cookies?|jwt|pat|pwd|pass|passcode|sig|signature|dsn"
    r"|connection_string)$"
)
_SURE = (
    r"(?:api|access|private|secret|signing|master|subscription)[_-]?key|authorization|set-cookie"
    r"|\w+_(?:secret|password|token)|(?:access|auth|api|bearer|refresh|id)-?token"
)
_ANY = rf"{_SURE}|secrets?|passw(?:or)?ds?|passphrase|credentials?|(?<![a-z])token"
_QUOTED = r"""(?:bearer|basic)\s+[^\s,"'}\]]+|"[^"]*"|'[^']*'"""
# A text may be megabytes of anything: every pattern begins where a name begins and reads it once.
_GIVEN = re.compile(r"(?<![\w.+-])([\w.+-]+)=(?!null\b|None\b)")
_LISTED = re.compile(r"""(?:(?<![\w-])([\w-]+)|["']([\w-]+)["'])\s*:\s*(?!null\b|None\b)""")
_VALUES = {
    _GIVEN: re.compile(rf"(?i){_QUOTED}|\S+"),
    _LISTED: re.compile(rf"""(?i){_QUOTED}|[^\s"'}}\],]+"""),
}
_ENDS_SURE, _ENDS_ANY = (re.compile(rf"(?i)(?:{words})$") for words in (_SURE, _ANY))
_LONGEST_END = 40  # characters of a name that say whether it is a secret's
_BEARER = re.compile(r"\b(Bearer\s+)(?=\S*\d)[\w.~+/=-]{8,}")
_ADDRESS = re.compile(r"""\b\w+://[^\s'"]*""")  # all of it, whatever its password holds
_SCHEME = re.compile(r"(?=\b\w+://)")
_WORD = re.compile(r"""[^\s#'"]+""")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\(/)")
_PARTS = ("connection", "http11", "http2", "proxy", "socks")
_CORES = (f"{core}.{part}" for core in ("httpcore", "httpcore2") for part in _PARTS)
_LOGGERS = ("httpx", "httpx2", "openai", "openai._base_client", *_CORES)


class Masker:
    """Replaces known secrets, also where they come back in another encoding.

    Found as they are and percent-encoded, in base64 (alone or within a longer text), in hex, and
    escaped as JSON or HTML do, in upper or lower case.

    Args:
        secrets: shorter ones than ``SHORTEST`` are left out.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        pattern = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(pattern, re.IGNORECASE) if pattern else None

    def __call__(self, text: str) -> str:
        """``text`` with ``***`` for every secret; decoded where it was found only after that."""
        if self._pattern is None:
            return text
        text = self._pattern.sub(MASK, text)
        for decode in (unquote, unquote_plus, html.unescape, _unescaped):
            decoded = text
            for _ in range(_TIMES):
                decoded = decode(decoded)
                if self._pattern.search(decoded):
                    text = decoded = self._pattern.sub(MASK, decoded)
        return text


class LogMasker(logging.Filter):
    """Masks what the libraries of a connection log: they write whole addresses."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        super().__init__()
        self._mask = mask

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true; the record's text is masked in place."""
        text = record.getMessage()
        masked = masked_text(self._mask(text))
        if masked != text:
            record.msg, record.args = masked, ()
        return True

    def attach(self) -> None:
        """Begin to mask."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def detach(self) -> None:
        """End it; twice is no error."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)


def secrets_of_url(url: str) -> list[str]:
    """Passwords, keys and values of the query, as written and as decoded."""
    parts = urlsplit(url)
    found = [value for _, value in parse_qsl(parts.query)]
    user, at, _ = url.partition("://")[2].rpartition("@")
    if at and user != parts.netloc.rpartition("@")[0]:  # a password with a raw / or ? or #
        found += [user, user.partition(":")[2]]
    elif parts.password is not None:
        found += [parts.password, f"{unquote(parts.username or '')}:{unquote(parts.password)}"]
    elif parts.username:
        found.append(parts.username)
    return list(dict.fromkeys(text for each in found for text in (each, unquote(each))))


def masked_text(text: str) -> str:
    """``text`` without what looks like a secret: ``api_key=…``, ``user:key@``, ``?key=…``."""
    text = _ADDRESS.sub(lambda found: _without_user(found.group()), text)
    text = _WORD.sub(lambda word: _without_query(word.group()), text)
    for named in (_GIVEN, _LISTED):
        text = _without_named(text, named)
    return _BEARER.sub(rf"\1{MASK}", text)


def masked_argument(argument: str) -> str:
    """One argument of a command line, as ``+engine.api_key=…``; the whole value is masked."""
    name, equals, _ = argument.partition("=")
    return f"{name}={MASK}" if equals and is_secret_name(name) else masked_text(argument)


def masked_config(value: Any) -> Any:
    """Nested mappings, sequences and texts with every secret masked, by its name or its form."""
    mask = Masker(secrets_of_config(value))

    def walk(node: Any, hidden: bool) -> Any:
        if isinstance(node, Mapping):
            return {k: walk(v, hidden or is_secret_name(str(k))) for k, v in node.items()}
        if isinstance(node, Sequence) and not isinstance(node, str | bytes):
            return [walk(each, hidden) for each in node]
        if hidden and node is not None and not isinstance(node, bool):
            return MASK
        return mask(masked_text(node)) if isinstance(node, str) else node

    return walk(value, False)


def refilled_config(masked: Any, given: Any) -> Any:
    """A config read from where it was masked, with every masked text as ``given`` has it, or None.

    Args:
        masked: what ``masked_config`` returned.
        given: the config of now, nested alike as far as the two agree.
    """
    if isinstance(masked, Mapping):
        now = given if isinstance(given, Mapping) else {}
        return {key: refilled_config(value, now.get(key)) for key, value in masked.items()}
    if isinstance(masked, list):
        here = list(given) if isinstance(given, list) else []
        here += [None] * len(masked)
        return [refilled_config(*pair) for pair in zip(masked, here, strict=False)]
    return given if isinstance(masked, str) and MASK in masked else masked


def secrets_of_config(value: Any, hidden: bool = False) -> list[str]:
    """Every secret that stands in a config: under a name that says so, or in an address."""
    if isinstance(value, Mapping):
        pairs = value.items()
        return [s for k, v in pairs for s in secrets_of_config(v, hidden or is_secret_name(str(k)))]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [secret for each in value for secret in secrets_of_config(each, hidden)]
    if hidden and isinstance(value, int | float) and not isinstance(value, bool):
        return [str(value)]  # a key of digits alone is read as a number
    if not isinstance(value, str) or not value:
        return []
    return [value] if hidden else _secrets_of_address(value)


def is_secret_name(name: str) -> bool:
    """Whether a setting of that name holds a secret: ``api_key``, ``hf_token``, ``password``."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)  # accessToken is access_token
    return bool(_SECRET_NAME.search(re.sub(r"[\s.-]+", "_", parts.lower())))


def _secrets_of_address(text: str) -> list[str]:
    if "://" not in text:
        return []
    try:
        return [part for part in secrets_of_url(text) if len(part) >= _LONG]
    except ValueError:  # not an address after all
        return []


def _without_named(text: str, named: re.Pattern[str]) -> str:
    """``text`` with the values behind names of secrets masked."""
    parts, done = [], 0
    for match in named.finditer(text):
        name = next(group for group in match.groups() if group is not None)
        bare = named is _LISTED and match.group(1) is not None
        ends = _ENDS_SURE if bare else _ENDS_ANY
        if match.start() < done or not ends.search(name[-_LONGEST_END:]):
            continue
        if value := _VALUES[named].match(text, match.end()):
            parts += [text[done : match.end()], MASK]
            done = value.end()
    return "".join([*parts, text[done:]])


def _without_user(addresses: str) -> str:
    """One address or several without what stands before the last ``@`` of each.

    A password that holds a raw ``/``, ``?`` or ``#`` is none by the rules of addresses; people
    paste such ones, so a path with an ``@`` in it is masked rather than a password shown.
    """
    return "".join(map(_without_own_user, _SCHEME.split(addresses)))


def _without_own_user(address: str) -> str:
    scheme, slashes, rest = address.partition("://")
    user, at, host = rest.rpartition("@")
    return f"{scheme}{slashes}{MASK}@{host}" if user and at else address


def _without_query(word: str) -> str:
    """A word without what stands behind the question mark of an address in it."""
    scheme = re.search(r"\w://", word)
    start = word.find("?", scheme.end()) + 1 if scheme else 0
    return word[:start] + _masked_query(word[start:]) if 0 < start < len(word) else word


def _masked_query(query: str) -> str:
    pairs = (part.partition("=") for part in query.split("&"))
    return "&".join(f"{name}={MASK}" if equals else MASK for name, equals, _ in pairs)


def _forms(secret: str) -> set[str]:
    """The secret and how it may come back."""
    data = secret.encode("utf-8", "surrogatepass")
    forms = {secret, quote(secret, safe=""), quote_plus(secret), html.escape(secret), data.hex()}
    forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    for lead in range(3):  # within a longer text it begins at one of three places of a group
        inside = base64.b64encode(bytes(lead) + data).decode()
        whole = inside[-(-8 * lead // 6) : 8 * (lead + len(data)) // 6]
        forms |= {whole, whole.replace("+", "-").replace("/", "_")} if len(whole) > 4 else set()
    return forms


def _unescaped(text: str) -> str:
    """Escapes of JSON and of Python's ``repr`` resolved."""

    def letter(match: re.Match[str]) -> str:
        code = match.group(1) or match.group(2)
        return chr(int(code, 16)) if code else "/"

    return _ESCAPED.sub(letter, text)
