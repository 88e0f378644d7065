"""The activations: values, derivatives, corners, names."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from rnnspec.engines import activations
from rnnspec.engines.activations import Activation
from rnnspec.errors import ConfigError
from rnnspec.registry import ACTIVATIONS, register

# Keras 2.0.8's formulas (keras/activations.py), written out anew.
FORMULAS: dict[str, Callable[[Tensor], Tensor]] = {
    "elu": lambda x: torch.where(x > 0, x, torch.exp(x) - 1),
    "hard_sigmoid": lambda x: torch.clamp(0.2 * x + 0.5, 0.0, 1.0),
    "hard_sigmoid_keras3": lambda x: torch.clamp(x + 3.0, 0.0, 6.0) / 6.0,
    "linear": lambda x: x,
    "relu": lambda x: torch.where(x > 0, x, 0.0),
    "selu": lambda x: 1.0507009873554805 * torch.where(x > 0, x, 1.6732632423543772 * (torch.exp(x) - 1)),
    "sigmoid": lambda x: 1 / (1 + torch.exp(-x)),
    "softmax": lambda x: torch.exp(x) / torch.exp(x).sum(-1, keepdim=True),
    "softplus": lambda x: torch.log1p(torch.exp(x)),
    "softsign": lambda x: x / (1 + x.abs()),
    "tanh": lambda x: (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x)),
}
WITH_DERIVATIVE = sorted(set(FORMULAS) - {"softmax"})
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])


@pytest.fixture(autouse=True)
def _forget_registrations() -> Iterator[None]:
    before = dict(ACTIVATIONS._added)
    yield
    ACTIVATIONS._added = before


def gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    (result,) = torch.autograd.grad(function(x).sum(), x)
    return result


def test_every_registered_name_is_tested() -> None:
    assert sorted(FORMULAS) == [name for name in ACTIVATIONS.names() if not ACTIVATIONS.is_users(name)]


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_value_is_keras_formula(name: str) -> None:
    x = torch.linspace(-30.0, 30.0, 1206, dtype=torch.float64).view(6, 201)

    torch.testing.assert_close(activations.get(name)(x), FORMULAS[name](x), rtol=1e-13, atol=1e-15)


@DTYPES
@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_value_keeps_shape_and_dtype(name: str, dtype: torch.dtype) -> None:
    value = activations.get(name)(torch.zeros(2, 0, 3, dtype=dtype))

    assert value.shape == (2, 0, 3)
    assert value.dtype == dtype


@pytest.mark.parametrize("name", WITH_DERIVATIVE)
def test_derivative_from_the_value_equals_autograd(name: str) -> None:
    activation = activations.get(name)
    x = torch.linspace(-6.0, 6.0, 1001, dtype=torch.float64)[torch.arange(1001) != 500]

    assert activation.derivative is not None
    torch.testing.assert_close(activation.derivative(activation(x)), gradient(activation, x), rtol=1e-12, atol=1e-12)


@DTYPES
@pytest.mark.parametrize("name", WITH_DERIVATIVE)
def test_derivative_keeps_the_dtype(name: str, dtype: torch.dtype) -> None:
    derivative = activations.get(name).derivative

    assert derivative is not None
    assert derivative(torch.zeros(3, dtype=dtype)).dtype == dtype


def test_softmax_alone_is_not_pointwise_and_has_no_derivative() -> None:
    assert [name for name in FORMULAS if not activations.get(name).pointwise] == ["softmax"]
    assert activations.softmax.derivative is None


def test_softmax_is_over_the_last_axis() -> None:
    value = activations.softmax(torch.randn(2, 5, 3))

    torch.testing.assert_close(value.sum(-1), torch.ones(2, 5))


@DTYPES
@pytest.mark.parametrize("corner", [2.5, -2.5])
def test_hard_sigmoid_at_and_beside_its_corners(corner: float, dtype: torch.dtype) -> None:
    """The value is that of clip(0.2 x + 0.5, 0, 1) to the last bit; the gradient is 0.2 up to and with the corner."""
    at = torch.tensor(corner, dtype=dtype)
    inside = torch.nextafter(at, torch.zeros_like(at))
    outside = torch.nextafter(at, at * 2)
    x = torch.stack([inside, at, outside])

    assert torch.equal(activations.hard_sigmoid(x), (0.2 * x + 0.5).clamp(0.0, 1.0))
    assert activations.hard_sigmoid(at).item() == (1.0 if corner > 0 else 0.0)
    assert torch.equal(gradient(activations.hard_sigmoid, x), torch.tensor([0.2, 0.2, 0.0], dtype=dtype))


@DTYPES
def test_hard_sigmoid_is_the_clipped_line_to_the_last_bit(dtype: torch.dtype) -> None:
    x = torch.cat([torch.linspace(-4.0, 4.0, 100_001, dtype=dtype), torch.tensor([torch.inf, -torch.inf], dtype=dtype)])

    assert torch.equal(activations.hard_sigmoid(x), (0.2 * x + 0.5).clamp(0.0, 1.0))


def test_hard_sigmoid_derivative_from_the_value_is_zero_at_the_corners() -> None:
    assert activations.hard_sigmoid.derivative is not None
    assert activations.hard_sigmoid.derivative(torch.tensor([0.0, 1.0])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("x", "keras2", "keras3"),
    [
        pytest.param(-2.5, 0.0, 1 / 12, id="lower-corner"),
        pytest.param(1.0, 0.7, 2 / 3, id="inside"),
        pytest.param(2.75, 1.0, 5.75 / 6, id="between-the-corners"),
    ],
)
def test_the_two_hard_sigmoids_differ(x: float, keras2: float, keras3: float) -> None:
    at = torch.tensor(x, dtype=torch.float64)

    assert activations.get("hard_sigmoid")(at).item() == pytest.approx(keras2, abs=1e-15)
    assert activations.get("hard_sigmoid_keras3")(at).item() == pytest.approx(keras3, abs=1e-15)


def test_the_two_hard_sigmoids_never_interchange() -> None:
    assert activations.get("hard_sigmoid") != activations.get("hard_sigmoid_keras3")
    for function in (torch.nn.functional.hardsigmoid, torch.nn.Hardsigmoid()):
        assert activations.get(function) not in (activations.hard_sigmoid, activations.hard_sigmoid_keras3)


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_built_in_activations_stay_one_object(name: str) -> None:
    """A name, the module's attribute, a pickle and a deep copy all give the same object."""
    activation = activations.get(name)

    assert activation is getattr(activations, name)
    assert activation is pickle.loads(pickle.dumps(activation))
    assert activation is copy.deepcopy(activation)
    assert activation.name == name


