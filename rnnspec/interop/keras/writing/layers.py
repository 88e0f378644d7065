"""One layer's config becomes its configuration in Keras 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import fields

from rnnspec.config.layer import BASE_ARGUMENTS
from rnnspec.config.tags import Registered
from rnnspec.config.wrappers import WrapperConfig
from rnnspec.interop.keras.slope import COLUMNS, OLD, SLOPE
from rnnspec.interop.keras.writing.objects import activation, keras_object, written_object
from rnnspec.interop.keras.writing.oddities import ODDITIES
from rnnspec.interop.keras.writing.pieces import Piece, Refusals
from rnnspec.interop.keras.writing.report import WritingReport
from rnnspec.nn.dropout import drops

__all__ = ["LayerWriter"]

CLASSES: Mapping[str, str] = {"ThresholdedReLU": "ReLU"}
RENAMED: Mapping[str, Mapping[str, str]] = {
    "LeakyReLU": {"alpha": "negative_slope"},
    "ThresholdedReLU": {"theta": "threshold"},
}
"""Classes and arguments that have another name in Keras 3."""

WITHOUT = {
    "checkpoint_every",
    "implementation",
    "initial_state",
    "input_dim",
    "input_length",
    "keras_mask_order",
    "mask_rule",
    "masked_start",
}
"""Arguments that Keras 3 has not; where one makes a difference, an oddity of the class says so."""

KEPT = {("Embedding", "input_dim")}
"""Arguments that one class has nevertheless."""

SAME_ELSEWHERE = {("SpatialDropout1D", "noise_shape"), ("Softmax", "axis")}
"""Arguments that say nothing, or that an oddity writes."""

NEVER_TRAINED = ("SpatialDropout1D",)
"""Layers whose class in Keras 3 does not take `trainable`."""

RATES = ("rate", "dropout", "recurrent_dropout")
WITH_COLUMNS = ("kernel", "recurrent", "bias")


class LayerWriter:
    """Writes layers.

    Args:
        report: Where changes and losses are noted.
        refusals: Where what cannot be said is collected.
    """

    def __init__(self, report: WritingReport, refusals: Refusals) -> None:
        self.report = report
        self.refusals = refusals

    def layer(self, piece: Piece, inside: dict[str, Any] | None = None) -> dict[str, Any]:
        """Writes one layer that is no model.

        Args:
            piece: The layer; the activations that are written with scaled weights are noted in it.
            inside: The model inside it, if there is one.

        Returns:
            Its `class_name` and `config`, as a file of Keras 3 has them.
        """
        entry = self._entry(piece, piece.config, piece.name, inside)
        if piece.slopes:
            self._note_slopes(piece)
        return entry

    def _entry(self, piece: Piece, config: Any, name: str, inside: dict[str, Any] | None = None) -> dict[str, Any]:
        if isinstance(config, Registered):
            hint = "give Keras a class of its own that computes the same, and load the weights there"
            self.refusals.add(piece, "Keras does not know what a user registered", hint)
            return {}
        tag = config.identifier
        found: dict[str, Any] = {"name": name, "dtype": config.dtype}
        if tag not in NEVER_TRAINED:
            found["trainable"] = config.trainable
        for attribute in fields(type(config)):
            key = attribute.name
            own = key not in BASE_ARGUMENTS and key not in WITHOUT and (tag, key) not in SAME_ELSEWHERE
            if (own or (tag, key) in KEPT) and not (isinstance(config, WrapperConfig) and key == "layer"):
                renamed = RENAMED.get(tag, {}).get(key, key)
                found[renamed] = self._argument(piece, config, key, getattr(config, key))
        if isinstance(config, WrapperConfig):
            found["layer"] = inside or self._entry(piece, config.inner, config.inner.name or f"{name}_layer")
        class_name = CLASSES.get(tag, tag)
        for oddity in ODDITIES.get(tag, ()):
            class_name = oddity(self, piece, config, found) or class_name
        return keras_object("keras.layers", class_name, found)

    def _argument(self, piece: Piece, config: Any, key: str, value: Any) -> Any:
        """One argument in Keras's words."""
        kind = key.rpartition("_")[2]
        if kind == "activation":
            return self._activation(piece, config, key, value)
        if kind in ("initializer", "regularizer", "constraint") and value is not None:
            written = written_object(value, kind)
            if written is None:
                what = "weights that are drawn anew" if kind == "initializer" else "training"
                self.report.leave_out(f"{piece.label}: {key}, which a user registered; it only matters for {what}")
            elif key == "activity_regularizer":
                self.report.leave_out(
                    f"{piece.label}: Keras 3 divides the loss of {key} by the batch size, in training"
                )
            return written
        if key in RATES and value and not drops(value):
            self.report.change(f"{piece.label}: {key}={value} drops nothing, it is written as 0")
            return 0.0
        return list(value) if isinstance(value, tuple) else value

    def _activation(self, piece: Piece, config: Any, key: str, value: str | None) -> str | None:
        written = activation(value)
        if written is None:
            hint = "register a function of the same name in Keras, and use a name that Keras knows here"
            self.refusals.add(piece, f"Keras does not know the activation '{value}', which a user registered", hint)
        if value != OLD or config.identifier == "Activation":
            return written
        if key in COLUMNS[config.identifier][1]:
            piece.slopes.append(key)
        else:
            hint = "Keras 3's function of that name is hard_sigmoid_keras3 here; it has another slope"
            reason = f"{key}='{OLD}' acts on the cell state too, before which no weight stands that could be scaled"
            self.refusals.add(piece, reason, hint)
        return written

    def _note_slopes(self, piece: Piece) -> None:
        """Tells that weights are scaled, and what acts on them."""
        inner, names = piece.inner, " and ".join(piece.slopes)
        said = f"{piece.label}: {names}: clip(0.2 x + 0.5, 0, 1) is Keras 3's hard_sigmoid of 1.2 x, so "
        if piece.config.identifier == "Activation":
            self.report.change(f"{said}a Rescaling({SLOPE}) stands before it")
            return
        blocks, known = COLUMNS[inner.identifier]
        columns = sum(len(known[name]) for name in piece.slopes)
        part = "the weights" if columns == blocks else f"{columns} of {blocks} blocks of columns of the weights"
        self.report.change(f"{said}{part} are written {SLOPE} times as large")
        acting = [
            attribute.name
            for attribute in fields(type(inner))
            if attribute.name.partition("_")[0] in WITH_COLUMNS
            and attribute.name.rpartition("_")[2] in ("regularizer", "constraint")
            and getattr(inner, attribute.name) is not None
        ]
        if acting:
            self.report.leave_out(
                f"{piece.label}: {', '.join(acting)} acts on scaled weights if training goes on in Keras"
            )
