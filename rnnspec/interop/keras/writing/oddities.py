"""What single classes of layers ask for when they are written, beside the tables of arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rnnspec.config.sequence import RecurrentConfig
from rnnspec.interop.keras.slope import OLD
from rnnspec.interop.keras.writing.pieces import Piece
from rnnspec.nn.dropout import drops

if TYPE_CHECKING:
    from rnnspec.interop.keras.writing.layers import LayerWriter

__all__ = ["ODDITIES"]

TAKE_MASKS = ("Bidirectional", "TimeDistributed", "GlobalAveragePooling1D", "Softmax", "Sequential", "graph")
"""Layers that compute otherwise with a mask in Keras 3, beside the recurrent ones."""

Oddity = Callable[["LayerWriter", Piece, Any, dict[str, Any]], "str | None"]
"""Changes what was written of a config; returns another class, or None."""


def _recurrent(writer: LayerWriter, piece: Piece, config: Any, found: dict[str, Any]) -> None:
    """What Keras 3 has no word for: trainable initial states, another start under a mask, another order of masks."""
    if config.initial_state == "trainable":
        hint = "give the states to each call in a graph, or set initial_state to 'zeros'"
        writer.refusals.add(piece, "Keras has no trainable initial states", hint)
    if config.implementation == 2 and (drops(config.dropout) or drops(config.recurrent_dropout)):
        masks = "one dropout mask for all gates; Keras draws one a gate in training since 3.8"
        writer.report.leave_out(f"{piece.label}: implementation=2, {masks}")
    if config.stateful:
        writer.report.leave_out(f"{piece.label}: the states that it carries, which no file of Keras holds")
    if not piece.masked:
        return
    if config.unroll:
        found["unroll"] = False
        same = "with the same numbers: Keras 3 on torch cannot call an unrolled layer with a mask"
        writer.report.change(f"{piece.label}: written without unroll, {same}")
    if config.masked_start == "state" and not config.unroll and (config.stateful or piece.given_states):
        hint = "set masked_start to 'zeros', if a sequence never starts with a masked step or that is what you want"
        reason = "a masked step before the first valid one emits the initial state here, and zeros in Keras 3"
        writer.refusals.add(piece, reason, hint)
    turned = config.go_backwards and config.return_sequences and not config.keras_mask_order
    if turned and piece.config is config and piece.mask_seen:
        hint = "set keras_mask_order to True, if that is what you want"
        reason = "its mask is turned around with its outputs here, and stays as it is in Keras"
        writer.refusals.add(piece, reason, hint)


def _bidirectional(writer: LayerWriter, piece: Piece, config: Any, found: dict[str, Any]) -> None:
    """Keras 3 writes both directions; they emit zeros at masked steps."""
    inner = config.inner
    if piece.masked and piece.steps_seen and inner.return_sequences and not inner.zero_output_for_mask:
        hint = "set zero_output_for_mask to True on the layer inside, if that is what you want"
        reason = "masked steps emit the output before them here, and zeros in Keras 3; what comes after them sees it"
        writer.refusals.add(piece, reason, hint)
    forward = found["layer"]
    if not forward:
        return
    name = forward["config"]["name"].removeprefix("forward_")
    settings = {"zero_output_for_mask": inner.return_sequences}
    directions = {"layer": ("forward", inner.go_backwards), "backward_layer": ("backward", not inner.go_backwards)}
    for key, (direction, backwards) in directions.items():
        own = {"name": f"{direction}_{name}", "go_backwards": backwards, **settings}
        found[key] = {**forward, "config": {**forward["config"], **own}}


def _cell(writer: LayerWriter, piece: Piece, config: Any, found: dict[str, Any]) -> str | None:
    """RNN of a cell of the house is the layer of that name."""
    hint = "use LSTM, GRU or SimpleRNN"
    writer.refusals.add(piece, f"the layer RNN with the cell {config.cell.identifier} is not written", hint)
    return None


def _time_distributed(writer: LayerWriter, piece: Piece, config: Any, found: dict[str, Any]) -> None:
    """Keras 3 gives the layer inside the mask of its step, where that takes any."""
    inner = config.inner
    if piece.masked and (inner.takes_several or inner.identifier in TAKE_MASKS or isinstance(inner, RecurrentConfig)):
        reason = f"Keras 3 gives the {inner.identifier} inside a mask, which it does not get here"
        writer.refusals.add(piece, reason, "put an Unmasking before it")


def _activation(writer: LayerWriter, piece: Piece, config: Any, found: dict[str, Any]) -> None:
    """The old hard_sigmoid alone: there are no weights to scale, a Rescaling before it does so."""
    if config.activation != OLD:
        return
    if piece.config is not config:
        reason = f"an Activation '{OLD}' inside a wrapper would need a Rescaling before it there"
        writer.refusals.add(piece, reason, "use the Activation alone, it acts on every step too")
        return
    piece.slopes.append("activation")


def _softmax(writer: LayerWriter, piece: Piece, config: Any, found: dict[str, Any]) -> str | None:
    """Keras 3's layer adds a mask that reaches it to its input."""
    found["axis"] = config.axis
    if not piece.masked:
        return None
    if config.axis != -1:
        writer.refusals.add(piece, "Keras 3's Softmax acts on the mask that reaches it", "put an Unmasking before it")
    del found["axis"]
    found["activation"] = "softmax"
    writer.report.change(f"{piece.label}: written as an Activation, as Keras 3's Softmax acts on masks")
    return "Activation"


