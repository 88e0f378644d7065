"""The ways to write a nested config, and its aliases."""

from __future__ import annotations

from typing import Any

import pytest

from rnnspec import config, from_dict
from rnnspec.config.base import TaggedConfig
from rnnspec.config.tags import tagged_config
from rnnspec.errors import ConfigError, ConfigWarning
from rnnspec.registry import CONSTRAINTS, INITIALIZERS, REGULARIZERS

INITIALIZER, REGULARIZER, CONSTRAINT = config.InitializerConfig, config.RegularizerConfig, config.ConstraintConfig


@pytest.mark.parametrize(
    "written",
    [
        "Orthogonal",
        "orthogonal",
        {"Orthogonal": None},
        {"orthogonal": {}},
        {"Orthogonal": {"gain": 1, "seed": None, "dtype": None}},
        {"class_name": "Orthogonal", "config": {"gain": 1.0}},
        {"class_name": "orthogonal"},
        {"class_name": "Orthogonal", "config": None},
        config.OrthogonalInitializerConfig(),
    ],
    ids=str,
)
def test_a_nested_config_has_many_spellings(written: Any) -> None:
    expected = config.OrthogonalInitializerConfig()

    assert tagged_config(written, INITIALIZER) == expected
    assert config.LSTMConfig(3, recurrent_initializer=written) == config.LSTMConfig(3)
    assert config.LSTMConfig.from_dict({"units": 3, "recurrent_initializer": written}) == config.LSTMConfig(3)


@pytest.mark.parametrize(
    "written",
    [
        {"Flatten": None},
        {"Flatten": {}},
        "Flatten",
        {"class_name": "Flatten"},
        {"class_name": "Flatten", "config": {}},
    ],
    ids=str,
)
def test_a_layer_with_its_defaults_has_many_spellings(written: Any) -> None:
    assert from_dict(written) == config.FlattenConfig()


@pytest.mark.parametrize(
    ("family", "alias", "made"),
    [
        (INITIALIZER, "zero", config.ZerosInitializerConfig()),
        (INITIALIZER, "zeros", config.ZerosInitializerConfig()),
        (INITIALIZER, "one", config.OnesInitializerConfig()),
        (INITIALIZER, "ones", config.OnesInitializerConfig()),
        (INITIALIZER, "constant", config.ConstantInitializerConfig(0.0)),
        (INITIALIZER, "Uniform", config.UniformInitializerConfig(0.0, 1.0)),
        (INITIALIZER, "uniform", config.UniformInitializerConfig(-0.05, 0.05)),
        (INITIALIZER, "RandomUniform", config.UniformInitializerConfig(-0.05, 0.05)),
        (INITIALIZER, "random_uniform", config.UniformInitializerConfig(-0.05, 0.05)),
        (INITIALIZER, "Normal", config.NormalInitializerConfig(0.0, 1.0)),
        (INITIALIZER, "normal", config.NormalInitializerConfig(0.0, 0.05)),
        (INITIALIZER, "RandomNormal", config.NormalInitializerConfig(0.0, 0.05)),
        (INITIALIZER, "random_normal", config.NormalInitializerConfig(0.0, 0.05)),
        (INITIALIZER, "TruncatedNormal", config.TruncatedNormalInitializerConfig(0.0, 0.05)),
        (INITIALIZER, "truncated_normal", config.TruncatedNormalInitializerConfig(0.0, 0.05)),
        (INITIALIZER, "variance_scaling", config.VarianceScalingInitializerConfig(1.0, "fan_in", "normal")),
        (INITIALIZER, "identity", config.IdentityInitializerConfig(1.0)),
        (INITIALIZER, "orthogonal", config.OrthogonalInitializerConfig(1.0)),
        (INITIALIZER, "glorot_uniform", config.GlorotUniformInitializerConfig()),
        (INITIALIZER, "glorot_normal", config.GlorotNormalInitializerConfig()),
        (INITIALIZER, "he_uniform", config.HeUniformInitializerConfig()),
        (INITIALIZER, "he_normal", config.HeNormalInitializerConfig()),
        (INITIALIZER, "lecun_uniform", config.LecunUniformInitializerConfig()),
        (INITIALIZER, "lecun_normal", config.LecunNormalInitializerConfig()),
        (REGULARIZER, "l1", config.L1RegularizerConfig(0.01)),
        (REGULARIZER, "l2", config.L2RegularizerConfig(0.01)),
        (REGULARIZER, "l1_l2", config.L1L2RegularizerConfig(0.01, 0.01)),
        (REGULARIZER, "l1l2", config.L1L2RegularizerConfig(0.01, 0.01)),
        (REGULARIZER, "L1L2", config.L1L2RegularizerConfig(0.01, 0.01)),
        (CONSTRAINT, "max_norm", config.MaxNormConfig(2.0, 0)),
        (CONSTRAINT, "maxnorm", config.MaxNormConfig(2.0, 0)),
        (CONSTRAINT, "non_neg", config.NonNegConfig()),
        (CONSTRAINT, "nonneg", config.NonNegConfig()),
        (CONSTRAINT, "unit_norm", config.UnitNormConfig(0)),
        (CONSTRAINT, "unitnorm", config.UnitNormConfig(0)),
        (CONSTRAINT, "min_max_norm", config.MinMaxNormConfig(0.0, 1.0, 1.0, 0)),
    ],
)
def test_an_alias_has_its_own_defaults(family: type[TaggedConfig], alias: str, made: TaggedConfig) -> None:
    assert tagged_config(alias, family) == made
    assert tagged_config({alias: None}, family) == made


