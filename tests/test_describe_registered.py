"""From module to config: what users registered, and what has no place in a config."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch

import rnnspec
from rnnspec import nn
from rnnspec.engines.cells import Cell
from rnnspec.errors import ConfigError
from rnnspec.registry import ACTIVATIONS, CELLS, CONSTRAINTS, FUNCTIONS, INITIALIZERS, LAYERS, REGULARIZERS, Registry


@pytest.fixture(autouse=True)
def _registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that a test registers are forgotten after it."""
    for table in (ACTIVATIONS, CELLS, CONSTRAINTS, FUNCTIONS, INITIALIZERS, LAYERS, REGULARIZERS):
        assert isinstance(table, Registry)
        monkeypatch.setattr(table, "_added", {})


class Scale(torch.nn.Module):
    """A torch module that keeps its argument as something else."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor([factor]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scales."""
        return self.factor * x


class Relu(nn.SimpleRNN):
    """A layer of one's own, which fills in an argument of its base class."""

    def __init__(self, units: int, **layer: Any) -> None:
        super().__init__(units, "relu", **layer)


class Leaky(Cell):
    """A cell with an argument."""

    gates = ("h",)

    def __init__(self, rate: float = 0.5) -> None:
        self.rate = rate

    def step(self, x: Any, states: Any, recur: Any, **weights: Any) -> Any:
        return (x[0] + self.rate * states[0],)


class Fill:
    """An initializer that is a class, with an argument."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, tensor: torch.Tensor) -> None:
        """Fills."""
        tensor.fill_(self.value)


def sevens(tensor: torch.Tensor) -> None:
    """Fills with sevens."""
    tensor.fill_(7.0)


def cube(weight: torch.Tensor, factor: float = 1.0) -> torch.Tensor:
    """A loss."""
    return factor * weight.abs().pow(3).sum()


def double(x: torch.Tensor) -> torch.Tensor:
    """An activation."""
    return 2 * x


class Doubled:
    """An activation that is a class."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Doubles."""
        return 2 * x


def test_a_users_torch_module_that_a_config_built_is_known_in_copies_too() -> None:
    rnnspec.register.layer(Scale)
    model = rnnspec.build(rnnspec.loads("[Scale: {factor: 3.0}]"), (None, 2), device="cpu")

    assert rnnspec.config_of(model).to_yaml() == "- Scale: {factor: 3.0}\n"
    assert pickle.loads(pickle.dumps(model)).to_yaml() == "- Scale: {factor: 3.0}\n"


def test_a_users_layer_has_its_own_arguments_and_those_it_hands_on() -> None:
    rnnspec.register.layer(Relu)
    layer = Relu(3, input_size=2, name="mine", dropout=0.5, dtype=torch.float64)
    layer.dropout = 0.25
    text = layer.to_yaml()

    assert text == "Relu: {units: 3, dropout: 0.25, input_size: 2, name: mine, dtype: float64}\n"
    twin: Any = rnnspec.build(rnnspec.loads(text), (None, 5, 2), device="cpu")
    assert (twin.dropout, twin.kernel.dtype, twin.cell.activation.name) == (0.25, torch.float64, "relu")


def test_a_torch_module_without_arguments_can_be_registered_as_it_is() -> None:
    rnnspec.register.layer(torch.nn.Tanh)

    assert nn.Sequential([torch.nn.Tanh()]).to_yaml() == "- Tanh: {}\n"


def test_what_users_registered_has_its_name_and_its_arguments() -> None:
    rnnspec.register.initializer(sevens)
    rnnspec.register.initializer("Full")(Fill)
    rnnspec.register.regularizer(cube)
    rnnspec.register.activation("twice")(double)
    rnnspec.register.cell(Leaky)
    text = (
        "RNN:\n  input_shape: [null, 2]\n  cell:\n    Leaky: {rate: 0.25}\n  units: 3\n"
        "  kernel_initializer: {sevens: {}}\n  recurrent_initializer:\n    Full: {value: 0.5}\n"
        "  bias_regularizer:\n    cube: {factor: 2.0}\n"
    )

    assert rnnspec.config_of(rnnspec.build(rnnspec.loads(text), device="cpu")) == rnnspec.loads(text)
    assert nn.Dense(3, double, kernel_initializer=Fill(1.0)).to_yaml() == (
        "Dense:\n  units: 3\n  activation: twice\n  kernel_initializer: {Full: {value: 1.0}}\n"
    )


def test_an_activation_that_is_a_class_has_its_name() -> None:
    rnnspec.register.activation(Doubled)

    assert nn.Activation("Doubled").to_yaml() == "Activation: {activation: Doubled}\n"
    assert nn.Activation(Doubled()).to_yaml() == "Activation: {activation: Doubled}\n"


def test_a_name_stays_when_a_notebook_registers_it_again() -> None:
    rnnspec.register.activation("mine")(double)
    layer = nn.Dense(3, "mine")
    rnnspec.register.activation("mine")(Doubled)

    assert layer.to_yaml() == "Dense: {units: 3, activation: mine}\n"


