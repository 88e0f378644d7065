"""A graph of ours in the words of Keras 3: what every call takes, and the order in which Keras keeps layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnspec.config.checks import Reference
from rnnspec.config.core import InputConfig
from rnnspec.config.graph import GraphConfig
from rnnspec.config.graph_shapes import Flow, flow
from rnnspec.config.wiring import Wiring
from rnnspec.interop.keras.writing.blocks import Block, Names, model_block
from rnnspec.interop.keras.writing.inputs import given_to
from rnnspec.interop.keras.writing.mask_tensors import MaskTensors, Operation
from rnnspec.interop.keras.writing.masks import look_ahead
from rnnspec.interop.keras.writing.objects import keras_object
from rnnspec.interop.keras.writing.pieces import Piece
from rnnspec.interop.keras.writing.report import WritingReport

__all__ = ["GraphWriter"]

Calls = Mapping[str, Sequence[Sequence[Reference]]]
"""For every layer its calls, each with the tensors that it takes; an input has one that takes nothing."""


class GraphWriter:
    """Writes one graph.

    Args:
        piece: The graph.
        report: Where changes are noted.
        write: Writes a layer: one block, and one that stands before it where that is needed.
    """

    def __init__(self, piece: Piece, report: WritingReport, write: Callable[[Piece, Names], list[Block]]) -> None:
        self.piece = piece
        self.write = write
        self.config: GraphConfig = piece.config
        self.wiring = self.config.wiring
        self.sources = {(call.name, call.node): call.sources for call in self.wiring.calls}
        self.idle = set(_idle_unmaskings(self.config))
        self.names = Names(report)
        self.masks = MaskTensors(self.names)
        self.shapes = piece.shape if len(self.wiring.inputs) > 1 else [piece.shape]
        self.renamed: dict[str, str] = {}
        self.blocks: dict[str, Block] = {}
        self.calls: dict[str, list[list[Reference]]] = {}
        self.tensors: dict[str, tuple[str, Mapping[int, Any]]] = {}

    def block(self) -> Block:
        """Writes it.

        Returns:
            The graph; empty where a layer was refused.

        Raises:
            ShapeError: If its layers do not fit.
        """
        seen = flow(self.config, self.shapes, [self.piece.masked] * len(self.shapes))
        if seen.error is not None:
            raise seen.error
        pieces = self._pieces(seen)
        _look_around(pieces, self.wiring, seen, self.piece)
        self._name(pieces, seen)
        for name, piece in pieces.items():
            self._add(piece, [self._call(piece, name, number) for number in range(self._count(name))])
        if any(self.renamed[name] not in self.blocks for name in pieces):
            return Block(self.piece.name, {})
        outputs = [self._source(source) for source in self.wiring.outputs]
        # Here Keras counts the making of a graph inside as its first call.
        models = [piece.name for piece in pieces.values() if isinstance(piece.config, GraphConfig)]
        operations = {name: [list(one.sources)] for name, one in self.masks.operations.items()}
        order = _in_keras_order({**self.calls, **operations}, outputs)
        blocks = [self.blocks[name] for name in order if name in self.blocks]
        arguments = {
            "layers": [block.entry for block in blocks],
            "input_layers": _ends([Reference(self.renamed[name]) for name in self.wiring.inputs]),
            "output_layers": _ends(
                [Reference(name, number + (name in models), which) for name, number, which in outputs]
            ),
        }
        return model_block(self.piece, keras_object("keras.src.models.functional", "Functional", arguments), blocks)

    def _count(self, name: str) -> int:
        return sum(1 for other, _ in self.sources if other == name)

    def _pieces(self, seen: Flow) -> dict[str, Piece]:
        """The layers by our names, in the order in which they are called first."""
        modules = dict(self.piece.module.named_children())
        found = {}
        for call in self.wiring.calls:
            config = self.config.stack[call.layer]
            if call.name not in found and call.name not in self.idle and not isinstance(config, InputConfig):
                piece = Piece(config, modules[call.name], call.name, self.piece.place)
                piece.shape = seen.inputs.get(call.layer)
                found[call.name] = piece
        return found

    def _name(self, pieces: Mapping[str, Piece], seen: Flow) -> None:
        """Writes the inputs and gives all layers their names in the file."""
        for position, (name, shape) in enumerate(zip(self.wiring.inputs, self.shapes, strict=True)):
            given, found = given_to(self.config, shape, position), self.names.free(name)
            self.blocks[found], self.calls[found] = Block(found, given.layer(found)), [[]]
            self.blocks[found].entry |= {"name": found, "inbound_nodes": []}
            self.renamed[name] = found
            self.tensors[found] = given.dtype, {0: (shape,)}
        for name, piece in pieces.items():
            self.names.give(piece)
            self.renamed[name] = piece.name
            shapes = {number: seen.shapes[name, number] for number in range(self._count(name))}
            self.tensors[piece.name] = getattr(piece.config, "dtype", "float32"), shapes

    def _source(self, source: Reference) -> Reference:
        """A tensor by the names in the file; Unmasking layers that Keras does without are passed over."""
        name, number, which = source
        if name in self.idle:
            return self._source(self.sources[name, number][0])
        return Reference(self.renamed[name], number, which)

    def _call(self, piece: Piece, name: str, number: int) -> _Call:
        """One call of a layer."""
        sources = [self._source(source) for source in self.sources[name, number]]
        mask = self.masks.call(piece.config, (piece.name, number), sources)
        several = bool(piece.config.takes_several)
        states = not several and len(sources) > 1
        if mask is not None and states:  # Keras finds masks itself, but beside initial states
            for operation in self.masks.needed(mask):
                node = _node([self._tensor(source) for source in operation.sources], operation)
                entry = {**operation.entry(), "name": operation.name, "inbound_nodes": [node]}
                self.blocks[operation.name] = Block(operation.name, entry)
        return _Call(sources, None if mask is None else Reference(mask), several)

    def _add(self, piece: Piece, calls: list[_Call]) -> None:
        """Writes a layer; what stands before it takes what it took, call by call."""
        for block in self.write(piece, self.names):
            block.entry |= {"name": block.name, "inbound_nodes": [self._written(call) for call in calls]}
            self.blocks[block.name] = block
            self.calls[block.name] = [[*call.sources, *([call.mask] if call.mask else [])] for call in calls]
            self.tensors.setdefault(block.name, self.tensors[piece.name])
            calls = [_Call([Reference(block.name, number)], None, several=False) for number in range(len(calls))]

    def _written(self, call: _Call) -> dict[str, Any]:
        """A call in Keras's words: the inputs, or the input, the initial states and the mask."""
        tensors = [self._tensor(source) for source in call.sources]
        if call.several:
            return {"args": [tensors], "kwargs": {}}
        options: dict[str, Any] = {"initial_state": tensors[1:]} if tensors[1:] else {}
        if options and call.mask is not None:
            options["mask"] = self._tensor(call.mask)
        return {"args": tensors[:1], "kwargs": options}

    def _tensor(self, source: Reference) -> dict[str, Any]:
        name, number, which = source
        dtype, shapes = self.tensors.get(name, ("bool", {}))
        outputs = shapes.get(number) or ()
        shape = outputs[which] if which < len(outputs) else None
        config = {"shape": [None] if shape is None else list(shape), "dtype": dtype, "keras_history": list(source)}
        return {"class_name": "__keras_tensor__", "config": config}


