"""The C library of the engine `cpu`: where it is, why it is not, and which instruction set it runs."""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from pathlib import Path

# Before the library: its weak symbols then resolve to the OpenMP runtime that torch brings, and there is one pool.
import torch  # noqa: F401

from rnnspec.errors import EngineError, Problem
from rnnspec.registry import did_you_mean

__all__ = ["INSTRUCTION_SETS", "PATH", "VARIABLE", "instruction_set", "load", "unavailable"]

INSTRUCTION_SETS = ("portable", "avx2", "avx512")
"""The instruction sets in the order of `arguments.h`; `portable` is what the compiler takes for granted."""

VARIABLE = "RNNSPEC_CPU"
"""The environment variable that names the best instruction set to use."""

PATH = Path(__file__).with_name("_library.so")


def _open(path: Path) -> tuple[ctypes.CDLL | None, str | None]:
    """The library, or the reason why there is none."""
    if not path.exists():
        return None, "its C library is not there: when rnnspec was installed, there was no C compiler, or it failed"
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        return None, f"its C library does not load: {error}"
    library.rnnspec_reserve_size.restype = ctypes.c_int64
    library.rnnspec_stream_size.restype = number = ctypes.c_int64
    library.rnnspec_dropout_mask.argtypes = (
        *(ctypes.c_void_p, number, number, ctypes.c_double),
        *(number, number, ctypes.c_void_p),
    )
    library.rnnspec_dropout_mask.restype = None
    strided = (ctypes.c_void_p, number, number)
    library.rnnspec_stream_open.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    library.rnnspec_stream_step.argtypes = (ctypes.c_void_p, ctypes.c_void_p, number, ctypes.c_void_p)
    library.rnnspec_stream_chunk.argtypes = (ctypes.c_void_p, number, *strided * 3)
    library.rnnspec_stream_reset.argtypes = (ctypes.c_void_p,) * 4
    library.rnnspec_stream_read.argtypes = (ctypes.c_void_p,) * 3
    for name in ("open", "step", "chunk", "reset", "read"):
        library[f"rnnspec_stream_{name}"].restype = None
    return library, None


# Found once, here: torch.compile cannot trace it.
_library, _reason = _open(PATH)


def unavailable() -> str | None:
    """Why the library cannot be used, in words that follow "because"; None if it can."""
    return _reason


def load() -> ctypes.CDLL:
    """The library.

    Returns:
        The library.

    Raises:
        EngineError: If there is none.
    """
    if _library is None:
        raise EngineError(f"the engine 'cpu' cannot run, because {_reason}")
    return _library


@lru_cache(maxsize=1)
def instruction_set() -> int:
    """The best instruction set that this machine runs and `RNNSPEC_CPU` allows, which is read at the first call.

    Returns:
        An index of `INSTRUCTION_SETS`.

    Raises:
        EngineError: If `RNNSPEC_CPU` names none.
    """
    best: int = load().rnnspec_instruction_set()
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return best
    if wanted not in INSTRUCTION_SETS:
        message = f"{VARIABLE} must be one of {', '.join(INSTRUCTION_SETS)}, found {wanted!r}"
        raise EngineError(Problem(message, hint=did_you_mean(wanted, INSTRUCTION_SETS)))
    return min(best, INSTRUCTION_SETS.index(wanted))