@pytest.mark.parametrize("tag", INITIALIZERS.names() + REGULARIZERS.names() + CONSTRAINTS.names())
def test_every_tag_is_the_identifier_of_its_class(tag: str) -> None:
    (table,) = [table for table in (INITIALIZERS, REGULARIZERS, CONSTRAINTS) if tag in table]

    assert table.find(tag).identifier == tag


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ({"uniform": {"maxval": 1}}, config.UniformInitializerConfig(-0.05, 1)),
        ({"class_name": "RandomUniform", "config": {"minval": -1}}, config.UniformInitializerConfig(-1, 0.05)),
        ({"class_name": "Uniform", "config": {"maxval": 3}}, config.UniformInitializerConfig(0, 3)),
    ],
    ids=str,
)
def test_a_given_argument_wins_over_an_aliass_default(written: Any, made: TaggedConfig) -> None:
    assert tagged_config(written, INITIALIZER) == made


def test_keras_form_of_l1l2_has_keras_defaults() -> None:
    assert tagged_config({"L1L2": {"l1": 0.1}}, REGULARIZER) == config.L1L2RegularizerConfig(0.1, 0.01)
    keras = {"class_name": "L1L2", "config": {"l1": 0.1}}
    assert tagged_config(keras, REGULARIZER) == config.L1L2RegularizerConfig(0.1, 0.0)
    assert tagged_config({"class_name": "l1_l2"}, REGULARIZER) == config.L1L2RegularizerConfig(0.01, 0.01)


@pytest.mark.parametrize(
    ("alias", "tag", "arguments"),
    [
        ("AvgPool1D", "AveragePooling1D", {"pool_size": [3]}),
        ("MaxPool1D", "MaxPooling1D", {"strides": [1]}),
        ("GlobalAvgPool1D", "GlobalAveragePooling1D", {}),
        ("GlobalMaxPool1D", "GlobalMaxPooling1D", {}),
        ("Convolution1D", "Conv1D", {"filters": 2, "kernel_size": [3], "strides": [2]}),
    ],
)
def test_a_layer_may_have_the_other_names_that_keras_has_for_it(alias: str, tag: str, arguments: Any) -> None:
    assert from_dict({alias: arguments}) == from_dict({"class_name": tag, "config": arguments})


INITIALIZER_NAMES = (
    "Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Normal, Ones, "
    "Orthogonal, TruncatedNormal, Uniform, VarianceScaling, Zeros"
)
LAYER_NAMES = (
    "Activation, ActivityRegularization, Add, AlphaDropout, Average, AveragePooling1D, BatchNormalization, "
    "Bidirectional, Concatenate, Conv1D, Cropping1D, Dense, Dot, Dropout, ELU, Embedding, Flatten, GRU, "
    "GaussianDropout, GaussianNoise, GlobalAveragePooling1D, GlobalMaxPooling1D, Input, LSTM, Lambda, "
    "LayerNormalization, LeakyReLU, Masking, MaxPooling1D, Maximum, Minimum, Multiply, PReLU, Permute, RNN, ReLU, "
    "Recurrent, RepeatVector, Rescaling, Reshape, Sequential, SimpleRNN, Softmax, SpatialDropout1D, Subtract, "
    "ThresholdedReLU, TimeDistributed, Unmasking, UpSampling1D, ZeroPadding1D, graph"
)