@dataclass
class _Call:
    """One call: what a layer takes, the mask that reaches it, and whether all that it takes are its inputs."""

    sources: list[Reference]
    mask: Reference | None
    several: bool


def _node(tensors: list[dict[str, Any]], operation: Operation) -> dict[str, Any]:
    """The call of an operation."""
    joined = operation.class_name == "Concatenate"
    return {"args": [tensors] if joined else [*tensors, *operation.numbers], "kwargs": {}}


def _idle_unmaskings(config: GraphConfig) -> Iterator[str]:
    """Unmasking layers that Keras does without: it drops masks itself before layers that cannot take one."""
    for name, layer in zip(config.wiring.names, config.stack, strict=True):
        takers = [
            (config.stack[call.layer], place)
            for call in config.wiring.calls
            for place, source in enumerate(call.sources)
            if source[0] == name
        ]
        if layer.identifier == "Unmasking" and all(
            not taker.supports_masking or (place > 0 and not taker.takes_several) for taker, place in takers
        ):
            yield name


def _look_around(pieces: Mapping[str, Piece], wiring: Wiring, seen: Flow, outer: Piece) -> None:
    """Notes for every layer which masks and states reach it, and who sees what it gives."""
    index = {name: number for number, name in enumerate(pieces)}
    after: list[list[int]] = [[] for _ in pieces]
    for call in wiring.calls:
        piece = pieces.get(call.name)
        if piece is None:
            continue
        inputs = call.sources if piece.config.takes_several else call.sources[:1]
        piece.masked = piece.masked or any(seen.mask(source) is not False for source in inputs)
        piece.given_states = piece.given_states or len(call.sources) > len(inputs)
        for name, _, _ in call.sources:
            if name in index:
                after[index[name]].append(index[call.name])
    last = {index[name] for name, _, _ in wiring.outputs if name in index}
    look_ahead(list(pieces.values()), after, last, outer)


def _ends(references: Sequence[Reference]) -> list[Any]:
    """The inputs or outputs; a single one stands alone, so that the model takes or gives no list."""
    found = [list(reference) for reference in references]
    return found[0] if len(found) == 1 else found


def _in_keras_order(calls: Calls, outputs: Sequence[Reference]) -> list[str]:
    """The layers in the order in which Keras keeps them, which decides the numbers of their groups.

    Keras sorts them by their longest way to an output, and those of equal depth by when it meets them from there.
    """
    sorted_calls, met = _walked(calls, outputs)
    depths: dict[tuple[str, int], int] = {}
    layer_depths: dict[str, int] = {}
    for call in reversed(sorted_calls):
        depth = max(depths.get(call, 0), layer_depths.get(call[0], 0))
        depths[call] = layer_depths[call[0]] = depth
        for name, number, _ in calls[call[0]][call[1]]:
            depths[name, number] = max(depth + 1, depths.get((name, number), 0))
    return sorted(layer_depths, key=lambda name: (-layer_depths[name], met[name]))


def _walked(calls: Calls, outputs: Sequence[Reference]) -> tuple[list[tuple[str, int]], dict[str, int]]:
    """All calls, each after those whose outputs it takes, and when each layer was met on the way."""
    found: dict[tuple[str, int], None] = {}
    met: dict[str, int] = {}
    for output in outputs:
        waiting = [output[:2]]
        while waiting:
            name, number = waiting[-1]
            met.setdefault(name, len(met))
            missing = next((source[:2] for source in calls[name][number] if source[:2] not in found), None)
            if missing is None:
                found.setdefault(waiting.pop())
            else:
                waiting.append(missing)
    return list(found), met