def test_none_is_linear() -> None:
    assert activations.get(None) is activations.linear


def test_an_activation_is_returned_as_it_is() -> None:
    own = Activation("own", torch.sin)

    assert activations.get(own) is own


def cube(x: Tensor) -> Tensor:
    return x**3


def test_a_registered_function_is_wrapped_and_not_pointwise() -> None:
    register.activation("cubed")(cube)

    assert activations.get("cubed") == Activation("cubed", cube, pointwise=False)
    assert activations.get("cubed")(torch.tensor(2.0)).item() == 8.0


@pytest.mark.parametrize(
    ("function", "name"),
    [
        pytest.param(torch.tanh, "tanh", id="torch-function"),
        pytest.param(cube, "cube", id="python-function"),
        pytest.param(torch.nn.Tanh(), "Tanh", id="module"),
        pytest.param(torch.nn.Tanh, "Tanh", id="class"),
    ],
)
def test_a_function_is_wrapped_and_not_pointwise(function: Callable[[Tensor], Tensor], name: str) -> None:
    activation = activations.get(function)

    assert activation.name == name
    assert not activation.pointwise
    assert activation.derivative is None
    assert activation(torch.zeros(2)).tolist() == [0.0, 0.0]


def test_a_wrapped_function_pickles() -> None:
    activation = activations.get(cube)

    assert pickle.loads(pickle.dumps(activation)) == activation


def test_repr_shows_name_and_kind() -> None:
    assert repr(activations.tanh) == "Activation(name='tanh', pointwise=True)"


NAMES = ", ".join(sorted(FORMULAS))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(
            "hardsigmoid",
            f"unknown activation 'hardsigmoid', expected one of {NAMES}\n  hint: did you mean 'hard_sigmoid'?",
            id="unknown-name",
        ),
        pytest.param(3.5, "activation must be a name, a function or None, found 3.5", id="number"),
        pytest.param(
            3,
            "activation must be a name, a function or None, found 3\n"
            "  hint: layers take units first: LSTM(units, input_size=...)",
            id="whole number",
        ),
    ],
)
def test_a_wrong_value_is_an_error(value: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        activations.get(value)  # type: ignore[arg-type]

    assert str(caught.value) == message
