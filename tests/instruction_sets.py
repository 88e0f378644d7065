"""Every instruction set of the machine, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rnnspec.engines.cpu import library


@contextmanager
def limited_to(name: str) -> Iterator[None]:
    """The engine `cpu` runs this instruction set; skips where there is no library, or the machine lacks the set."""
    if reason := library.unavailable():
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(library.VARIABLE, raising=False)
        library.instruction_set.cache_clear()
        if library.INSTRUCTION_SETS.index(name) > library.instruction_set():
            pytest.skip(f"this machine has no {name}")
        patch.setenv(library.VARIABLE, name)
        library.instruction_set.cache_clear()
        assert library.INSTRUCTION_SETS[library.instruction_set()] == name
        yield
    library.instruction_set.cache_clear()