def _unmasking(writer: LayerWriter, piece: Piece, config: Any, found: dict[str, Any]) -> str | None:
    """Keras has no such layer, but others that change nothing and end a mask."""
    found["dims"] = list(range(1, len(piece.shape)))
    writer.report.change(f"{piece.label}: written as a Permute that changes nothing, where Keras 3 drops a mask")
    return "Permute"


def _average(writer: LayerWriter, piece: Piece, config: Any, found: dict[str, Any]) -> None:
    """A mean that reaches over an end."""
    if config.padding == "same" and config.pool_size > 1:
        writer.report.leave_out(
            f"{piece.label}: a mean that reaches over an end counts the steps that are there, as Keras 3 does on "
            "TensorFlow and JAX; on torch it counts the added ones too where they are uneven"
        )


def _batch_normalization(writer: LayerWriter, piece: Piece, config: Any, found: dict[str, Any]) -> None:
    """Statistics in training."""
    if piece.masked:
        writer.report.leave_out(
            f"{piece.label}: Keras 3 leaves masked steps out of the statistics in training, which count here"
        )


def _merge(writer: LayerWriter, piece: Piece, config: Any, found: dict[str, Any]) -> None:
    """Masks of several inputs: where one of them is valid, in Keras 3; it leaves masked numbers out of some merges."""
    numbers = config.identifier in ("Multiply", "Maximum", "Minimum") and piece.steps_seen
    if piece.masked and config.mask_rule == "all" and (piece.mask_seen or numbers) and config.identifier != "Dot":
        hint = "set mask_rule to 'any', if that is what you want"
        reason = "a step is valid here where it is in all masked inputs, and in Keras 3 where it is in one of all"
        writer.refusals.add(piece, reason, hint)


def _refused(reason: str, hint: str) -> Oddity:
    """A class that cannot be written."""

    def refuse(writer: LayerWriter, piece: Piece, config: Any, found: dict[str, Any]) -> None:
        writer.refusals.add(piece, reason, hint)

    return refuse


ODDITIES: Mapping[str, tuple[Oddity, ...]] = {
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), (_recurrent,)),
    "RNN": (_cell,),
    "Bidirectional": (_bidirectional,),
    "TimeDistributed": (_time_distributed,),
    "Activation": (_activation,),
    "Softmax": (_softmax,),
    "Unmasking": (_unmasking,),
    "AveragePooling1D": (_average,),
    "BatchNormalization": (_batch_normalization,),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"), (_merge,)),
    "Lambda": (_refused("Keras would need the code of its function", "use a layer that Keras knows"),),
}
"""What single classes ask for, by our names."""
