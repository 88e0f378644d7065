"""Layers as they lie in a file: each with its configuration and the groups of its weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from rnnspec.config.sequence import RecurrentConfig
from rnnspec.config.wrappers import BidirectionalConfig, WrapperConfig
from rnnspec.interop.keras.stored import snake_case
from rnnspec.interop.keras.writing.pieces import Piece
from rnnspec.interop.keras.writing.report import WritingReport

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Block", "Group", "Names", "groups_of", "model_block"]


@dataclass
class Group:
    """What is stored of a layer, or of a part of one.

    Attributes:
        path: Its path in the HDF5 file, or in its layer: `cell`; empty for the layer itself.
        name: The layer's name.
        arrays: Its weights, in Keras's order.
    """

    path: str
    name: str
    arrays: Sequence[npt.NDArray[Any]] = ()

    def under(self, path: str) -> Group:
        """The same group at another place."""
        return replace(self, path=f"{path}/{self.path}" if self.path else path)


@dataclass
class Block:
    """A layer or a model in the words of Keras 3.

    Attributes:
        name: Its name.
        entry: Its `class_name` and `config`.
        groups: Its weights, with paths from itself on.
    """

    name: str
    entry: dict[str, Any]
    groups: list[Group] = field(default_factory=list)


def model_block(piece: Piece, entry: dict[str, Any], blocks: Sequence[Block]) -> Block:
    """A model of layers that are written.

    Args:
        piece: The model.
        entry: Its configuration, without what all models have.
        blocks: Its layers, in Keras's order.

    Returns:
        The model.
    """
    entry["config"] = {"name": piece.name, "trainable": piece.config.trainable, **entry["config"]}
    return Block(piece.name, entry, [Group("", piece.name), *_placed(blocks)])


def _placed(blocks: Iterable[Block]) -> Iterator[Group]:
    """The groups of a model's layers, which are numbered by class: `lstm`, `lstm_1`."""
    seen: dict[str, int] = {}
    for block in blocks:
        stem = snake_case(block.entry["class_name"])
        number = seen[stem] = seen.get(stem, -1) + 1
        yield from (group.under(f"layers/{stem}_{number}" if number else f"layers/{stem}") for group in block.groups)


def groups_of(config: Any, name: str, weights: Sequence[Any]) -> Iterator[Group]:
    """The groups of one layer: its own, its cell's, or those of the layers inside.

    Args:
        config: Its config.
        name: Its name.
        weights: Its weights; those of both directions one after another.

    Yields:
        The groups, with paths from the layer on.
    """
    if isinstance(config, RecurrentConfig):
        yield from (Group("", name), Group("cell", f"{snake_case(config.identifier)}_cell", weights))
    elif isinstance(config, WrapperConfig):
        yield Group("", name)
        half = len(weights) // 2
        inside = {"layer": weights}
        if isinstance(config, BidirectionalConfig):
            inside = {"forward_layer": weights[:half], "backward_layer": weights[half:]}
        for path, share in inside.items():
            yield from (group.under(path) for group in groups_of(config.inner, f"{path}_of_{name}", share))
    else:
        yield Group("", name, weights)


class Names:
    """Gives every layer of a model a name of its own, without what Keras forbids.

    Args:
        report: Where other names are noted.
    """

    def __init__(self, report: WritingReport) -> None:
        self.report = report
        self.taken: set[str] = set()

    def free(self, name: str) -> str:
        """The name, or one with a number that nothing has.

        Args:
            name: What is wanted.

        Returns:
            What is taken now.
        """
        name = name.replace("/", "_")
        found = (
            name
            if name not in self.taken
            else next(numbered for number in count(1) if (numbered := f"{name}_{number}") not in self.taken)
        )
        self.taken.add(found)
        return found

    def give(self, piece: Piece) -> None:
        """Gives a layer its name in the file.

        Args:
            piece: The layer.
        """
        found = self.free(piece.name)
        if piece.config.name not in (None, found):
            self.report.change(f"{piece.label} is called '{found}' there")
        piece.name = found
        piece.place = (*piece.place, found)
