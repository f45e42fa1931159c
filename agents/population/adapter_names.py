"""What an adapter may be called: its name is that of its folder. It reads no file."""

import re

ADAPTER_NAME = r"\w(?:[\w @-]{0,98}\w)?"  # names a folder on every system, and a module in torch


def is_adapter_name(name: str) -> bool:
    """Whether an adapter may be called so."""
    return re.fullmatch(ADAPTER_NAME, name) is not None