# What has no place in a config


def foreign() -> nn.Sequential:
    """A model in which three things have no config."""
    inner = nn.Sequential([nn.Dense(3, activation=double)])
    return nn.Sequential([nn.LSTM(3, activation=lambda x: x, input_size=2), torch.nn.Linear(3, 4), inner])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            lambda: nn.GRU(3, recurrent_activation=double, bias_regularizer=cube),
            "GRU.recurrent_activation: the activation double has no name in a config\n"
            "  hint: register it with rnnspec.register.activation\n"
            "GRU.bias_regularizer: the regularizer cube has no name in a config\n"
            "  hint: register it with rnnspec.register.regularizer",
            id="functions",
        ),
        pytest.param(
            lambda: nn.TimeDistributed(nn.Dense(3, kernel_initializer=Fill(1.0))),
            "TimeDistributed.layer.Dense.kernel_initializer: the initializer Fill has no name in a config\n"
            "  hint: register it with rnnspec.register.initializer",
            id="inside",
        ),
        pytest.param(
            lambda: nn.RNN(Leaky(), 3),
            "RNN.cell: the cell Leaky has no name in a config\n  hint: register it with rnnspec.register.cell",
            id="cell",
        ),
        pytest.param(
            foreign,
            "[0].LSTM.activation: the activation <lambda> has no name in a config\n"
            "  hint: register it with rnnspec.register.activation\n"
            "[1]: Linear is no layer that a config can name\n  hint: register it: rnnspec.register.layer(Linear)\n"
            "[2].Sequential.layers[0].Dense.activation: the activation double has no name in a config\n"
            "  hint: register it with rnnspec.register.activation",
            id="model",
        ),
        pytest.param(
            lambda: nn.GRU(3, time_major=True),
            "GRU.time_major: the config of GRU has no such argument, found true\n"
            "  hint: what a config builds has false",
            id="time_major",
        ),
        pytest.param(lambda: nn.LSTMCell(3), "LSTMCell has no config, it does one step", id="one step"),
        pytest.param(nn.Sequential, "layers: a model needs at least one layer, found an empty list", id="empty model"),
    ],
)
def test_what_has_no_place_in_a_config_is_named_with_its_path(make: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make().to_yaml()

    assert str(caught.value) == message


def test_an_argument_that_only_python_has_is_refused_unless_it_has_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Flatten(nn.Flatten):
        def __init__(self, *, from_axis: int = 1, **layer: Any) -> None:
            super().__init__(**layer)
            self.from_axis = from_axis

    monkeypatch.setattr(nn, "Flatten", Flatten)
    assert Flatten().to_yaml() == "Flatten\n"
    with pytest.raises(ConfigError) as caught:
        Flatten(from_axis=2).to_yaml()

    assert str(caught.value) == (
        "Flatten.from_axis: the config of Flatten has no such argument, found 2\n  hint: what a config builds has 1"
    )


def test_an_argument_of_which_nothing_tells_is_refused() -> None:
    rnnspec.register.layer(Scale)
    with pytest.raises(ConfigError) as caught:
        nn.Sequential([Scale(2.0)]).to_yaml()

    assert str(caught.value) == (
        "[0].Scale.factor: its value is not known, there is no attribute of this name\n"
        "  hint: keep it as self.factor, or build the layer from a config"
    )


def test_a_lambda_names_the_functions_that_were_registered() -> None:
    for function in (double, cube, sevens):
        rnnspec.register.function(function)
    layer = nn.Lambda(cube, sevens, double, {"factor": 2.0})

    assert layer.to_yaml() == (
        "Lambda:\n  function: cube\n  output_shape: sevens\n  mask: double\n  arguments: {factor: 2.0}\n"
    )
    assert nn.Lambda("double", (3,)).to_yaml() == "Lambda: {function: double, output_shape: [3]}\n"


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        pytest.param(
            lambda: nn.Lambda(cube),
            "Lambda.function: the function cube has no name in a config\n"
            "  hint: register it with rnnspec.register.function",
            id="function",
        ),
        pytest.param(
            lambda: nn.Lambda("double", arguments={"by": object()}),
            "Lambda.arguments: a config holds plain data, found an object of class object",
            id="argument",
        ),
    ],
)
def test_a_lambda_that_holds_what_no_config_names_is_refused(layer: Any, message: str) -> None:
    rnnspec.register.function(double)
    with pytest.raises(ConfigError) as caught:
        layer().to_yaml()

    assert str(caught.value) == message


def test_an_argument_that_is_no_plain_data_is_refused() -> None:
    class Kept(nn.Flatten):
        def __init__(self, thing: object) -> None:
            super().__init__()
            self.thing = thing

    rnnspec.register.layer(Kept)
    with pytest.raises(ConfigError) as caught:
        Kept(object()).to_yaml()

    assert str(caught.value) == "Kept.thing: a config holds plain data, found an object of class object"
