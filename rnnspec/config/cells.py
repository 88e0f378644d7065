"""Cells for the `RNN` layer: `cell: LSTM`, `cell: {GRU: {reset_after: true}}`, `cell: MyCell`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from attrs import frozen

from rnnspec.config.activations import ActivationName
from rnnspec.config.base import TaggedConfig
from rnnspec.config.tags import Registered, tagged
from rnnspec.registry import CELLS, Registry

__all__ = ["CellConfig", "CellLike", "GRUCellConfig", "LSTMCellConfig", "RegisteredCellConfig", "SimpleRNNCellConfig"]


class CellConfig(TaggedConfig):
    """The base of all cells."""

    expected: ClassVar[str] = "a cell"
    registry: ClassVar[Registry] = CELLS

    @classmethod
    def find(cls, name: str) -> type[TaggedConfig]:
        """The config class of a built-in cell: the registry names the cells themselves, which need torch."""
        cls.registry.require(name)
        return {"SimpleRNN": SimpleRNNCellConfig, "LSTM": LSTMCellConfig, "GRU": GRUCellConfig}[name]

    @classmethod
    def from_users_tag(cls, tag: str, arguments: Mapping[str, Any]) -> TaggedConfig:
        """Makes the config of a cell that a user registered."""
        return RegisteredCellConfig(tag, arguments)

    def output_size(self, units: int) -> int:
        """Width of the output of a layer of `units`."""
        return units


CellLike = Annotated[CellConfig | str | Mapping[str, Any], tagged(CellConfig)]


class RegisteredCellConfig(Registered, CellConfig):
    """A cell that a user registered with `rnnspec.register.cell`; see `Registered`."""

    def output_size(self, units: int) -> int:
        """Width of the output: what the cell says of its first state."""
        sizes: tuple[int, ...] = CELLS.find(self.tag)(**self.arguments).state_sizes(units)
        return sizes[0]


@frozen(slots=False, eq=False, repr=False)
class SimpleRNNCellConfig(CellConfig):
    """The cell of `SimpleRNNConfig`.

    Args:
        activation: Activation of the output (default `tanh`); None is linear.
    """

    identifier: ClassVar[str] = "SimpleRNN"

    activation: ActivationName = "tanh"


@frozen(slots=False, eq=False, repr=False)
class LSTMCellConfig(CellConfig):
    """The cell of `LSTMConfig`.

    Args:
        activation: Activation of candidate and output (default `tanh`); None is linear.
        recurrent_activation: Activation of the gates (default `hard_sigmoid`); None is linear.
    """

    identifier: ClassVar[str] = "LSTM"

    activation: ActivationName = "tanh"
    recurrent_activation: ActivationName = "hard_sigmoid"


@frozen(slots=False, eq=False, repr=False)
class GRUCellConfig(CellConfig):
    """The cell of `GRUConfig`.

    Args:
        activation: Activation of the candidate (default `tanh`); None is linear.
        recurrent_activation: Activation of the gates (default `hard_sigmoid`); None is linear.
        reset_after: Whether the reset acts after the matrix product, as in cuDNN.
    """

    identifier: ClassVar[str] = "GRU"

    activation: ActivationName = "tanh"
    recurrent_activation: ActivationName = "hard_sigmoid"
    reset_after: bool = False
