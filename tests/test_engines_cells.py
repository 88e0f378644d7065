"""The cells against torch's own layers, and cells of a user's."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from attrs import frozen
from torch import Tensor

from rnnspec import functional, nn
from rnnspec.engines import cells
from rnnspec.engines.cells import Cell, ExtraWeight
from rnnspec.errors import ConfigError


def torch_twin(kind: str, units: int, features: int) -> tuple[Any, Any]:
    """A rnnspec layer with sigmoid gates, and torch's layer with the same weights, both in float64."""
    options: dict[str, Any] = {"input_size": features, "return_sequences": True, "dtype": torch.float64}
    if kind == "LSTM":
        layer: Any = nn.LSTM(units, recurrent_activation="sigmoid", **options)
    elif kind == "GRU":
        layer = nn.GRU(
            units, recurrent_activation="sigmoid", reset_after=True, bias_initializer="random_normal", **options
        )
    else:
        layer = nn.SimpleRNN(units, bias_initializer="random_normal", **options)
    twin = getattr(torch.nn, {"SimpleRNN": "RNN"}.get(kind, kind))(
        features, units, batch_first=True, dtype=torch.float64
    )
    # torch's GRU has the gates r, z, n where Keras has z, r, h.
    order = [1, 0, 2] if kind == "GRU" else list(range(len(layer.cell.gates)))

    def reordered(weight: Tensor) -> Tensor:
        blocks = weight.chunk(len(order), dim=-1)
        return torch.cat([blocks[index] for index in order], dim=-1)

    bias = layer.bias if layer.bias.dim() == 2 else torch.stack([layer.bias, torch.zeros_like(layer.bias)])
    with torch.no_grad():
        twin.weight_ih_l0.copy_(reordered(layer.kernel).T)
        twin.weight_hh_l0.copy_(reordered(layer.recurrent_kernel).T)
        twin.bias_ih_l0.copy_(reordered(bias[0]))
        twin.bias_hh_l0.copy_(reordered(bias[1]))
    return layer, twin


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("units", [1, 63])
def test_a_cell_with_sigmoid_gates_equals_torchs_own(kind: str, units: int) -> None:
    layer, twin = torch_twin(kind, units, features=5)
    x = torch.randn(3, 7, 5, dtype=torch.float64, requires_grad=True)
    x_twin = x.detach().clone().requires_grad_()

    y, (y_twin, _) = layer(x), twin(x_twin)
    y.square().sum().backward()
    y_twin.square().sum().backward()

    torch.testing.assert_close(y, y_twin, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(x.grad, x_twin.grad, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("cell", "gates", "states"),
    [
        pytest.param(cells.SimpleRNN(), ("h",), ("h",), id="SimpleRNN"),
        pytest.param(cells.LSTM(), ("i", "f", "c", "o"), ("h", "c"), id="LSTM"),
        pytest.param(cells.GRU(), ("z", "r", "h"), ("h",), id="GRU"),
    ],
)
def test_a_cell_declares_its_gates_and_states_in_keras_order(
    cell: Cell, gates: tuple[str, ...], states: tuple[str, ...]
) -> None:
    assert (cell.gates, cell.states) == (gates, states)
    assert cell.state_sizes(3) == (3,) * len(states)
    assert cell.extra_weights(3) == {}


def test_only_reset_after_has_a_recurrent_bias() -> None:
    assert cells.GRU(reset_after=True).recurrent_bias
    assert not any(cell.recurrent_bias for cell in (cells.GRU(), cells.LSTM(), cells.SimpleRNN()))


@pytest.mark.parametrize("cell", [cells.SimpleRNN, cells.LSTM, cells.GRU])
def test_a_cell_has_keras_default_activations(cell: Any) -> None:
    assert cell().activation.name == "tanh"
    if cell is not cells.SimpleRNN:
        assert cell().recurrent_activation.name == "hard_sigmoid"


@frozen
class PeepholeLSTM(Cell):
    """An LSTM whose output gate sees the cell state."""

    gates = ("i", "f", "c", "o")
    states = ("h", "c")
    scale: float = 1.0

    def extra_weights(self, units: int) -> dict[str, ExtraWeight]:
        return {"peephole": ExtraWeight((units,), "ones")}

    def step(self, x: Any, states: Any, recur: Any, *, peephole: Tensor) -> Any:  # type: ignore[override]
        h, c = states
        i, f, g, o = (a + b for a, b in zip(x, recur(h), strict=True))
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o + self.scale * peephole * c) * torch.tanh(c), c


@frozen
class ProjectedLSTM(Cell):
    """An LSTM whose output is narrower than its cell state (Sak et al., 2014)."""

    gates = ("i", "f", "c", "o")
    states = ("h", "c")
    size: int = 2

    def state_sizes(self, units: int) -> tuple[int, ...]:
        return (self.size, units)

    def extra_weights(self, units: int) -> dict[str, ExtraWeight]:
        return {"projection": ExtraWeight((units, self.size), "glorot_uniform")}

    def step(self, x: Any, states: Any, recur: Any, *, projection: Tensor) -> Any:  # type: ignore[override]
        h, c = states
        i, f, g, o = (a + b for a, b in zip(x, recur(h), strict=True))
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return (torch.sigmoid(o) * torch.tanh(c)) @ projection, c


