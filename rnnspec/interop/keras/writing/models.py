"""A model's config and its module become a configuration of Keras 3 and groups of weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rnnspec.config.core import InputConfig, MaskingConfig
from rnnspec.config.graph import GraphConfig
from rnnspec.config.inference import infer
from rnnspec.config.model import SequentialConfig
from rnnspec.config.normalization import RescalingConfig
from rnnspec.config.wrappers import WrapperConfig
from rnnspec.interop.keras.slope import SLOPE, scaled
from rnnspec.interop.keras.writing.blocks import Block, Group, Names, groups_of, model_block
from rnnspec.interop.keras.writing.graphs import GraphWriter
from rnnspec.interop.keras.writing.inputs import Given, given_to
from rnnspec.interop.keras.writing.layers import LayerWriter
from rnnspec.interop.keras.writing.masks import follow
from rnnspec.interop.keras.writing.objects import keras_object
from rnnspec.interop.keras.writing.pieces import Piece, Refusals
from rnnspec.interop.keras.writing.report import WritingReport
from rnnspec.nn import Rescaling

__all__ = ["ModelWriter", "Written"]


@dataclass
class Written:
    """What is stored of a model.

    Attributes:
        entry: Its `class_name` and `config`.
        groups: Its weights.
        inputs: Its inputs.
        marks: The layers whose weights are scaled, and the activations that it is for.
        mask_value: What masks a step of the input; None where nothing does.
    """

    entry: dict[str, Any]
    groups: list[Group]
    inputs: list[Given]
    marks: dict[str, list[str]] = field(default_factory=dict)
    mask_value: float | None = None


class ModelWriter:
    """Writes models.

    Args:
        report: Where changes and losses are noted.
    """

    def __init__(self, report: WritingReport) -> None:
        self.report = report
        self.refusals = Refusals()
        self.layers = LayerWriter(report, self.refusals)
        self.marks: dict[str, list[str]] = {}

    def model(self, config: Any, module: Any) -> Written:
        """Writes a whole model.

        Args:
            config: Its config.
            module: The module; a layer alone becomes a model of one.

        Returns:
            What is to be stored.

        Raises:
            ConfigError: If anything in it cannot be said in Keras 3; all reasons are named.
            ShapeError: If the shape of an input is not known.
            WeightsError: If a layer has no weights yet.
        """
        if not isinstance(config, (SequentialConfig, GraphConfig)):
            config, module = SequentialConfig([config]), [module]
        inference = infer(config, required=True)
        inference.raise_error()
        shapes: Any = (inference.input_shape,) if inference.inputs is None else inference.inputs
        piece = Piece(config, module, config.name or "model", steps_seen=True)
        piece.shape = shapes if len(shapes) > 1 else shapes[0]
        block = self._model(piece)
        self.refusals.raise_all()
        inputs = [given_to(config, shape, position) for position, shape in enumerate(shapes)]
        first = next((layer for layer in config.stack if not isinstance(layer, InputConfig)), None)
        mask_value = first.mask_value if isinstance(first, MaskingConfig) else None
        return Written(block.entry, block.groups, inputs, self.marks, mask_value)

    def _model(self, piece: Piece) -> Block:
        if isinstance(piece.config, GraphConfig):
            return GraphWriter(piece, self.report, self._blocks).block()
        return self._sequential(piece)

    def _sequential(self, piece: Piece) -> Block:
        """A stack of layers."""
        inference = infer(piece.config, piece.shape, required=True)
        inference.raise_error()
        names = Names(self.report)
        pieces = [
            Piece(layer.config, module, layer.name, piece.place, shape=layer.input_shape)
            for layer, module in zip(inference.layers, piece.module, strict=True)
            if not isinstance(layer.config, InputConfig)
        ]
        # Keras drops a mask itself before a layer that cannot take one.
        pieces = [piece for piece, after in zip(pieces, [*pieces[1:], None], strict=True) if not _idle(piece, after)]
        for inside in pieces:
            names.give(inside)
        follow(pieces, piece)
        given = given_to(piece.config, piece.shape)
        blocks = [block for inside in pieces for block in self._blocks(inside, names)]
        entries = [given.layer(names.free("input_layer")), *(block.entry for block in blocks)]
        arguments = {"layers": entries, "build_input_shape": list(piece.shape)}
        return model_block(piece, keras_object("keras", "Sequential", arguments), blocks)

    def _blocks(self, piece: Piece, names: Names) -> list[Block]:
        """Writes a layer, after what has to stand before it."""
        if isinstance(piece.config, (SequentialConfig, GraphConfig)):
            block = self._model(piece)
            return [block] if block.entry else []
        refused = len(self.refusals.problems)
        inside = self._model_at_every_step(piece)
        if inside is not None and not inside.entry:
            return []
        entry = self.layers.layer(piece, inside.entry if inside else None)
        if len(self.refusals.problems) > refused:
            return []
        if inside is not None:
            groups = [Group("", piece.name), *(group.under("layer") for group in inside.groups)]
            return [Block(piece.name, entry, groups)]
        before: list[Block] = []
        weights = piece.module.get_weights()
        if piece.slopes:
            self.marks["/".join(piece.place)] = piece.slopes
            if piece.config.identifier == "Activation":
                config = RescalingConfig(SLOPE, name=names.free(f"{piece.name}_input"), dtype=piece.config.dtype)
                before = self._blocks(Piece(config, Rescaling(SLOPE), str(config.name)), names)
            else:
                weights = scaled(piece.inner.identifier, piece.slopes, weights, SLOPE)
        return [*before, Block(piece.name, entry, list(groups_of(piece.config, piece.name, weights)))]

    def _model_at_every_step(self, piece: Piece) -> Block | None:
        """The model inside a TimeDistributed; None for another layer."""
        config = piece.config
        if not isinstance(config, WrapperConfig) or not isinstance(config.inner, (SequentialConfig, GraphConfig)):
            return None
        inner = Piece(config.inner, piece.module.layer, config.inner.name or f"{piece.name}_layer", piece.place)
        inner.place, inner.steps_seen = (*piece.place, inner.name), True
        inner.shape = (piece.shape[0], *piece.shape[2:])
        return self._model(inner)


def _idle(piece: Piece, after: Piece | None) -> bool:
    """Whether it is an Unmasking that Keras does without."""
    return piece.config.identifier == "Unmasking" and (after is None or not after.config.supports_masking)
