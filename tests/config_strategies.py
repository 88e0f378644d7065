"""Hypothesis strategies: any layer, model and experiment that a config can describe."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from rnnspec import config
from rnnspec.registry import ACTIVATIONS, register

rates = st.floats(0, 1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
not_negative = st.floats(0, 1e6)
counts = st.integers(1, 2**40)
seeds = st.none() | st.integers(0, 2**63 - 1)
dtypes = st.sampled_from(["float16", "bfloat16", "float32", "float64"])
sizes = st.none() | counts
shapes = st.none() | st.lists(sizes, max_size=3)
activations = st.none() | st.sampled_from(ACTIVATIONS.names())
scaled = st.sampled_from(["GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal"])


@register.function
def a_registered_function(x: Any, **arguments: Any) -> Any:
    """What the configs of Lambda layers name; they never call it."""


def one_of(*choices: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(*choices)


initializers = one_of(
    st.builds(config.ZerosInitializerConfig, st.none() | dtypes),
    st.builds(config.ConstantInitializerConfig, numbers),
    st.builds(config.UniformInitializerConfig, st.floats(-5, 0), st.floats(0, 5), seeds),
    st.builds(config.TruncatedNormalInitializerConfig, numbers, not_negative, seeds),
    st.builds(config.OrthogonalInitializerConfig, numbers, seeds),
    st.builds(lambda tag, seed: {tag: {"seed": seed}}, scaled, seeds),
    st.builds(
        config.VarianceScalingInitializerConfig,
        st.floats(0.1, 9),
        st.sampled_from(["fan_in", "fan_out", "fan_avg"]),
        st.sampled_from(["normal", "uniform"]),
    ),
)
paddings = st.sampled_from(["valid", "same"])
regularizers = st.none() | one_of(
    st.builds(config.L1RegularizerConfig, numbers, st.none() | st.text(max_size=3), st.booleans()),
    st.builds(config.L1L2RegularizerConfig, numbers, numbers),
)
axes = st.integers(-3, 3) | st.lists(st.integers(-3, 3), min_size=1, max_size=2)
function_names = st.just(a_registered_function.__name__)
shared_axes = st.none() | st.integers(1, 4) | st.lists(st.integers(1, 4), max_size=2)
constraints = st.none() | one_of(
    st.builds(config.MaxNormConfig, not_negative, axes),
    st.just(config.NonNegConfig()),
    st.builds(config.MinMaxNormConfig, st.floats(0, 1), st.floats(1, 9), rates, axes),
)
base = {
    "name": st.none() | st.text("abc_1", min_size=1, max_size=5),
    "trainable": st.booleans(),
    "dtype": dtypes,
    "weights": st.none() | st.lists(st.lists(numbers, max_size=2), max_size=2),
    "input_shape": shapes,
    "batch_input_shape": st.none() | st.lists(sizes, min_size=1, max_size=4),
}
flags = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "keras_mask_order",
    "zero_output_for_mask",
)
recurrent = {
    **base,
    **dict.fromkeys((*flags, "use_bias"), st.booleans()),
    **dict.fromkeys(("kernel_initializer", "recurrent_initializer", "bias_initializer"), initializers | st.none()),
    **dict.fromkeys(("kernel_regularizer", "recurrent_regularizer", "activity_regularizer"), regularizers),
    **dict.fromkeys(("kernel_constraint", "recurrent_constraint", "bias_constraint"), constraints),
    "units": counts,
    "implementation": st.sampled_from([0, 1, 2]),
    "masked_start": st.sampled_from(["state", "zeros"]),
    "initial_state": st.sampled_from(["zeros", "trainable"]),
    "seed": seeds,
    "checkpoint_every": st.none() | st.integers(0, 9),
    "input_dim": counts,
    "input_length": st.none() | counts,
    "dropout": rates,
    "recurrent_dropout": rates | st.sampled_from([0, 1]),
}
gated = {**recurrent, "activation": activations, "recurrent_activation": activations}
recurrent_layers = one_of(
    st.builds(config.SimpleRNNConfig, **recurrent, activation=activations),
    st.builds(config.LSTMConfig, **gated, unit_forget_bias=st.booleans()),
    st.builds(config.GRUConfig, **gated, reset_after=st.booleans()),
    st.builds(config.RNNConfig, **recurrent, cell=st.sampled_from(["LSTM", {"GRU": {"reset_after": True}}])),
)
simple_layers = one_of(
    st.builds(config.DenseConfig, counts, activations, st.booleans(), initializers, **base),
    st.builds(config.RescalingConfig, numbers, numbers),
    st.builds(config.DropoutConfig, rates, shapes, seeds),
    st.builds(config.SpatialDropout1DConfig, rates, shapes, seeds),
    st.builds(config.ActivityRegularizationConfig, numbers, numbers),
    st.builds(config.FlattenConfig, **base),
    st.builds(config.ReshapeConfig, st.lists(counts, max_size=3).map(lambda sizes: [*sizes, -1])),
    st.builds(config.PermuteConfig, st.permutations([1, 2, 3])),
    st.builds(config.RepeatVectorConfig, counts),
    st.builds(
        config.LambdaConfig,
        function_names,
        shapes | function_names,
        st.none() | function_names,
        st.none() | st.dictionaries(st.text("abc", min_size=1), numbers | st.lists(numbers)),
    ),
    st.builds(
        config.Conv1DConfig, counts, counts, counts, paddings | st.just("causal"), kernel_initializer=initializers
    ),
    st.builds(config.ZeroPadding1DConfig, st.integers(0, 9) | st.tuples(st.integers(0, 9), st.integers(0, 9))),
    st.builds(config.Cropping1DConfig, st.integers(0, 9)),
    st.builds(config.UpSampling1DConfig, counts),
    st.builds(config.GaussianNoiseConfig, not_negative, seeds),
    st.builds(config.GaussianDropoutConfig, rates, seeds),
    st.builds(config.AlphaDropoutConfig, rates, shapes, seeds),
    st.builds(config.LayerNormalizationConfig, axes, not_negative, st.booleans(), beta_regularizer=regularizers),
    st.builds(config.SoftmaxConfig, st.integers(-3, 3)),
    st.builds(config.ReLUConfig, st.none() | not_negative, not_negative, not_negative),
    st.builds(config.MaxPooling1DConfig, counts, st.none() | counts, paddings),
    st.builds(config.AveragePooling1DConfig, counts, st.none() | counts.map(lambda size: [size]), paddings),
    st.builds(config.GlobalMaxPooling1DConfig, keepdims=st.booleans()),
    st.builds(config.GlobalAveragePooling1DConfig, st.sampled_from(["channels_last", "channels_first"])),
    st.builds(
        config.BatchNormalizationConfig,
        st.integers(-3, 3),
        rates,
        not_negative,
        st.booleans(),
        gamma_constraint=constraints,
    ),
    st.builds(config.LeakyReLUConfig, numbers),
    st.builds(config.PReLUConfig, initializers | st.none(), regularizers, constraints, shared_axes),
    st.builds(config.ELUConfig, numbers),
    st.builds(config.ThresholdedReLUConfig, numbers),
    st.builds(config.MaskingConfig, numbers),
    st.builds(config.UnmaskingConfig),
    st.builds(config.ActivationConfig, activations),
    st.builds(config.EmbeddingConfig, counts, counts, initializers, mask_zero=st.booleans()),
    st.builds(lambda shape: config.InputConfig(shape), st.lists(sizes, max_size=3)),
)
layers = one_of(
    recurrent_layers,
    simple_layers,
    st.builds(config.TimeDistributedConfig, simple_layers),
    st.builds(
        config.BidirectionalConfig, recurrent_layers, st.sampled_from(["sum", "mul", "concat", "ave", None]), **base
    ),
)
models = st.lists(layers, min_size=1, max_size=3, unique_by=lambda layer: layer.name or object()).map(
    config.SequentialConfig
)
experiments = st.builds(
    config.ExperimentConfig,
    models | layers,
    st.none() | st.builds(config.JapaneseVowelsConfig, st.booleans()),
    st.builds(config.HuberLossConfig, st.floats(0.1, 9)) | st.just("CrossEntropy"),
    st.builds(config.AdamConfig, st.floats(1e-6, 1), st.floats(0, 0.9)) | st.just("RMSprop"),
    st.lists(st.sampled_from(["Accuracy", "mae", {"F1Score": {"average": None}}, "LogAUC"]), max_size=2, unique_by=str),
    st.builds(
        config.TrainConfig, counts, counts, seeds, st.booleans(), st.none() | st.floats(0.1, 9), st.floats(0, 0.9)
    ),
)
