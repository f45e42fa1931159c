"""The tokenizer of a pocket model, read by the tokenizers library alone.

It encodes and decodes as Hugging Face's class around the same file does (a test compares them on
texts of every kind), and knows nothing else of it: no chat template, no saving.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from agents.inference.local.plain_files import check_plain, read_json

_SPECIAL = ("bos_token", "eos_token", "pad_token")
_EXTRA = "extra_special_tokens"  # a list, such as the gist tokens of a model that reads in blocks
_WHENCE = ("is_local", "local_files_only")  # how it was read before it was saved
_KNOWN = {*_SPECIAL, _EXTRA, *_WHENCE, "backend", "tokenizer_class", "model_max_length"}
_OTHERS = ("special_tokens_map.json", "added_tokens.json", "chat_template.jinja")


class LightTokenizer:
    """Texts to token ids and back; called as a tokenizer of Hugging Face is.

    Attributes:
        all_special_ids: tokens that are no text.
        bos_token_id, eos_token_id: begin and end a text; None where there is no such token.
        unk_token_id: None, since every byte has a token.
    """

    unk_token_id: int | None = None

    def __init__(self, file: Path, special: dict[str, str], extra: Sequence[str] = ()) -> None:
        """Read ``file``; ``special`` names tokens by their part, as ``bos_token``."""
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        ids = {part: self._tokenizer.token_to_id(token) for part, token in special.items()}
        self.bos_token_id, self.eos_token_id = ids.get("bos_token"), ids.get("eos_token")
        found = [*ids.values(), *map(self.convert_tokens_to_ids, extra)]
        self.all_special_ids = [token for token in found if token is not None]

    def __call__(
        self, text: str | list[str], add_special_tokens: bool = True, **_: bool
    ) -> dict[str, Any]:
        """``input_ids`` of one text (t,), or of each of several."""
        many = [text] if isinstance(text, str) else text
        encoded = self._tokenizer.encode_batch(many, add_special_tokens=add_special_tokens)
        ids = [one.ids for one in encoded]
        return {"input_ids": ids[0] if isinstance(text, str) else ids}

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False) -> str:
        """What token ids say."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens))

    def convert_tokens_to_ids(self, token: str) -> int | None:
        """The id of a token; None where there is none."""
        found: int | None = self._tokenizer.token_to_id(token)
        return found


def light_tokenizer(folder: Path) -> LightTokenizer | None:
    """The tokenizer of a model's folder; None where Hugging Face's class may read it otherwise."""
    settings = read_json(folder / "tokenizer_config.json")
    plain = settings.get("backend") == "tokenizers"
    plain = plain and settings.get("tokenizer_class") == "TokenizersBackend"
    if not plain or not set(settings) <= _KNOWN or any((folder / o).exists() for o in _OTHERS):
        return None
    special = {part: settings[part] for part in _SPECIAL if part in settings}
    extra, file = settings.get(_EXTRA, []), folder / "tokenizer.json"
    check_plain(file)
    content = read_json(file)
    if not _every_byte(content) or not all(isinstance(t, str) for t in special.values()):
        return None
    if not isinstance(extra, list) or not set(extra) <= _added(content):
        return None  # Hugging Face's class would add what the file lacks
    return LightTokenizer(file, special, extra)


def _added(content: dict[str, Any]) -> set[str]:
    """The tokens beside the words of a file."""
    return {token["content"] for token in content.get("added_tokens") or []}


def _every_byte(content: dict[str, Any]) -> bool:
    """Whether a file is a byte-level BPE that puts nothing around a text."""
    model, after = content.get("model") or {}, content.get("post_processor") or {}
    added = content.get("added_tokens") or []
    return (
        model.get("type") == "BPE"
        and model.get("unk_token") is None
        and content.get("normalizer") is None
        and not after.get("special_tokens")
        and all(token.get("special") for token in added)
    )
