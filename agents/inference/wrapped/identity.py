"""What a model is, by its content: the same bytes give the same name wherever they lie.

It knows no engine. A cache key made of a path or a name would give one model's answers for another
model that took its place.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

# Everything that decides what a model answers: weights, shape, words, adapter settings.
DECIDING = frozenset({".safetensors", ".json", ".model", ".txt", ".jinja", ".gguf", ".bin"})


def content_hash(folder: str | Path) -> str:
    """SHA-256 over the names and whole contents of a model's or adapter's files.

    Whole contents, not a sample: two fine-tunings may differ anywhere. It costs one or two
    seconds per gigabyte, once a process for each file of one size and modification time.

    Args:
        folder: holds the files; sub-folders, pictures and read-me files do not count.

    Raises:
        FileNotFoundError: there is no such folder, or no model file in it.
    """
    root = Path(folder)
    files = sorted(p for p in root.glob("*") if p.suffix in DECIDING and p.is_file())
    if not files:
        raise FileNotFoundError(
            f"{str(folder)!r} wanted a folder with model files, whose content identifies it; for a"
            " model that is not on this machine give identity=…, a text that changes with its"
            " weights"
        )
    total = hashlib.sha256()
    for file in files:
        facts = file.stat()
        total.update(f"{file.name}\0{facts.st_size}\0".encode())
        total.update(_file_hash(str(file.resolve()), facts.st_size, facts.st_mtime_ns))
    return total.hexdigest()


@lru_cache(maxsize=4096)
def _file_hash(path: str, size: int, modified: int) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
