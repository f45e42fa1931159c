"""How much a prompt shows: how many memories, how many of them in full, how long a summary."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class PromptStyle:
    """How much a prompt shows: the shipped model reads the defaults, larger ones can read more.

    Attributes:
        verbatim: memories shown in full (m); the paper's is 1.
        gist: memories summed up in one sentence; 0 leaves it out.
        summary_words: longest summary shown, in words; 0 leaves it out.
        cast: longest cast shown; the paper's is 15.
        persona: whether Ms is shown at all (ablations switch it off).
        peers: whether a prompt says what people like the user gave to the item. Who shares their
            model may then be overrated: see ``experiments.collusion``.
        together: whether the sum of average, taste and level is told too, for models that cannot
            add numbers; the pocket model can.
    """

    verbatim: int = 1
    gist: int = 20
    summary_words: int = 0
    cast: int = 2
    persona: bool = True
    peers: bool = False
    together: bool = False

    @property
    def recalled(self) -> int:
        """Memories to recall for one item."""
        return max(self.verbatim, self.gist)

    def without_persona(self) -> "PromptStyle":
        """Ml only: memories without who has them."""
        return replace(self, persona=False)

    def without_memory(self) -> "PromptStyle":
        """Ms only: a person without memories."""
        return replace(self, verbatim=0, gist=0)
