"""What MkDocs reads otherwise than our tests: fences that say how they are run."""

import re
from typing import Any

_FENCE = re.compile(r"^(```\w+) (?:run|needs)=\w+$", re.MULTILINE)


def on_page_markdown(markdown: str, **more: Any) -> str:
    """The page with plain fences; ``run=no`` and ``needs=PACKAGE`` are for the tests."""
    return _FENCE.sub(r"\1", markdown)
