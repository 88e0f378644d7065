"""The configs of the layers around the recurrent ones."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from rnnspec import config
from rnnspec.errors import ConfigError, ConfigWarning, MaskError, ShapeError
from rnnspec.shapes import Shape

NONE = inspect.Parameter.empty
GLOROT, ZEROS = config.GlorotUniformInitializerConfig(), config.ZerosInitializerConfig()
LSTM = config.LSTMConfig(3, return_sequences=True)
WINDOWS = {"pool_size": 2, "strides": None, "padding": "valid", "data_format": "channels_last"}


@pytest.mark.parametrize(
    ("layer", "positions"),
    [
        (config.InputConfig, {"shape": None, "batch_shape": None}),
        (config.MaskingConfig, {"mask_value": 0.0}),
        (
            config.DenseConfig,
            {
                "units": NONE,
                "activation": None,
                "use_bias": True,
                "kernel_initializer": GLOROT,
                "bias_initializer": ZEROS,
                "kernel_regularizer": None,
                "bias_regularizer": None,
                "activity_regularizer": None,
                "kernel_constraint": None,
                "bias_constraint": None,
            },
        ),
        (config.ActivationConfig, {"activation": NONE}),
        (config.RescalingConfig, {"scale": NONE, "offset": 0.0}),
        (config.DropoutConfig, {"rate": NONE, "noise_shape": None, "seed": None}),
        (config.SpatialDropout1DConfig, {"rate": NONE, "noise_shape": None, "seed": None}),
        (config.ActivityRegularizationConfig, {"l1": 0.0, "l2": 0.0}),
        (config.FlattenConfig, {}),
        (config.ReshapeConfig, {"target_shape": NONE}),
        (config.PermuteConfig, {"dims": NONE}),
        (config.RepeatVectorConfig, {"n": NONE}),
        (config.LambdaConfig, {"function": NONE, "output_shape": None, "mask": None, "arguments": None}),
        (config.LeakyReLUConfig, {"alpha": 0.3}),
        (
            config.PReLUConfig,
            {"alpha_initializer": ZEROS, "alpha_regularizer": None, "alpha_constraint": None, "shared_axes": None},
        ),
        (config.ELUConfig, {"alpha": 1.0}),
        (config.ThresholdedReLUConfig, {"theta": 1.0}),
        (
            config.EmbeddingConfig,
            {
                "input_dim": NONE,
                "output_dim": NONE,
                "embeddings_initializer": config.UniformInitializerConfig(-0.05, 0.05),
                "embeddings_regularizer": None,
                "activity_regularizer": None,
                "embeddings_constraint": None,
                "mask_zero": False,
                "input_length": None,
            },
        ),
        (
            config.Conv1DConfig,
            {
                "filters": NONE,
                "kernel_size": NONE,
                "strides": 1,
                "padding": "valid",
                "data_format": "channels_last",
                "dilation_rate": 1,
                "activation": None,
                "use_bias": True,
                "kernel_initializer": GLOROT,
                "bias_initializer": ZEROS,
                "kernel_regularizer": None,
                "bias_regularizer": None,
                "activity_regularizer": None,
                "kernel_constraint": None,
                "bias_constraint": None,
            },
        ),
        (config.MaxPooling1DConfig, WINDOWS),
        (config.AveragePooling1DConfig, WINDOWS),
        (config.GlobalMaxPooling1DConfig, {"data_format": "channels_last", "keepdims": False}),
        (config.GlobalAveragePooling1DConfig, {"data_format": "channels_last", "keepdims": False}),
        (
            config.BatchNormalizationConfig,
            {
                "axis": -1,
                "momentum": 0.99,
                "epsilon": 1e-3,
                "center": True,
                "scale": True,
                "beta_initializer": ZEROS,
                "gamma_initializer": config.OnesInitializerConfig(),
                "moving_mean_initializer": ZEROS,
                "moving_variance_initializer": config.OnesInitializerConfig(),
                "beta_regularizer": None,
                "gamma_regularizer": None,
                "beta_constraint": None,
                "gamma_constraint": None,
            },
        ),
        (
            config.LayerNormalizationConfig,
            {
                "axis": -1,
                "epsilon": 1e-3,
                "center": True,
                "scale": True,
                "beta_initializer": ZEROS,
                "gamma_initializer": config.OnesInitializerConfig(),
                "beta_regularizer": None,
                "gamma_regularizer": None,
                "beta_constraint": None,
                "gamma_constraint": None,
            },
        ),
        (config.ZeroPadding1DConfig, {"padding": 1}),
        (config.Cropping1DConfig, {"cropping": (1, 1)}),
        (config.UpSampling1DConfig, {"size": 2}),
        (config.GaussianNoiseConfig, {"stddev": NONE, "seed": None}),
        (config.GaussianDropoutConfig, {"rate": NONE, "seed": None}),
        (config.AlphaDropoutConfig, {"rate": NONE, "noise_shape": None, "seed": None}),
        (config.SoftmaxConfig, {"axis": -1}),
        (config.ReLUConfig, {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}),
        (config.AddConfig, {}),
        (config.ConcatenateConfig, {"axis": -1}),
        (config.DotConfig, {"axes": NONE, "normalize": False}),
        (config.TimeDistributedConfig, {"layer": NONE}),
        (config.BidirectionalConfig, {"layer": NONE, "merge_mode": "concat"}),
    ],
    ids=lambda value: getattr(value, "identifier", ""),
)
def test_the_arguments_and_defaults_are_keras(layer: Any, positions: dict[str, Any]) -> None:
    parameters = inspect.signature(layer).parameters.values()

    assert {p.name: p.default for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD} == positions


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (config.DenseConfig(3), None),
        (config.DenseConfig(3, input_dim=4), (None, 4)),
        (config.DenseConfig(3, input_dim=4, input_shape=(5, 6)), (None, 5, 6)),
        (config.InputConfig((5, 4)), (None, 5, 4)),
        (config.InputConfig(batch_shape=(2, 5, 4)), (2, 5, 4)),
        (config.InputConfig(input_shape=(5, 4)), (None, 5, 4)),
        (config.InputConfig(batch_input_shape=(2, 5, 4)), (2, 5, 4)),
        (config.EmbeddingConfig(3, 4), None),
        (config.EmbeddingConfig(3, 4, input_shape=(5, 6)), (None, 5, 6)),
        (config.BidirectionalConfig(config.LSTMConfig(3, input_dim=4)), (None, None, 4)),
        (config.BidirectionalConfig(config.LSTMConfig(3, input_dim=4), input_shape=(5, 4)), (None, 5, 4)),
        (config.TimeDistributedConfig(config.DenseConfig(3, input_dim=4)), (None, None, 4)),
        (config.TimeDistributedConfig(config.DenseConfig(3, batch_input_shape=(2, 4))), (2, None, 4)),
        (config.TimeDistributedConfig("Flatten", input_shape=(5, 4, 3)), (None, 5, 4, 3)),
        (config.TimeDistributedConfig("Flatten"), None),
    ],
    ids=repr,
)
def test_the_arguments_declare_the_input(layer: config.LayerConfig, shape: Shape | None) -> None:
    assert layer.declared_input() == shape


@pytest.mark.parametrize(
    ("layer", "shape"), [(config.EmbeddingConfig(3, 4, input_length=7), (None, 7)), (LSTM, None)], ids=repr
)
def test_only_an_embedding_knows_its_input_without_being_told(layer: config.LayerConfig, shape: Shape | None) -> None:
    assert layer.default_input() == shape


@pytest.mark.parametrize(
    ("layer", "shape", "output"),
    [
        (config.InputConfig((5,)), (2, 5), (2, 5)),
        (config.MaskingConfig(), (2, 5, 4), (2, 5, 4)),
        (config.DenseConfig(3), (2, 5, 4), (2, 5, 3)),
        (config.ActivationConfig("relu"), (2, 5, 4), (2, 5, 4)),
        (config.DropoutConfig(0.5), (2, 5, 4), (2, 5, 4)),
        (config.SpatialDropout1DConfig(0.5), (2, None, 4), (2, None, 4)),
        (config.ActivityRegularizationConfig(0.1), (2, 5), (2, 5)),
        (config.FlattenConfig(), (None, 5, 4), (None, 20)),
        (config.ReshapeConfig((2, -1)), (None, 5, 4), (None, 2, 10)),
        (config.PermuteConfig((2, 1)), (2, None, 4), (2, 4, None)),
        (config.RepeatVectorConfig(3), (None, 4), (None, 3, 4)),
        (config.LeakyReLUConfig(), (2, 5), (2, 5)),
        (config.PReLUConfig(), (None, 5, 4), (None, 5, 4)),
        (config.PReLUConfig(shared_axes=1), (None, None, 4), (None, None, 4)),
        (config.PReLUConfig(shared_axes=[1, 2]), (None, None, None), (None, None, None)),
        (config.ELUConfig(), (2, 5), (2, 5)),
        (config.ThresholdedReLUConfig(), (2, 5), (2, 5)),
        (config.Conv1DConfig(6, [3], 2), (2, None, 4), (2, None, 6)),
        (config.Conv1DConfig(6, 3, 2, "same"), (None, 7, 4), (None, 4, 6)),
        (config.Conv1DConfig(6, 3, data_format="channels_first", dilation_rate=2), (2, 4, 7), (2, 6, 3)),
        (config.MaxPooling1DConfig(), (None, 7, 4), (None, 3, 4)),
        (config.AveragePooling1DConfig(3, 1, "same"), (2, 7, 4), (2, 7, 4)),
        (config.GlobalMaxPooling1DConfig("channels_first"), (2, 4, None), (2, 4)),
        (config.GlobalAveragePooling1DConfig(keepdims=True), (2, None, 4), (2, 1, 4)),
        (config.BatchNormalizationConfig(), (2, None, 4), (2, None, 4)),
        (config.LayerNormalizationConfig([1, 2]), (2, 5, 4), (2, 5, 4)),
        (config.ZeroPadding1DConfig((2, 1)), (2, 5, 4), (2, 8, 4)),
        (config.Cropping1DConfig(), (2, 5, 4), (2, 3, 4)),
        (config.UpSampling1DConfig(3), (2, 5, 4), (2, 15, 4)),
        (config.GaussianNoiseConfig(0.5), (2, 5), (2, 5)),
        (config.SoftmaxConfig(1), (2, 5), (2, 5)),
        (config.EmbeddingConfig(9, 3), (2, None), (2, None, 3)),
        (config.TimeDistributedConfig({"Dense": {"units": 3}}), (2, 5, 4), (2, 5, 3)),
        (config.TimeDistributedConfig("Flatten"), (2, 5, 4, 3), (2, 5, 12)),
        (config.TimeDistributedConfig(config.RecurrentConfig()), (2, 5, 4, 3), None),
        (config.BidirectionalConfig(LSTM), (2, 5, 4), (2, 5, 6)),
        (config.BidirectionalConfig(LSTM, "sum"), (2, 5, 4), (2, 5, 3)),
        (config.BidirectionalConfig(config.LSTMConfig(3), None), (2, 5, 4), (2, 3)),
        (config.BidirectionalConfig(config.RecurrentConfig()), (2, 5, 4), None),
    ],
    ids=repr,
)
def test_the_output_shape(layer: config.LayerConfig, shape: Shape, output: Shape | None) -> None:
    assert layer.compute_output_shape(shape) == output


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            config.BidirectionalConfig(LSTM),
            (2, 5),
            "layer.LSTM: expected an input of rank 3, (batch, time, features), found (2, 5)",
        ),
        (
            config.TimeDistributedConfig(config.DenseConfig(3)),
            (2, 5, None),
            "layer.Dense: expected a known number of features, found (2, None)",
        ),
    ],
    ids=repr,
)
def test_the_error_of_an_inner_layer_has_its_path(layer: config.LayerConfig, shape: Shape, message: str) -> None:
    with pytest.raises(ShapeError) as error:
        layer.compute_output_shape(shape)

    assert str(error.value) == message


@pytest.mark.parametrize(
    ("layer", "before", "after"),
    [
        (config.EmbeddingConfig(3, 4, mask_zero=True), False, True),
        (config.EmbeddingConfig(3, 4), True, False),
        (config.MaskingConfig(), False, True),
        (config.DenseConfig(3), True, True),
        (config.DropoutConfig(0.5), True, True),
        (config.ActivationConfig(None), None, None),
        (LSTM, True, True),
        (config.LSTMConfig(3), True, False),
        (config.BidirectionalConfig(LSTM), True, True),
        (config.BidirectionalConfig(config.LSTMConfig(3)), True, False),
        (config.TimeDistributedConfig("Flatten"), True, True),
        (config.SpatialDropout1DConfig(0.5), True, True),
        (config.ActivityRegularizationConfig(), True, True),
        (config.LeakyReLUConfig(), True, True),
        (config.PReLUConfig(), True, True),
        (config.ELUConfig(), True, True),
        (config.ThresholdedReLUConfig(), True, True),
        (config.BatchNormalizationConfig(), True, True),
        (config.LayerNormalizationConfig(), True, True),
        (config.GaussianNoiseConfig(0.5), True, True),
        (config.GaussianDropoutConfig(0.5), True, True),
        (config.AlphaDropoutConfig(0.5), True, True),
        (config.SoftmaxConfig(), True, True),
        (config.ReLUConfig(), True, True),
        (config.GlobalAveragePooling1DConfig(), True, False),
        (config.FlattenConfig(), False, False),
        (config.FlattenConfig(), None, None),
    ],
    ids=repr,
)
def test_a_mask_leaves_or_not(layer: config.LayerConfig, before: bool | None, after: bool | None) -> None:
    assert layer.output_mask(before) is after


@pytest.mark.parametrize(
    "layer",
    [
        config.FlattenConfig(),
        config.ReshapeConfig((-1,)),
        config.PermuteConfig((2, 1)),
        config.RepeatVectorConfig(3),
        config.Conv1DConfig(2, 3),
        config.ZeroPadding1DConfig(),
        config.Cropping1DConfig(),
        config.UpSampling1DConfig(),
        config.MaxPooling1DConfig(),
        config.AveragePooling1DConfig(),
        config.GlobalMaxPooling1DConfig(),
    ],
    ids=repr,
)
def test_a_layer_that_moves_or_joins_steps_cannot_take_a_mask(layer: config.LayerConfig) -> None:
    with pytest.raises(MaskError, match=r"^cannot take a mask$"):
        layer.output_mask(True)


@pytest.mark.parametrize(
    ("layer", "rank"),
    [
        (config.SpatialDropout1DConfig(0.5), 3),
        (config.RepeatVectorConfig(3), 2),
        (config.PermuteConfig((1, 3, 2)), 4),
        (config.ReshapeConfig((3,)), None),
    ],
    ids=repr,
)
def test_some_layers_fix_the_rank_of_their_input(layer: config.LayerConfig, rank: int | None) -> None:
    assert layer.input_rank == rank


def test_a_noise_shape_has_no_meaning_for_spatial_dropout() -> None:
    with pytest.warns(ConfigWarning) as caught:
        config.SpatialDropout1DConfig(0.5, (1, 1))

    message = "SpatialDropout1D has an argument noise_shape, which has no meaning: its mask is (batch, 1, features)"
    assert [str(warning.message) for warning in caught] == [message]


@pytest.mark.parametrize(
    ("layer", "argument"),
    [
        (LSTM, None),
        (config.LSTMConfig(3, return_state=True), "return_state"),
        (config.BidirectionalConfig(LSTM), None),
        (config.BidirectionalConfig(LSTM, None), "merge_mode"),
        (config.BidirectionalConfig(config.LSTMConfig(3, return_state=True)), "return_state"),
        (config.TimeDistributedConfig(config.LSTMConfig(3, return_state=True)), "return_state"),
        (config.FlattenConfig(), None),
    ],
    ids=repr,
)
def test_some_arguments_give_several_outputs(layer: config.LayerConfig, argument: str | None) -> None:
    assert layer.several_outputs == argument


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: config.InputConfig(), "Input needs the argument 'shape' or 'batch_shape'"),
        (lambda: config.InputConfig((3,), (2, 3)), "batch_shape: Input takes one shape, found shape and batch_shape"),
        (lambda: config.InputConfig((0,), (2, 3)), "shape[0] must be a positive integer or null, found 0"),
        (
            lambda: config.BidirectionalConfig(config.DenseConfig(3)),
            "layer: Bidirectional takes a recurrent layer, found Dense",
        ),
        (
            lambda: config.BidirectionalConfig(LSTM, "cat"),  # type: ignore[arg-type]
            "merge_mode must be sum, mul, concat or ave, found 'cat'\n  hint: did you mean 'concat'?",
        ),
        (
            lambda: config.BidirectionalConfig({"LSTM": {"unit": 0}}).layer,
            "layer.LSTM.unit: LSTM has no argument 'unit'",
        ),
        (
            lambda: config.TimeDistributedConfig(None),  # type: ignore[arg-type]
            "layer: a layer is a name, or a mapping of one name to its arguments, found null",
        ),
        (
            lambda: config.TimeDistributedConfig(config.DenseConfig(3, inbound_nodes="x")),
            "layer.Dense.inbound_nodes: inbound_nodes is for layers of a graph only",
        ),
        (
            lambda: config.BidirectionalConfig(config.LSTMConfig(3, inbound_nodes="x")),
            "layer.LSTM.inbound_nodes: inbound_nodes is for layers of a graph only",
        ),
        (lambda: config.SpatialDropout1DConfig(2), "rate must be a number from 0 to 1, found 2"),
        (lambda: config.ReshapeConfig((2, "a")), "target_shape[1] must be a positive integer or -1, found 'a'"),
        (lambda: config.PermuteConfig(("1", 2)), "dims[0] must be an integer, found '1'"),
        (lambda: config.PReLUConfig(alpha_initializer=3), "alpha_initializer: an initializer is a name"),
        (lambda: config.LeakyReLUConfig(None), "alpha must be a number, found null"),  # type: ignore[arg-type]
        (lambda: config.DropoutConfig(0.5, (None, 0)), "noise_shape[1] must be a positive integer or null, found 0"),
        (lambda: config.MaskingConfig(None), "mask_value must be a number, found null"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_layer_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        make()

    assert str(error.value).startswith(message)
    assert len(error.value.problems) == 1


def test_a_label_has_the_name() -> None:
    assert config.FlattenConfig().label == "Flatten"
    assert config.FlattenConfig(name="f").label == "Flatten 'f'"