def test_a_users_cell_has_weights_of_its_own() -> None:
    layer = nn.RNN(PeepholeLSTM(), 3, input_size=2, return_sequences=True)
    x = torch.randn(4, 5, 2)

    layer(x).sum().backward()

    assert list(layer.state_dict()) == ["kernel", "recurrent_kernel", "bias", "peephole"]
    assert layer.peephole.tolist() == [1.0, 1.0, 1.0]
    assert layer.peephole.grad.abs().min() > 0
    plain = nn.LSTM(
        3, recurrent_activation="sigmoid", input_size=2, return_sequences=True, weights=layer.get_weights()[:3]
    )
    assert not torch.allclose(layer(x), plain(x))
    with torch.no_grad():
        layer.peephole.zero_()
    torch.testing.assert_close(layer(x), plain(x))


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_a_projection_equals_torchs_own() -> None:
    layer = nn.RNN(ProjectedLSTM(size=2), 5, input_size=3, return_sequences=True, return_state=True)
    twin = torch.nn.LSTM(3, 5, proj_size=2, batch_first=True)
    with torch.no_grad():
        twin.weight_ih_l0.copy_(layer.kernel.T)
        twin.weight_hh_l0.copy_(layer.recurrent_kernel.T)
        twin.weight_hr_l0.copy_(layer.projection.T)
        twin.bias_ih_l0.copy_(layer.bias)
        twin.bias_hh_l0.zero_()
    x = torch.randn(4, 6, 3)

    y, h, c = layer(x)

    want, (h_want, c_want) = twin(x)
    torch.testing.assert_close(y, want)
    torch.testing.assert_close(h, h_want[0])
    torch.testing.assert_close(c, c_want[0])
    assert layer.compute_output_shape((None, 6, 3)) == (None, 6, 2)


class Unfinished(Cell):
    """A cell without equations."""

    gates = ("h",)


class HalfFinished(Unfinished):
    """A cell that has gates and does nothing with them."""

    def activate(self, x: Any, states: Any, recur: Any, **weights: Any) -> Any:
        return x


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (Unfinished(), "Unfinished must define activate and update, or step(x, states, recur)"),
        (HalfFinished(), "HalfFinished must define update beside activate"),
    ],
    ids=["neither", "update is missing"],
)
def test_a_cell_without_a_step_says_so_when_it_is_called(cell: Cell, message: str) -> None:
    with pytest.raises(NotImplementedError) as caught:
        functional.rnn(cell, torch.zeros(1, 1, 2), torch.zeros(2, 3), torch.zeros(3, 3))
    assert str(caught.value) == message


class Gateless(Cell):
    """A cell that tells no gates."""

    def step(self, x: Any, states: Any, recur: Any, **weights: Any) -> Any:
        return states


class Letters(Gateless):
    """A cell whose gates are a text."""

    gates = "h"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (Unfinished(), "Unfinished must define step(x, states, recur), or activate and update"),
        (HalfFinished(), "HalfFinished must define step(x, states, recur), or activate and update"),
        (Gateless(), 'Gateless needs the names of its gates as a tuple, for example gates = ("h",)'),
        (Letters(), """Letters needs the names of its gates as a tuple, for example gates = ("h",), found 'h'"""),
    ],
    ids=["no step", "update is missing", "no gates", "gates are a text"],
)
def test_a_layer_refuses_an_unfinished_cell(cell: Cell, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        nn.RNN(cell, 3)
    assert str(caught.value) == message


def test_a_users_cell_may_tell_its_gates_apart_from_what_they_do() -> None:
    class Scaled(Cell):
        gates = ("z",)

        def extra_weights(self, units: int) -> dict[str, ExtraWeight]:
            return {"low": ExtraWeight((units,), "zeros"), "scale": ExtraWeight((units,), "ones")}

        def activate(self, x: Any, states: Any, recur: Any, *, low: Tensor, scale: Tensor) -> Any:  # type: ignore[override]
            return (torch.sigmoid(x[0] + recur(states[0], "z") + low),)

        def update(self, gates: Any, states: Any, *, low: Tensor, scale: Tensor) -> Any:  # type: ignore[override]
            return (scale * gates[0] + states[0],)

    layer = nn.RNN(Scaled(), 1, input_size=1, weights=[[[2.0]], [[3.0]], [0.5], [-1.0], [4.0]])

    h = 0.0
    for value in (0.25, -0.5):
        h = 4.0 / (1.0 + math.exp(-(2.0 * value + 0.5 + 3.0 * h - 1.0))) + h
    assert layer(torch.tensor([[[0.25], [-0.5]]])).item() == pytest.approx(h)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        pytest.param(cells.SimpleRNN(), True, id="SimpleRNN"),
        pytest.param(cells.LSTM(), True, id="LSTM"),
        pytest.param(cells.GRU(), True, id="GRU"),
        pytest.param(PeepholeLSTM(), False, id="a step of its own"),
    ],
)
def test_a_cell_with_a_step_of_its_own_keeps_its_gates_to_itself(cell: Cell, shown: bool) -> None:
    assert cell.shows_gates is shown


def test_a_house_cell_whose_step_is_changed_keeps_its_gates_to_itself() -> None:
    class Doubled(cells.SimpleRNN):
        def step(self, *given: Any, **weights: Any) -> Any:
            return tuple(2 * state for state in super().step(*given, **weights))

    assert not Doubled().shows_gates
