"""The plan: which engine runs a call, and why. The only place that chooses."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rnnspec.engines.cpu import Cpu
from rnnspec.engines.request import Engine, Request
from rnnspec.engines.scan import Scan
from rnnspec.engines.steps import Steps
from rnnspec.errors import EngineError, Problem
from rnnspec.registry import did_you_mean

__all__ = ["ENGINES", "Plan", "engine_for", "engine_of", "plan", "use_engine"]

ENGINES: tuple[Engine, ...] = (Cpu(), Scan(), Steps())
"""All engines, the fastest first; a plan takes the first that does not refuse."""


@dataclass(frozen=True)
class Plan:
    """Which engine runs a call, with which settings, and why.

    Attributes:
        engine: The engine's name.
        settings: The engine's own settings.
        reasons: Why this engine, then why not an earlier one, in words.
    """

    engine: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        """What a notebook shows: a table."""
        from rnnspec.display.plan_html import plan_html

        return plan_html(self)


class _Forced(threading.local):
    """The engine that `use_engine` forces in this thread (a ContextVar cannot be traced by torch.compile)."""

    engine: str | None = None


_forced = _Forced()


def engine_for(request: Request) -> Engine:
    """Chooses the engine of a request: the forced one, or the first that does not refuse.

    Args:
        request: The call.

    Returns:
        The engine.

    Raises:
        EngineError: If `use_engine` forces an engine that cannot run the request, or none can.
    """
    if _forced.engine is not None:
        engine = engine_of(_forced.engine)
        reason = engine.refuses(request)
        if reason is not None:
            raise EngineError(f"the engine '{_forced.engine}' cannot run this call: {reason}")
        return engine
    for engine in ENGINES:
        if engine.refuses(request) is None:
            return engine
    raise EngineError(f"no engine can run this call: {'; '.join(_refusals(request, None))}")


def _refusals(request: Request, chosen: Engine | None) -> list[str]:
    """Why the engines before the chosen one were not chosen."""
    before = itertools.takewhile(lambda engine: engine is not chosen, ENGINES)
    return [f"not {engine.name}, because {engine.refuses(request)}" for engine in before]


def plan(request: Request) -> Plan:
    """Tells which engine would run a request, and why.

    Args:
        request: The call.

    Returns:
        The plan, with the reasons of every refusal.

    Raises:
        EngineError: See `engine_for`.
    """
    engine = engine_for(request)
    if _forced.engine is not None:
        reasons = [f"{engine.name}, because use_engine asks for it"]
    else:
        reasons = [f"{engine.name}, because {engine.strength}", *_refusals(request, engine)]
    return Plan(engine.name, engine.settings(request), tuple(reasons))


def engine_of(name: str) -> Engine:
    """Finds an engine by its name.

    Args:
        name: The name.

    Returns:
        The engine.

    Raises:
        EngineError: If there is none of that name.
    """
    for engine in ENGINES:
        if engine.name == name:
            return engine
    names = [engine.name for engine in ENGINES]
    message = f"unknown engine '{name}', expected one of {', '.join(names)}"
    raise EngineError(Problem(message, hint=did_you_mean(name, names)))


@contextmanager
def use_engine(name: str) -> Iterator[None]:
    """Forces one engine for every call of this thread inside the block.

    Args:
        name: The engine's name, for example `steps`.

    Yields:
        Nothing.

    Raises:
        EngineError: If there is no such engine; a call inside raises it too where the engine cannot run the call.
    """
    engine_of(name)
    before, _forced.engine = _forced.engine, name
    try:
        yield
    finally:
        _forced.engine = before
