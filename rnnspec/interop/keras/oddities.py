"""What single classes of layers ask for when they are read, beside the tables of arguments: one function an oddity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rnnspec.errors import Key
from rnnspec.interop.keras.parts import GATES, Part
from rnnspec.registry import FUNCTIONS

if TYPE_CHECKING:
    from rnnspec.interop.keras.layers import LayerReader

__all__ = ["ODDITIES", "Keys"]

Keys = tuple[Key, ...]
Oddity = Callable[["LayerReader", Part, dict[str, Any], Keys], None]


def _recurrent(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    """Masks and absent arguments, which mean what they meant to the writer."""
    gates = ["recurrent_activation"] if part.tag != "SimpleRNN" else []
    for key in gates + (["reset_after"] if part.tag == "GRU" else []):
        if key not in config and not part.cudnn:
            config[key] = reader.dialect.absent(key)
            reader.report.default(f"{part.label}: {key} is {config[key]!r}")
    start = reader.dialect.masked_start
    if start is None and reader.masked:
        raise reader.dialect.ask(
            "what a masked first step emits", "the initial state up to Keras 2.2.4, zeros since; this model has masks"
        )
    part.arguments["masked_start"] = start or "state"
    if config.get("go_backwards") and config.get("return_sequences"):
        part.arguments["keras_mask_order"] = True
        reader.report.decide(f"{part.label}: its mask is not reversed with its outputs, as in Keras (keras_mask_order)")
    if reader.dialect.generation == 3 and (config.get("dropout") or config.get("recurrent_dropout")):
        config["implementation"] = reader.dialect.implementation
        reader.report.decide(f"{part.label}: dropout masks as with implementation {config['implementation']}")
    part.gate_by_gate = reader.dialect.generation == 1 and config.get("implementation") != 2  # consume_less: gpu
    if config.get("implementation", 0) not in (0, 1, 2):
        config.pop("implementation")
        reader.report.leave_out(f"{part.label}: the implementation, which is none that Keras has")


def _cudnn(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    """CuDNN layers are plain ones with sigmoid gates, the GRU with the reset after the product."""
    config["recurrent_activation"] = "sigmoid"
    if part.tag == "GRU":
        config["reset_after"] = True
    reader.report.decide(f"{part.label}: a {part.tag} with sigmoid gates{', reset_after' if part.tag == 'GRU' else ''}")


def _recurrent_of_cell(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    """RNN(LSTMCell(...)) is an LSTM, and so on."""
    cell = config.pop("cell", None)
    class_name, inner = reader.split(cell, (*keys, "config", "cell"))
    if class_name == "StackedRNNCells":
        _stacked(reader, part, config, inner, keys)
        return
    part.tag = class_name.removesuffix("Cell")
    if part.tag not in GATES or class_name == part.tag:
        message = f"{part.label}: there is no cell {class_name} here, expected LSTMCell, GRUCell or SimpleRNNCell"
        raise reader.refuse(message, (*keys, "config", "cell"))
    for key in ("name", "trainable", "dtype"):
        inner.pop(key, None)
    config.update(inner)
    _recurrent(reader, part, config, keys)


def _stacked(reader: LayerReader, part: Part, config: dict[str, Any], stack: Mapping[str, Any], keys: Keys) -> None:
    """RNN([LSTMCell(...), GRUCell(...)]) is an LSTM and a GRU one after the other."""
    if config.get("return_state") or (reader.masked and config.get("go_backwards")):
        what = "return_state" if config.get("return_state") else "go_backwards and masks"
        raise reader.refuse(f"{part.label}: stacked cells with {what} are not known here", (*keys, "config"))
    cells = stack.get("cells")
    place = (*keys, "config", "cell", "config", "cells")
    if not isinstance(cells, list) or not cells:
        raise reader.refuse(f"{part.label}: stacked cells are a list of cells", place)
    for index, cell in enumerate(cells):
        class_name, _ = reader.split(cell, (*place, index))
        shared = {**config, "return_sequences": index < len(cells) - 1 or config.get("return_sequences", False)}
        shared["go_backwards"] = config.get("go_backwards", False) and index == 0
        inner = reader.layer({"class_name": "RNN", "config": {**shared, "name": f"cell_{index}", "cell": cell}}, place)
        if inner.is_model:
            raise reader.refuse(f"{part.label}: stacked cells inside stacked cells are not known here", place)
        inner.keras_class, inner.arguments["name"] = class_name, inner.name
        part.inside.append(inner)
    if "batch_input_shape" in part.arguments:
        part.inside[0].arguments["batch_input_shape"] = part.arguments.pop("batch_input_shape")
    part.tag = "Sequential"
    config.clear()
    reader.report.decide(f"{part.label}: its stacked cells are layers one after the other")


def _wrapper(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    """The layer inside a wrapper."""
    inner = reader.part(config.pop("layer", None), (*keys, "config", "layer"))
    inner.trainable = inner.trainable and part.trainable
    part.inside = [inner]


def _bidirectional(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    """Keras 3 names the forward layer itself, and may write the backward one, which must be its twin."""
    _wrapper(reader, part, config, keys)
    inner = part.inside[0]
    if inner.tag not in GATES:
        raise reader.refuse(f"{part.label}: only around LSTM, GRU and SimpleRNN, found {inner.label}", keys)
    if reader.masked and inner.arguments.get("return_sequences") and reader.dialect.bidirectional_zeros:
        inner.arguments["zero_output_for_mask"] = True
        reader.report.decide(f"{part.label}: masked steps give zeros, as in tf.keras 2 and Keras 3")
    backward = config.pop("backward_layer", None)
    if backward is None:
        return
    twin, forward = reader.layer(backward, (*keys, "config", "backward_layer")), inner
    differ = {
        key
        for key in {*twin.arguments, *forward.arguments}
        - {"go_backwards", "keras_mask_order", "seed", "zero_output_for_mask"}
        if twin.arguments.get(key) != forward.arguments.get(key)
    }
    if differ or twin.tag != forward.tag or twin.arguments.get("go_backwards") == forward.arguments.get("go_backwards"):
        what = ", ".join(sorted(differ)) or "go_backwards"
        message = f"{part.label}: its backward layer is no twin of the forward one, they differ in {what}"
        raise reader.refuse(message, (*keys, "config", "backward_layer"))


def _batch_normalization(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    """The axis is a list of one in tf.keras; Keras 1 has modes."""
    axis = config.get("axis")
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        config["axis"] = axis[0]
    if config.pop("mode", 0) != 0:
        raise reader.refuse(f"{part.label}: only mode 0 of Keras 1 is known here", (*keys, "config", "mode"))


def _merge(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    """What leaves of several masks changed with Keras 3.4."""
    version = reader.dialect.version
    if reader.masked and reader.dialect.generation == 3 and (version or (3, 4)) >= (3, 4):
        config["mask_rule"] = "any"
        if version is None:
            reader.report.default(f"{part.label}: masks are joined as in Keras 3.4 and later (mask_rule: any)")


def _identity(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    config["activation"] = "linear"


def _leaky(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    if "negative_slope" in config:
        config["alpha"] = config.pop("negative_slope")


def _convolution(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    """Where Theano begins with `same`: half a kernel before the first step, which is one more where that is even."""
    if reader.dialect.backend != "theano" or config.get("padding") != "same":
        return
    size, plain = config.get("kernel_size"), (None, 1)
    even = isinstance(size, int) and size % 2 == 0
    if config.get("strides") not in plain or (even and config.get("dilation_rate") not in plain):
        message = f"{part.label}: Theano's padding 'same' with strides, or an even kernel with gaps, is not known here"
        raise reader.refuse(message, (*keys, "config"))
    if isinstance(size, int) and even:
        config["kernel_size"] = size + 1
        part.longer_kernel = True
        reader.report.decide(
            f"{part.label}: its kernel of {size} steps gets one more of zeros, to begin where Theano does"
        )


def _pooling(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    """Theano has windows of its own with `same`."""
    if reader.dialect.backend == "theano" and config.get("padding") == "same":
        raise reader.refuse(f"{part.label}: Theano's padding 'same' of poolings is not known here", (*keys, "config"))
    if part.tag == "AveragePooling1D" and reader.dialect.generation == 3 and config.get("padding") == "same":
        what = "a mean that reaches over an end counts the steps that are there, as on TensorFlow and JAX"
        reader.report.decide(f"{part.label}: {what}; on torch it counted the added ones too where they were uneven")


def _single(*names: str) -> Oddity:
    """Arguments that Keras writes as a list of one."""

    def unpack(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
        for name in names:
            if isinstance(config.get(name), (list, tuple)) and len(config[name]) == 1:
                config[name] = config[name][0]

    return unpack


def _lambda(reader: LayerReader, part: Part, config: dict[str, Any], keys: Keys) -> None:
    """Code in a file is never run: a function that the user registered takes its place."""
    named = config.get("function")
    if isinstance(named, Mapping):
        named = named.get("config")
    names = [name for name in (part.name, named) if isinstance(name, str) and name in FUNCTIONS]
    if not names:
        message = f"{part.label} holds code, which is never run"
        hint = (
            "write what it does as a function of a tensor and register it under the layer's name: "
            f"@rnnspec.register.function('{part.name}')"
        )
        raise reader.refuse(message, keys, hint)
    arguments = config.get("arguments")
    for key in ("function", "function_type", "module", "output_shape", "output_shape_type", "output_shape_module"):
        config.pop(key, None)
    for key in ("mask", "mask_type", "mask_module", "arguments"):
        config.pop(key, None)
    config["function"] = names[0]
    if isinstance(arguments, Mapping) and arguments:
        config["arguments"] = dict(arguments)
    reader.report.decide(f"{part.label}: the registered function '{names[0]}' stands for its code")


ODDITIES: Mapping[str, tuple[Oddity, ...]] = {
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "LSTMV1", "LSTMV2", "GRUV1", "GRUV2"), (_recurrent,)),
    **dict.fromkeys(("CuDNNLSTM", "CuDNNGRU"), (_cudnn, _recurrent)),
    "RNN": (_recurrent_of_cell,),
    "TimeDistributed": (_wrapper,),
    "Bidirectional": (_bidirectional,),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"), (_merge,)),
    "Identity": (_identity,),
    "LeakyReLU": (_leaky,),
    "Lambda": (_lambda,),
    "Conv1D": (_single("kernel_size", "strides", "dilation_rate"), _convolution),
    "Convolution1D": (_single("kernel_size", "strides", "dilation_rate"), _convolution),
    **dict.fromkeys(
        ("MaxPooling1D", "AveragePooling1D", "MaxPool1D", "AvgPool1D"), (_single("pool_size", "strides"), _pooling)
    ),
    **dict.fromkeys(("BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2"), (_batch_normalization,)),
}
"""What single classes ask for, in the names of Keras 2."""
