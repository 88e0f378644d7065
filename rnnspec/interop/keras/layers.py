"""One layer's configuration in any Keras's words becomes the data for ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from attrs import fields

from rnnspec.errors import ConfigError, Problem
from rnnspec.interop.keras import keras1
from rnnspec.interop.keras.dialect import Dialect
from rnnspec.interop.keras.objects import Objects
from rnnspec.interop.keras.oddities import ODDITIES, Keys
from rnnspec.interop.keras.parts import Part
from rnnspec.interop.keras.report import Report
from rnnspec.registry import LAYERS, did_you_mean

__all__ = ["LayerReader"]

CLASSES: Mapping[str, str] = {
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "LSTMV1": "LSTM",
    "LSTMV2": "LSTM",
    "GRUV1": "GRU",
    "GRUV2": "GRU",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "Convolution1D": "Conv1D",
    "MaxPool1D": "MaxPooling1D",
    "AvgPool1D": "AveragePooling1D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "Identity": "Activation",
}
"""Classes of Keras that compute what a class of ours with another name does."""

IDLE: Mapping[str, tuple[Any, ...]] = {
    "autocast": (True,),
    "build_input_shape": (),
    "data_format": ("channels_last", None),
    "dynamic": (False,),
    "fused": (),
    "groups": (1,),
    "input_dtype": (),
    "lora_alpha": (None,),
    "lora_rank": (None,),
    "num_constants": (None, 0),
    "optional": (False,),
    "output_mask": (None,),
    "quantization_config": (None,),
    "ragged": (False,),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": (),
    "rms_scaling": (False,),
    "sparse": (False,),
    "synchronized": (False,),
    "time_major": (False,),
    "virtual_batch_size": (None,),
    "zero_output_for_mask": (False,),
}
"""Arguments that say nothing with these values (an empty tuple: with any), and are refused with others."""

TRAINING_ONLY = ("activity_regularizer", "ids_dropout", "seed")
"""Arguments that change no output outside training: where our layer has none, the report names them."""

DTYPES = ("float16", "bfloat16", "float32", "float64")


class LayerReader:
    """Reads layers.

    Args:
        dialect: The Keras that wrote them.
        report: Where decisions and losses are noted.
        masked: Whether any layer of the model makes a mask.
    """

    def __init__(self, dialect: Dialect, report: Report, *, masked: bool) -> None:
        self.dialect = dialect
        self.report = report
        self.masked = masked
        self.part: Callable[[Any, Keys], Part] = self.layer
        """Reads a layer or a model: what may stand inside a wrapper."""
        self.objects = Objects(dialect, report)

    def layer(self, entry: Any, keys: Keys) -> Part:
        """Reads one layer that is no model.

        Args:
            entry: Its `class_name` and `config`.
            keys: Its place in the configuration.

        Returns:
            The part.

        Raises:
            ConfigError: If there is no such layer here, or it has an argument that ours has not.
        """
        class_name, config = self.split(entry, keys)
        name = str(config.get("name") or entry.get("name") or class_name.lower())
        first = self.dialect.generation == 1 or class_name == "Merge"
        modern, config = keras1.modern(class_name, config) if first else (class_name, dict(config))
        tag = CLASSES.get(modern, modern)
        part = Part(tag, {}, name, class_name, trainable=config.pop("trainable", True) is not False)
        part.cudnn = class_name.startswith("CuDNN")
        self._require(tag, part, entry, keys)
        config.pop("name", None)
        self._dtype(part, config)
        self._shapes(part, config)
        for oddity in ODDITIES.get(modern, ()):
            oddity(self, part, config, keys)
        for key in list(config):
            self._argument(part, key, config[key], (*keys, "config", key))
        if not part.trainable:
            part.arguments["trainable"] = False
        return part

    def split(self, entry: Any, keys: Keys) -> tuple[str, dict[str, Any]]:
        """The class and the configuration of a layer.

        Args:
            entry: What stands for it.
            keys: Its place.

        Returns:
            Both.

        Raises:
            ConfigError: If it is no layer.
        """
        if not isinstance(entry, Mapping) or not isinstance(entry.get("class_name"), str):
            raise self.refuse("a layer is a mapping with class_name and config", keys)
        config = entry.get("config")
        if entry["class_name"] == "Sequential" and isinstance(config, list):
            config = {"layers": config}  # up to Keras 2.2.2
        if not isinstance(config, Mapping):
            raise self.refuse(f"the config of {entry['class_name']:.60} is no mapping", keys)
        return entry["class_name"], dict(config)

    def refuse(self, message: str, keys: Keys, hint: str | None = None) -> ConfigError:
        """An error at a place in the configuration."""
        return ConfigError(Problem(message, keys, hint, self.dialect.file))

    def _require(self, tag: str, part: Part, entry: Mapping[str, Any], keys: Keys) -> None:
        """Refuses a class that is not known here, and one of somebody else with a name that is."""
        registered = entry.get("registered_name")
        own = isinstance(registered, str) and ">" in registered and not LAYERS.is_users(tag)
        if own or tag not in LAYERS:
            said = f" ({registered})" if own else ""
            near = did_you_mean(tag, LAYERS.names())
            hint = f"write it as a torch module and register it: @rnnspec.register.layer('{part.keras_class}')"
            message = f"there is no layer {part.keras_class}{said} here, which '{part.name}' is"
            raise self.refuse(message, keys, near or hint)

    def _dtype(self, part: Part, config: dict[str, Any]) -> None:
        value = config.pop("dtype", None)
        if isinstance(value, Mapping):
            inner = value.get("config")
            value = inner.get("name") if isinstance(inner, Mapping) else None
        if isinstance(value, str) and value.startswith("mixed_"):
            self.report.leave_out(f"{part.label}: the policy {value}, its weights are float32 and so is its arithmetic")
        elif value in DTYPES and value != "float32":
            part.arguments["dtype"] = value
        elif value not in (None, "float32"):
            self.report.leave_out(f"{part.label}: the dtype {value!r:.40}")

    def _shapes(self, part: Part, config: dict[str, Any]) -> None:
        """The shape of a first layer, in whatever way it is said; other layers of Keras 1 say their own too."""
        shape = config.pop("batch_shape", None) or config.pop("batch_input_shape", None)
        config.pop("batch_input_shape", None)
        if part.tag != "Embedding":
            config.pop("input_dim", None)
            config.pop("input_length", None)
        elif not isinstance(config.get("input_length"), int):
            config.pop("input_length", None)
        if shape is not None:
            part.arguments["batch_input_shape"] = shape

    def _argument(self, part: Part, key: str, value: Any, keys: Keys) -> None:
        """One argument: ours, or without effect here, or refused."""
        label = part.label
        ours = LAYERS.is_users(part.tag) or key in _arguments_of(part.tag)
        kind = key.rpartition("_")[2]
        if key in TRAINING_ONLY and (not ours or isinstance(value, Mapping)):
            if value not in (None, 0, 0.0):
                self.report.leave_out(f"{label}: {key}, which only matters in training")
        elif key in IDLE and not (ours and value not in IDLE[key]):
            if IDLE[key] and value not in IDLE[key]:
                raise self.refuse(f"{label}: {key}={value!r:.40} is not known here", keys)
        elif kind == "initializer":
            square = (part.tag, key) == ("SimpleRNN", "recurrent_initializer")
            self._nested(part, key, self.objects.initializer(value, label, key, square=square), ours)
        elif kind == "regularizer":
            self._nested(part, key, self.objects.regularizer(value, label, key), ours)
        elif kind == "constraint":
            self._nested(part, key, self.objects.constraint(value, label, key), ours)
        elif not ours:
            raise self.refuse(f"{label}: the argument '{key}' is not known here", keys)
        elif kind == "activation":
            name = self.objects.activation(value, label, keys)
            if name != "linear" or LAYERS.is_users(part.tag) or _arguments_of(part.tag)[key] is not None:
                part.arguments[key] = name
        else:
            part.arguments[key] = value

    def _nested(self, part: Part, key: str, value: Any, ours: bool) -> None:
        if ours and value is not None:
            part.arguments[key] = value
        elif value is not None:
            self.report.leave_out(f"{part.label}: {key}, which only matters in training")


@cache
def _arguments_of(tag: str) -> Mapping[str, Any]:
    """The arguments of one of our own layers, with their defaults."""
    return {field.name: field.default for field in fields(LAYERS.find(tag))}
