"""What the whole suite runs under: reproducible draws, NaN in uninitialised memory, no silent change of a dtype."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

# Read when torch is loaded. One thread: a test is small, and each core has a pytest worker of its own.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import pytest
import torch
from cli_cases import Shell
from hypothesis import settings
from torch.overrides import TorchFunctionMode

from rnnspec import registry

torch.set_num_threads(1)
# Deterministic algorithms also fill what torch.empty and its kin return: with NaN, or the largest integer.
torch.use_deterministic_algorithms(True)
torch.utils.deterministic.fill_uninitialized_memory = True

settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("suite")


class StrictDTypes(TorchFunctionMode):
    """Fails where rnnspec's code mixes tensors of two floating dtypes in one call, which torch would promote silently.

    Scalars (no dimension) take the other operand's dtype and are fine; under autocast torch's own rules hold.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Looks at the operands, then runs the call."""
        seen = None
        for operand in args:
            if isinstance(operand, torch.Tensor) and operand.is_floating_point() and operand.ndim:
                if seen not in (None, operand.dtype) and self.refuses(func, sys._getframe(1)):
                    raise AssertionError(f"{func.__name__} mixes {seen} with {operand.dtype}")
                seen = operand.dtype
        return func(*args, **(kwargs or {}))

    @staticmethod
    def refuses(func: Callable[..., Any], caller: Any) -> bool:
        """Whether the mix counts: called from rnnspec, outside autocast, and not a conversion."""
        converts = func.__name__ in {"to", "type_as", "copy_", "__get__", "__set__"}
        autocast = torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")
        return not converts and not autocast and caller.f_globals.get("__name__", "").startswith("rnnspec.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuses ids that cannot be found again.

    Where `ids` is a function, pytest escapes a line break or a backslash once more at each collection. Mutation testing
    collects often in one process, and would count the test that it does not find as one that killed the mutant.
    """
    for item in items:
        made = any(callable(mark.kwargs.get("ids")) for mark in item.iter_markers("parametrize"))
        if made and "\\" in item.name:
            raise pytest.UsageError(f"the function `ids` of this test gives a line break or a backslash: {item.nodeid}")


@pytest.fixture(autouse=True)
def _converter_made_anew(request: pytest.FixtureRequest) -> None:
    """A mutant is chosen after the package is loaded: what was made once, before, is made again of the mutant.

    Before each of these tests: mutation testing runs only the tests that were seen to come by the mutated line.
    """
    if "MUTANT_UNDER_TEST" in os.environ and request.path.name.startswith("test_config"):
        from rnnspec.config import convert

        convert.CONVERTER = convert._make_converter()
        convert._HOOKS.clear()


@pytest.fixture(autouse=True)
def _same_draws() -> None:
    """Every test starts from the same state of the generators, whichever ran before it."""
    torch.manual_seed(0)
    random.seed(0)


@pytest.fixture(autouse=True)
def _strict_dtypes(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("compiled"):
        yield
        return
    with StrictDTypes():
        yield


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command line in an empty folder; what a command registers is forgotten."""
    monkeypatch.chdir(tmp_path)
    for table in vars(registry).values():
        if isinstance(table, registry.Registry):
            monkeypatch.setattr(table, "_added", dict(table._added))
    return Shell(capsys, tmp_path)
