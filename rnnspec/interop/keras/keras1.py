"""Keras 1's spellings of layers and arguments, turned into those of Keras 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["MERGES", "modern"]

WEIGHTED = {
    "init": "kernel_initializer",
    "bias": "use_bias",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
}
RECURRENT = {
    **WEIGHTED,
    "output_dim": "units",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "U_regularizer": "recurrent_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "consume_less": "implementation",
    "forget_bias_init": "unit_forget_bias",
}
CONVOLUTION = {
    **WEIGHTED,
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "subsample_length": "strides",
    "border_mode": "padding",
    "atrous_rate": "dilation_rate",
}
POOLING = {"pool_length": "pool_size", "stride": "strides", "border_mode": "padding"}
DENSE = {**WEIGHTED, "output_dim": "units"}

# Class in Keras 1: class in Keras 2, and the arguments that have another name there.
CLASSES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "LSTM": ("LSTM", RECURRENT),
    "GRU": ("GRU", RECURRENT),
    "SimpleRNN": ("SimpleRNN", RECURRENT),
    "Dense": ("Dense", DENSE),
    "TimeDistributedDense": ("Dense", DENSE),
    "Embedding": (
        "Embedding",
        {
            "init": "embeddings_initializer",
            "W_regularizer": "embeddings_regularizer",
            "W_constraint": "embeddings_constraint",
            "dropout": "ids_dropout",
        },
    ),
    "Convolution1D": ("Conv1D", CONVOLUTION),
    "Conv1D": ("Conv1D", CONVOLUTION),
    "AtrousConvolution1D": ("Conv1D", CONVOLUTION),
    "AtrousConv1D": ("Conv1D", CONVOLUTION),
    "MaxPooling1D": ("MaxPooling1D", POOLING),
    "AveragePooling1D": ("AveragePooling1D", POOLING),
    "BatchNormalization": ("BatchNormalization", {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"}),
    "Dropout": ("Dropout", {"p": "rate"}),
    "SpatialDropout1D": ("SpatialDropout1D", {"p": "rate"}),
    "GaussianDropout": ("GaussianDropout", {"p": "rate"}),
    "GaussianNoise": ("GaussianNoise", {"sigma": "stddev"}),
    "UpSampling1D": ("UpSampling1D", {"length": "size"}),
    "PReLU": ("PReLU", {"init": "alpha_initializer"}),
}
INIT_NAMES = {"uniform": "random_uniform", "normal": "random_normal", "zero": "zeros", "one": "ones"}
VALUES: Mapping[str, Callable[[Any], Any]] = {
    "consume_less": lambda value: {"cpu": 0, "mem": 1, "gpu": 2}.get(str(value), value),
    "forget_bias_init": lambda value: value in ("one", "ones"),
    "init": lambda value: INIT_NAMES.get(value, value) if isinstance(value, str) else value,
    "inner_init": lambda value: INIT_NAMES.get(value, value) if isinstance(value, str) else value,
}
MERGES: Mapping[str, str] = {
    "sum": "Add",
    "mul": "Multiply",
    "concat": "Concatenate",
    "ave": "Average",
    "max": "Maximum",
    "dot": "Dot",
}
"""The modes of Keras 1's Merge, and the layer of Keras 2 that each became."""


def modern(class_name: str, config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Writes a layer of Keras 1 as Keras 2 would.

    Args:
        class_name: Its class in Keras 1.
        config: Its configuration.

    Returns:
        Class and configuration in the words of Keras 2; what has no word there keeps its own.
    """
    if class_name == "Merge":
        return _merge(config)
    name, renamed = CLASSES.get(class_name, (class_name, {}))
    return name, {renamed.get(key, key): VALUES.get(key, _same)(value) for key, value in config.items()}


def _same(value: Any) -> Any:
    return value


# What a Merge of another mode than its own says nothing with.
_UNUSED = (
    "layers",
    "mode",
    "mode_type",
    "concat_axis",
    "dot_axes",
    "output_shape_type",
    "output_mask_type",
    "arguments",
)


def _merge(config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    mode = config.get("mode")
    name = MERGES.get(mode) if isinstance(mode, str) else None
    if name is None:
        return "Merge", dict(config)
    kept = {key: value for key, value in config.items() if key not in _UNUSED}
    kept = {
        key: value for key, value in kept.items() if key not in ("output_shape", "output_mask") or value is not None
    }
    if name == "Concatenate":
        kept["axis"] = config.get("concat_axis", -1)
    if name == "Dot":
        kept["axes"] = config.get("dot_axes", -1)
    return name, kept