@pytest.mark.parametrize(
    ("written", "message", "at_key"),
    [
        pytest.param(
            {"LSTMM": {"units": 3}},
            f"LSTMM: unknown layer 'LSTMM', expected one of {LAYER_NAMES}\n  hint: did you mean 'LSTM'?",
            True,
            id="tag",
        ),
        pytest.param(
            "lstm",
            f"unknown layer 'lstm', expected one of {LAYER_NAMES}\n  hint: did you mean 'LSTM'?",
            False,
            id="text",
        ),
        pytest.param(
            {"class_name": "simple_rnn", "config": {}},
            f"class_name: unknown layer 'simple_rnn', expected one of {LAYER_NAMES}\n  hint: did you mean 'SimpleRNN'?",
            False,
            id="class_name",
        ),
        pytest.param({3: {}}, f"[3]: unknown layer '3', expected one of {LAYER_NAMES}", True, id="a number"),
        pytest.param(
            {"LSTM": {"units": 3, "kernel_initializer": {"GlorotUnifrom": None}}},
            "LSTM.kernel_initializer.GlorotUnifrom: unknown initializer 'GlorotUnifrom', expected one of "
            f"{INITIALIZER_NAMES}\n  hint: did you mean 'GlorotUniform'?",
            True,
            id="nested",
        ),
        pytest.param(
            {"LSTM": {"units": 3, "kernel_constraint": "maxnom"}},
            "LSTM.kernel_constraint: unknown constraint 'maxnom', expected one of MaxNorm, "
            "MinMaxNorm, NonNeg, UnitNorm\n"
            "  hint: did you mean 'MaxNorm'?",
            False,
            id="nested text",
        ),
        pytest.param(
            {"LSTM": {"units": 3, "bias_regularizer": "l3"}},
            "LSTM.bias_regularizer: unknown regularizer 'l3', expected one of L1, L1L2, L2",
            False,
            id="regularizer",
        ),
        pytest.param({"LSTM": 3}, "LSTM takes a mapping of arguments, found 3", False, id="arguments"),
        pytest.param({"LSTM": [3]}, "LSTM takes a mapping of arguments, found a list", False, id="positions"),
        pytest.param(
            {"class_name": "LSTM", "config": 3},
            "config: LSTM takes a mapping of arguments, found 3",
            False,
            id="config",
        ),
        pytest.param(
            {"class_name": "LSTM", "config": {}, "name": "a"},
            "name: a model with class_name has only config beside it, found 'name'",
            True,
            id="beside class_name",
        ),
        pytest.param(
            [{"LSTM": {"units": 3}, "GRU": {"units": 3}}],
            "[0]: a layer is a mapping of one name to its arguments, found 2 keys: LSTM, GRU",
            False,
            id="two keys",
        ),
        pytest.param(
            [{}],
            "[0]: a layer is a name, or a mapping of one name to its arguments, found an empty mapping",
            False,
            id="no key",
        ),
        pytest.param(
            [3], "[0]: a layer is a name, or a mapping of one name to its arguments, found 3", False, id="number"
        ),
        pytest.param(
            {"LSTM": {"units": 3, "kernel_initializer": []}},
            "LSTM.kernel_initializer: an initializer is a name, or a mapping of one name to its arguments, "
            "found an empty list",
            False,
            id="list",
        ),
    ],
)
def test_a_wrong_tag_is_an_error_at_its_place(written: Any, message: str, at_key: bool) -> None:
    with pytest.raises(ConfigError) as error:
        from_dict(written)

    assert str(error.value) == message
    assert [problem.at_key for problem in error.value.problems] == [at_key]


def test_a_config_of_another_family_is_refused() -> None:
    with pytest.raises(ConfigError) as error:
        config.DenseConfig(3, kernel_initializer=config.L2RegularizerConfig())  # type: ignore[arg-type]

    assert str(error.value) == (
        "kernel_initializer: an initializer is a name, or a mapping of one name to its arguments, "
        "found L2RegularizerConfig()"
    )


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"Uniform": {"minval": 2}}, "Uniform.maxval: maxval must not be below minval, found 1.0 and 2.0"),
        (
            {"MinMaxNorm": {"min_value": 2}},
            "MinMaxNorm.max_value: max_value must not be below min_value, found 1.0 and 2.0",
        ),
        (
            {"Orthogonal": {"mean": 0}},
            "Orthogonal.mean: Orthogonal has no argument 'mean'\n  hint: Orthogonal takes gain, seed, dtype",
        ),
        (
            {"VarianceScaling": {"mode": "fan"}},
            "VarianceScaling.mode: mode must be fan_in, fan_out or fan_avg, found 'fan'\n"
            "  hint: did you mean 'fan_in'?",
        ),
        ({"MaxNorm": {"max_value": -1}}, "MaxNorm.max_value: max_value must be a number of 0 or more, found -1"),
        ({"MinMaxNorm": {"rate": 2}}, "MinMaxNorm.rate: rate must be a number from 0 to 1, found 2"),
        ({"L2": {"collect": 0}}, "L2.collect: collect must be true or false, found 0"),
        ({"L2": {"name": 0}}, "L2.name: name must be text, found 0"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_a_nested_configs_arguments_are_checked(written: dict[str, Any], message: str) -> None:
    (tag,) = written
    family = next(family for family in (INITIALIZER, REGULARIZER, CONSTRAINT) if tag in family.registry)
    with pytest.raises(ConfigError) as error:
        tagged_config(written, family)

    assert str(error.value) == message


@pytest.mark.parametrize("made", [config.UniformInitializerConfig, config.MinMaxNormConfig])
def test_equal_bounds_are_fine(made: Any) -> None:
    assert made(2, 2) == made(2.0, 2.0)


def test_w_of_non_neg_is_accepted_with_a_warning() -> None:
    with pytest.warns(ConfigWarning, match=r"^NonNeg has an argument w, which has no meaning$"):
        tagged_config({"NonNeg": {"w": 3}}, CONSTRAINT)
