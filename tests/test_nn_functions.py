"""Lambda: the function, its arguments, masks and shapes, and the words of its errors."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch
from torch import Tensor

import rnnspec
from rnnspec.errors import ConfigError, ShapeError
from rnnspec.nn import GRU, Dense, Embedding, Flatten, Lambda, LeakyReLU, Masking, Permute, Sequential
from rnnspec.nn.base import Layer
from rnnspec.registry import FUNCTIONS

X = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(1))


def scaled(x: Tensor, factor: float = 2.0) -> Tensor:
    """A function with an argument."""
    return factor * x


def mean_of_valid(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """A function that takes the mask: the mean over the valid steps."""
    weights = torch.ones_like(x[..., 0]) if mask is None else mask.to(x.dtype)
    return (x * weights.unsqueeze(-1)).sum(1) / weights.sum(1, keepdim=True)


def every_second(x: Tensor, mask: Tensor | None) -> Tensor | None:
    """The mask of every second step."""
    return None if mask is None else mask[:, ::2]


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FUNCTIONS, "_added", {"scaled": scaled, "every_second": every_second, "abs": torch.abs})


# The function


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        pytest.param(Lambda(scaled), 2 * X, id="function"),
        pytest.param(Lambda(scaled, arguments={"factor": 0.5}), 0.5 * X, id="arguments"),
        pytest.param(Lambda(torch.sin), X.sin(), id="function-of-c"),
        pytest.param(Lambda(torch.softmax, arguments={"dim": 1}), X.softmax(1), id="function-of-c-arguments"),
        pytest.param(Lambda(lambda x: x[:, -1]), X[:, -1], id="lambda"),
        pytest.param(Lambda(mean_of_valid), X.mean(1), id="without-mask"),
    ],
)
def test_the_function_is_called_with_the_input_and_its_arguments(layer: Layer, expected: Tensor) -> None:
    torch.testing.assert_close(layer(X), expected)


def test_a_registered_name_stands_for_its_function() -> None:
    assert Lambda("scaled").function is scaled
    assert torch.equal(Lambda("abs")(X), X.abs())


def test_the_arguments_are_copied() -> None:
    arguments = {"factor": 3.0}
    layer = Lambda(scaled, arguments=arguments)
    arguments["factor"] = 4.0

    assert torch.equal(layer(X), 3.0 * X)


def test_the_gradient_flows_through_the_function() -> None:
    x = X.double().requires_grad_()

    assert torch.autograd.gradcheck(Lambda(torch.tanh), (x,))


def test_the_weights_of_a_module_are_those_of_the_layer() -> None:
    layer = Lambda(torch.nn.Linear(4, 3), output_shape=(5, 3))

    assert list(layer.state_dict()) == ["function.weight", "function.bias"]
    assert Sequential([layer, Dense(2)])(X).shape == (2, 5, 2)


def test_a_config_builds_it_from_names() -> None:
    config = rnnspec.from_dict(
        {"Lambda": {"function": "scaled", "arguments": {"factor": 3}, "mask": "every_second", "input_shape": [5, 4]}}
    )
    layer: Any = rnnspec.build(config, device="cpu")

    assert type(layer) is Lambda
    assert layer.function is scaled
    assert layer.mask is every_second
    assert torch.equal(layer(X), 3.0 * X)
    assert torch.equal(pickle.loads(pickle.dumps(layer))(X), 3.0 * X)


# Masks


def test_a_function_that_takes_the_mask_gets_it() -> None:
    x = torch.tensor([[[1.0], [3.0], [0.0]], [[5.0], [0.0], [0.0]]])

    assert Sequential([Masking(), Lambda(mean_of_valid)])(x).tolist() == [[2.0], [5.0]]


def test_a_mask_ends_at_a_lambda() -> None:
    embedding = Embedding(9, 4, mask_zero=True, input_length=3)
    ids = torch.tensor([[3, 5, 0], [2, 0, 0]])

    assert torch.equal(Sequential([embedding, Lambda(scaled), Flatten()])(ids), 2 * embedding(ids).flatten(1))


def test_the_function_mask_makes_the_mask_of_the_output() -> None:
    embedding, gru = Embedding(9, 4, mask_zero=True, input_length=4), GRU(3)
    model = Sequential([embedding, Lambda(lambda x: x[:, ::2], mask=every_second), gru])
    ids = torch.tensor([[3, 5, 0, 0], [2, 4, 6, 0]])
    mask = torch.tensor([[True, False], [True, True]])

    assert torch.equal(model(ids), gru(embedding(ids)[:, ::2], mask=mask))


# Shapes


@pytest.mark.parametrize(
    ("layer", "shape", "output"),
    [
        pytest.param(Lambda(scaled), (None, 5, 4), (None, 5, 4), id="found"),
        pytest.param(Lambda(scaled), (None, None, None), (None, None, None), id="found-free"),
        pytest.param(Lambda(scaled), (2, 5), (2, 5), id="found-whole"),
        pytest.param(Lambda(lambda x: x.transpose(1, 2)), (None, None, 4), (None, 4, None), id="found-swapped"),
        pytest.param(Lambda(lambda x: x[:, :-1]), (None, None, 4), (None, None, 4), id="found-shorter"),
        pytest.param(Lambda(lambda x: x.flatten(1)), (2, None, 4), (2, None), id="found-product"),
        pytest.param(Lambda(lambda x: x[0]), (None, 5, 4), (5, 4), id="found-without-batch"),
        pytest.param(Lambda(mean_of_valid), (None, None, 4), (None, 4), id="found-takes-mask"),
        pytest.param(Lambda(scaled, (5, None)), (None, 5, 4), (None, 5, None), id="stated"),
        pytest.param(Lambda(scaled, lambda shape: shape[:2]), (2, 5, 4), (2, 5), id="stated-by-a-function"),
    ],
)
def test_the_output_shape_is_stated_or_found_by_trying(
    layer: Layer, shape: tuple[int | None, ...], output: tuple[int | None, ...]
) -> None:
    assert layer.compute_output_shape(shape) == output


def test_trying_calls_no_hooks_and_draws_nothing() -> None:
    layer, calls = Lambda(torch.rand_like), []
    layer.register_forward_hook(lambda *call: calls.append(call))
    before = torch.get_rng_state()

    assert layer.compute_output_shape((None, 5)) == (None, 5)
    assert calls == []
    assert torch.equal(torch.get_rng_state(), before)


def test_a_function_is_tried_in_the_dtype_of_the_layer() -> None:
    seen = []
    Lambda(lambda x: seen.append(x.dtype) or x, dtype=torch.float64).compute_output_shape((None, 5))

    assert seen == [torch.float64, torch.float64]


# Errors


def test_a_function_that_cannot_be_tried_asks_for_its_output_shape() -> None:
    with pytest.raises(ShapeError) as caught:
        Sequential([Lambda(lambda x: x[: int(x.sum())], name="cut", input_shape=(5, 4))])
    message, hint = str(caught.value).splitlines()

    assert message.startswith("layer 0, Lambda 'cut': <lambda> failed on an input of shape (None, 5, 4): ")
    assert hint == "  hint: give output_shape if it works on numbers: only its shape was asked for, on the meta device"


@pytest.mark.parametrize("output", [[X], None, 3], ids=["list", "None", "number"])
def test_a_function_must_return_a_tensor(output: Any) -> None:
    layer = Lambda(lambda x: output, name="odd")
    message = f"Lambda 'odd': <lambda> must return a tensor, found {type(output).__name__}"
    for ask in (lambda: layer(X), lambda: layer.compute_output_shape((2, 5))):
        with pytest.raises(ConfigError) as caught:
            ask()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"function": 3}, "function must be a function or the name of a registered one, found 3", id="function"
        ),
        pytest.param(
            {"function": "scled"},
            "unknown function 'scled', expected one of abs, every_second, scaled\n  hint: did you mean 'scaled'?",
            id="unknown",
        ),
        pytest.param(
            {"function": scaled, "mask": True},
            "mask must be a function or the name of a registered one, found True",
            id="mask",
        ),
        pytest.param(
            {"function": scaled, "output_shape": 3},
            "output_shape must be a shape, a function or the name of a registered one, found 3",
            id="output-shape",
        ),
    ],
)
def test_what_is_no_function_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Lambda(**arguments)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("layer", "text"),
    [(Lambda(scaled), "Lambda(scaled)"), (Lambda(scaled, arguments={"factor": 3}), "Lambda(scaled, factor=3)")],
    ids=["plain", "arguments"],
)
def test_repr(layer: Layer, text: str) -> None:
    assert repr(layer) == text


@pytest.mark.compiled
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_a_model_of_small_layers_compiles_whole(training: bool) -> None:
    model = Sequential(
        [
            rnnspec.nn.SpatialDropout1D(0.5),
            LeakyReLU(),
            rnnspec.nn.PReLU(shared_axes=1),
            rnnspec.nn.ActivityRegularization(0.1),
            rnnspec.nn.ELU(),
            rnnspec.nn.ThresholdedReLU(0.1),
            Permute((2, 1)),
            Lambda(torch.cumsum, arguments={"dim": 1}),
            rnnspec.nn.Reshape((-1, 2)),
            Flatten(),
            rnnspec.nn.RepeatVector(3),
        ]
    ).train(training)
    model.build((None, 5, 4))
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    torch.manual_seed(1)
    expected = model(X)
    torch.manual_seed(1)

    assert torch.equal(compiled(X), expected)
