"""What the numbers depend on: the machine, the versions, and how fast it multiplies matrices."""

from __future__ import annotations

import ctypes
import os
import platform
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from functools import cache
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

import rnnspec

__all__ = ["describe", "own_tile", "peak"]

# Products in a call of the tile, so that it takes a millisecond or so.
CALLS = 2000


def describe() -> dict[str, Any]:
    """The machine, the date and the versions.

    Returns:
        Names and values that JSON can hold.
    """
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "torch_instructions": torch.backends.cpu.get_cpu_capability(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "keras": _version("keras"),
        "rnnspec": rnnspec.__version__,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's name; Linux keeps it in a file."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def peak(clock: Callable[[], float], seconds: float, size: int = 1024) -> dict[str, float]:
    """How fast float32 matrices are multiplied, by each of the ways there are.

    Args:
        clock: What a product's time is read from.
        seconds: How long to try each way and size.
        size: Of the largest matrices, `(size, size)`; smaller ones are tried too (default 1024).

    Returns:
        GFLOP/s of the best call, by the way's name.
    """
    best: dict[str, float] = {}
    for rows in (size // 4, size):
        left, right = torch.randn(rows, size), torch.randn(size, size)
        for name, multiply in _ways(left, right):
            fastest = _fastest(multiply, clock, seconds)
            best[name] = max(best.get(name, 0.0), 2 * rows * size * size / fastest / 1e9 if fastest else 0.0)
    return best


def _ways(left: torch.Tensor, right: torch.Tensor) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "torch.mm", lambda: torch.mm(left, right)
    yield "linear", lambda: torch.nn.functional.linear(left, right)
    if torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        onednn = torch.ops.mkldnn._linear_pointwise
        yield "oneDNN linear", lambda: onednn(left, right, None, "none", [], "")


def own_tile(seconds: float) -> float:
    """How fast the tile of the engine `cpu` is in the first cache, in one thread.

    Args:
        seconds: How long to try each size.

    Returns:
        GFLOP/s of the best call.

    Raises:
        OSError: If there is no C compiler.
        subprocess.CalledProcessError: If it fails.
    """
    multiply = _tile()
    best = 0.0
    for rows in (64, 128, 256):
        operations = multiply(rows, CALLS)
        fastest = _fastest(lambda rows=rows: multiply(rows, CALLS), time.thread_time, seconds)  # type: ignore[misc]
        best = max(best, operations / fastest / 1e9 if fastest else 0.0)
    return best


@cache
def _tile() -> Any:
    """The function of tile.c, compiled for this machine."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    vectors = ["-mprefer-vector-width=512"] if platform.machine() in ("x86_64", "AMD64") else []
    flags = ["-std=gnu11", "-O3", "-march=native", "-ffp-contract=fast", "-fvisibility=hidden", "-shared", "-fPIC"]
    source = str(Path(__file__).with_name("tile.c"))
    with TemporaryDirectory() as folder:
        target = str(Path(folder) / "tile.so")
        subprocess.run([*compiler, *flags, *vectors, source, "-o", target, "-lm"], check=True, capture_output=True)
        multiply = ctypes.CDLL(target).multiply_in_cache
    multiply.argtypes, multiply.restype = (ctypes.c_long, ctypes.c_long), ctypes.c_int64
    return multiply


def _fastest(multiply: Callable[[], object], clock: Callable[[], float], seconds: float) -> float:
    best, end = float("inf"), time.perf_counter() + seconds
    with torch.no_grad():
        multiply()
        while True:
            start = clock()
            multiply()
            best = min(best, clock() - start)
            if time.perf_counter() >= end:
                return best
