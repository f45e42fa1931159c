"""What an answer costs: losses of logits against a distribution over five stars. It knows no model.

All three are proper: their mean is least where the predicted distribution is the true one
(``expected_value`` adds a term that is least where the means agree).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from simenv.ranges import check_number

KINDS = ("cross_entropy", "ordinal", "expected_value")
_STARS = (1.0, 2.0, 3.0, 4.0, 5.0)


@dataclass(frozen=True)
class AnswerLoss:
    """A loss of answers.

    Attributes:
        kind: ``cross_entropy``; ``ordinal`` = squared distance of the cumulative distributions
            (ranked probability score), in which four stars for five cost less than one for five;
            ``expected_value`` = cross-entropy + ``strength`` · squared error of the mean in stars.
        strength: of the squared error, >= 0; only ``expected_value`` reads it.
        whole_vocabulary: also pay for probability on tokens that are no answer, so that free
            decoding says a digit; with ``cross_entropy`` this is ordinary next-token loss.

    Raises:
        ValueError: an unknown kind or a negative strength.
    """

    kind: str = "cross_entropy"
    strength: float = 0.5
    whole_vocabulary: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"loss wanted one of {', '.join(KINDS)}, got {self.kind!r}")
        check_number("loss", "a strength", self.strength, "[0, inf)", "0 leaves the error out")

    def __call__(self, logits: Tensor, answers: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """Weighted mean over turns, in nats (``ordinal``: in squared probability).

        Args:
            logits: (n, vocabulary).
            answers: (5,) token ids of one to five stars.
            targets: (n, 5) the distributions to answer with.
            weights: (n,) >= 0; turns of weight 0 (padding) count nothing.
        """
        logits = logits.float()
        chosen = logits[:, answers]
        logs = chosen.log_softmax(-1)
        costs = self._costs(logs, targets)
        if self.whole_vocabulary:
            costs = costs + logits.logsumexp(-1) - chosen.logsumexp(-1)
        return (weights * costs).sum() / weights.sum().clamp_min(1e-12)

    def _costs(self, logs: Tensor, targets: Tensor) -> Tensor:
        """(n,) costs of log-probabilities (n, 5) against targets (n, 5)."""
        if self.kind == "ordinal":
            return (logs.exp() - targets).cumsum(-1).square().sum(-1)
        entropy = -(targets * logs).sum(-1)
        if self.kind == "cross_entropy":
            return entropy
        stars = torch.tensor(_STARS, device=logs.device)
        apart = (logs.exp() - targets) @ stars
        return entropy + self.strength * apart.square()
