"""A layer or a model that is to be written: its config, its module, and what reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rnnspec.config.base import Config
from rnnspec.errors import ConfigError, Problem

__all__ = ["Piece", "Refusals"]


@dataclass
class Piece:
    """A layer or a model.

    Attributes:
        config: Its config.
        module: Its module.
        name: Its name in the file.
        place: The names of the models around it, from the outside in, and its own.
        shape: The shape of its input; several for a graph with several inputs; None where not known.
        masked: Whether a mask reaches it.
        given_states: Whether a call gives it initial states.
        mask_seen: Whether anything after it uses the mask that leaves it.
        steps_seen: Whether anything after it, the model's output among that, sees its outputs at masked steps.
        slopes: The activations that are the old hard_sigmoid, and are written as Keras 3's with scaled weights.
    """

    config: Any
    module: Any
    name: str
    place: tuple[str, ...] = ()
    shape: Any = None
    masked: bool = False
    given_states: bool = False
    mask_seen: bool = False
    steps_seen: bool = False
    slopes: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What messages call it: `LSTM 'lstm_1'`."""
        return f"{self.config.identifier} '{self.name}'"

    @property
    def inner(self) -> Any:
        """The config of the layer that computes: that inside a wrapper, else its own."""
        config: Config = self.config
        while getattr(config, "inner", None) is not None:
            config = config.inner  # type: ignore[attr-defined]
        return config


class Refusals:
    """Collects what cannot be said in Keras 3, to raise all of it at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, piece: Piece, reason: str, hint: str | None = None) -> None:
        """Adds a reason why a layer cannot be written."""
        self.problems.append(Problem(f"to_keras: {piece.label}: {reason}", hint=hint))

    def raise_all(self) -> None:
        """Raises what was collected.

        Raises:
            ConfigError: If there is anything.
        """
        if self.problems:
            raise ConfigError(*self.problems)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.problems)
