"""One layer in any Keras's words becomes the data of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

import rnnspec
from rnnspec.errors import ConfigError
from rnnspec.interop.keras.dialect import dialect_of
from rnnspec.interop.keras.layers import LayerReader
from rnnspec.interop.keras.report import Report
from rnnspec.registry import FUNCTIONS


def read(name: str, version: str = "2.2.4", masked: bool = False, **config: Any) -> tuple[dict[str, Any], Report]:
    report = Report("model.json", "a JSON text", "weights.h5")
    reader = LayerReader(dialect_of({}, "model.json", (version, ""), None, None), report, masked=masked)
    return reader.layer({"class_name": name, "config": {"name": "one", **config}}, ("config",)).schema(), report


def refused(name: str, version: str = "2.2.4", **config: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        read(name, version, **config)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "version", "config", "schema"),
    [
        pytest.param(
            "LSTM",
            "1.2.2",
            {
                "output_dim": 3,
                "init": "uniform",
                "inner_init": "orthogonal",
                "inner_activation": "sigmoid",
                "forget_bias_init": "one",
                "W_regularizer": {"name": "L1L2Regularizer", "l1": 0.0, "l2": 0.5},
                "dropout_W": 0.1,
                "dropout_U": 0.2,
                "consume_less": "gpu",
                "input_dim": 4,
                "input_length": None,
            },
            {
                "LSTM": {
                    "units": 3,
                    "kernel_initializer": {"class_name": "random_uniform", "config": {}},
                    "recurrent_initializer": {"class_name": "orthogonal", "config": {}},
                    "recurrent_activation": "sigmoid",
                    "unit_forget_bias": True,
                    "kernel_regularizer": {"L2": {"l": 0.5}},
                    "dropout": 0.1,
                    "recurrent_dropout": 0.2,
                    "implementation": 2,
                    "masked_start": "state",
                }
            },
            id="keras-1-lstm",
        ),
        pytest.param(
            "Dense",
            "1.2.2",
            {"output_dim": 3, "bias": False, "W_constraint": {"name": "MaxNorm", "m": 2, "axis": 0}, "input_dim": 9},
            {
                "Dense": {
                    "units": 3,
                    "use_bias": False,
                    "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0}},
                }
            },
            id="keras-1-dense",
        ),
        pytest.param("Dropout", "1.2.2", {"p": 0.3}, {"Dropout": {"rate": 0.3}}, id="keras-1-dropout"),
        pytest.param(
            "Dense",
            "2.2.4",
            {
                "units": 3,
                "kernel_initializer": {
                    "class_name": "VarianceScaling",
                    "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": 7},
                },
                "trainable": False,
            },
            {
                "Dense": {
                    "units": 3,
                    "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": 7}},
                    "trainable": False,
                }
            },
            id="glorot-by-its-scale",
        ),
        pytest.param(
            "CuDNNGRU",
            "2.2.4",
            {"units": 3},
            {
                "GRU": {
                    "units": 3,
                    "recurrent_activation": "sigmoid",
                    "reset_after": True,
                    "masked_start": "state",
                }
            },
            id="cudnn",
        ),
        pytest.param(
            "RNN",
            "3.0.0",
            {"cell": {"class_name": "SimpleRNNCell", "config": {"name": "c", "units": 3}}, "return_sequences": True},
            {"SimpleRNN": {"units": 3, "return_sequences": True, "masked_start": "zeros"}},
            id="layer-of-a-cell",
        ),
        pytest.param(
            "Dense",
            "3.1.0",
            {
                "units": 3,
                "dtype": {"class_name": "DTypePolicy", "config": {"name": "float64"}},
                "quantization_config": None,
                "kernel_initializer": {
                    "module": "keras.initializers",
                    "class_name": "GlorotUniform",
                    "config": {"seed": None, "input_axes": None, "output_axes": None},
                    "registered_name": None,
                },
            },
            {
                "Dense": {
                    "units": 3,
                    "dtype": "float64",
                    "kernel_initializer": {"class_name": "GlorotUniform", "config": {}},
                }
            },
            id="keras-3",
        ),
        pytest.param(
            "SimpleRNN",
            "2.3.1",
            {"units": 3, "go_backwards": True, "return_sequences": True},
            {
                "SimpleRNN": {
                    "units": 3,
                    "go_backwards": True,
                    "return_sequences": True,
                    "masked_start": "zeros",
                    "keras_mask_order": True,
                }
            },
            id="backwards",
        ),
        pytest.param("LeakyReLU", "3.1.0", {"negative_slope": 0.1}, {"LeakyReLU": {"alpha": 0.1}}, id="leaky-relu"),
        pytest.param("Softmax", "2.4.0", {"axis": 1}, {"Softmax": {"axis": 1}}, id="softmax"),
    ],
)
def test_a_layer_is_read(name: str, version: str, config: dict[str, Any], schema: dict[str, Any]) -> None:
    found, _ = read(name, version, **config)

    assert found == schema
    rnnspec.from_dict(found)


@pytest.mark.parametrize(
    ("version", "emits_zeros"), [("2.2.4", None), ("2.3.1", None), ("2.2.4-tf", True), ("2.4.0", True), ("3.0.5", True)]
)
def test_a_masked_bidirectional_emits_what_it_did(version: str, emits_zeros: bool | None) -> None:
    inner = {"class_name": "SimpleRNN", "config": {"name": "r", "units": 3, "return_sequences": True}}
    found, _ = read("Bidirectional", version, masked=True, layer=inner, merge_mode="sum")

    arguments = found["Bidirectional"]["layer"]["SimpleRNN"]
    assert arguments.get("zero_output_for_mask") is emits_zeros
    assert found["Bidirectional"]["merge_mode"] == "sum"


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        pytest.param(
            "LSTM", {"units": 3, "peepholes": True}, "the argument 'peepholes' is not known here", id="unknown"
        ),
        pytest.param("GRU", {"units": 3, "time_major": True}, "time_major=True is not known here", id="time-major"),
        pytest.param("Dense", {"units": 3, "activation": "swish"}, "there is no activation 'swish' here", id="swish"),
    ],
)
def test_an_argument_that_ours_has_not_is_refused_at_its_place(name: str, config: dict[str, Any], message: str) -> None:
    place = list(config)[-1]
    assert refused(name, **config).splitlines()[0] == f"model.json: config.config.{place}: {name} 'one': {message}"


def test_an_unknown_layer_tells_how_to_register_one() -> None:
    assert refused("Capsule") == (
        "model.json: config: there is no layer Capsule here, which 'one' is\n"
        "  hint: write it as a torch module and register it: @rnnspec.register.layer('Capsule')"
    )


@pytest.mark.parametrize(
    ("name", "kept"),
    [pytest.param("SimpleRNN", True, id="square"), pytest.param("LSTM", False, id="four-blocks")],
)
def test_an_identity_is_left_out_where_ours_makes_none(name: str, kept: bool) -> None:
    found, report = read(
        name, "2.2.4", units=3, recurrent_initializer={"class_name": "Identity", "config": {"gain": 2}}
    )

    assert ("recurrent_initializer" in found[name]) is kept
    line = f"{name} 'one': the recurrent_initializer Identity, which only matters for weights that are drawn anew"
    assert report.left_out == ([] if kept else [line])


def test_what_only_matters_in_training_is_left_out_with_a_line() -> None:
    _, report = read(
        "Dense",
        units=3,
        kernel_initializer={"class_name": "MyInit", "config": {"gamma": 2}},
        kernel_regularizer={"class_name": "Orthogonal", "config": {"factor": 2}},
        bias_constraint={"class_name": "MyNorm", "config": {}},
    )

    assert report.left_out == [
        "Dense 'one': the kernel_initializer MyInit, which only matters for weights that are drawn anew",
        "Dense 'one': the kernel_regularizer Orthogonal, which only matters in training",
        "Dense 'one': the bias_constraint MyNorm, which only matters in training",
    ]


def test_an_absent_argument_is_told() -> None:
    _, report = read("GRU", units=3, recurrent_activation="sigmoid")

    assert report.defaults == ["GRU 'one': reset_after is False"]


def test_a_backward_layer_that_is_no_twin_is_refused() -> None:
    forward = {"class_name": "GRU", "config": {"units": 3, "reset_after": False, "recurrent_activation": "sigmoid"}}
    backward = {"class_name": "GRU", "config": {**forward["config"], "units": 4, "go_backwards": True}}  # type: ignore[dict-item]

    assert refused("Bidirectional", layer=forward, backward_layer=backward) == (
        "model.json: config.config.backward_layer: Bidirectional 'one': its backward layer is no twin of the forward "
        "one, they differ in units"
    )


@pytest.fixture
def double() -> Iterator[None]:
    rnnspec.register.function("one")(lambda x: 2 * x)
    yield
    del FUNCTIONS._added["one"]


@pytest.mark.usefixtures("double")
def test_a_registered_function_stands_for_the_code_of_a_lambda() -> None:
    found, report = read(
        "Lambda", function=["code", None, None], function_type="lambda", arguments={}, output_shape=None
    )

    assert found == {"Lambda": {"function": "one"}}
    assert report.decisions == ["Lambda 'one': the registered function 'one' stands for its code"]
    built = rnnspec.build(rnnspec.from_dict(found), (None, 2), device="cpu")
    assert built(torch.ones(1, 2)).tolist() == [[2.0, 2.0]]
