"""What the machine under an engine can do: measured peaks and memory. It knows no model."""

import resource
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def peak_flops(
    device: "torch.device | str" = "cpu", dtype: str = "float32", seconds: float = 0.5
) -> float:
    """Best multiply-adds (as 2 operations) per second of square products, measured now.

    Args:
        device: where.
        dtype: of the factors, as ``bfloat16``.
        seconds: how long to try.
    """
    import torch

    size = 1024 if torch.device(device).type == "cpu" else 8192
    a = torch.randn(size, size, device=device).to(getattr(torch, dtype))
    return 2 * size**3 / _shortest(lambda: torch.mm(a, a), torch.device(device), seconds)


def upload_bandwidth(device: "torch.device | str", seconds: float = 0.3) -> float:
    """Bytes per second from main memory (pinned where there is a GPU) to ``device``."""
    import torch

    target = torch.device(device)
    host = torch.empty(2**26, dtype=torch.uint8, pin_memory=target.type == "cuda")
    away = torch.empty_like(host, device=target)
    return 2**26 / _shortest(lambda: away.copy_(host, non_blocking=True), target, seconds)


def peak_memory() -> int:
    """Most bytes this process has held in main memory so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def peak_device_memory() -> int | None:
    """Most bytes of tensors on the GPU so far; None where none is in use."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return int(torch.cuda.max_memory_allocated())


def _shortest(work: Callable[[], object], device: "torch.device", seconds: float) -> float:
    """The shortest time of one ``work``, in seconds."""
    best, ends = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < ends or best == float("inf"):
        _wait(device)
        started = time.perf_counter()
        work()
        _wait(device)
        best = min(best, time.perf_counter() - started)
    return best


def _wait(device: "torch.device") -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
