"""The layers as functions: Keras's golden cases, torch.nn, torch.func, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_cases import WEIGHTS, Call, Case, float64_cases, read_float64, read_tensorflow, tensorflow_cases
from torch import Tensor

from rnnspec import functional, nn, use_engine
from rnnspec.engines import plan as planning
from rnnspec.engines.cells import Cell, ExtraWeight
from rnnspec.engines.cpu import Cpu
from rnnspec.engines.request import Request, Result, Tensors
from rnnspec.engines.steps import Steps
from rnnspec.errors import ConfigError, DTypeError, EngineError, MaskError, ShapeError, StateError, WeightsError

BATCH, TIME, FEATURES, UNITS = 4, 6, 2, 3
NOT_TRACED = "the call is neither compiled nor exported"
FUNCTIONS = {"SimpleRNN": functional.simple_rnn, "LSTM": functional.lstm, "GRU": functional.gru}
LAYERS = {"SimpleRNN": nn.SimpleRNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [0, 0, 1, 0, 1, 1], [0, 0, 0, 0, 0, 0]]).bool()
CELL_ARGUMENTS = ("activation", "recurrent_activation", "reset_after")
CALL_ARGUMENTS = ("return_sequences", "return_state", "go_backwards", "masked_start")

kinds = pytest.mark.parametrize("kind", LAYERS)


def draw(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


X = draw(BATCH, TIME, FEATURES)


def weights_of(kind: str) -> list[Tensor]:
    columns = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}[kind] * UNITS
    return [draw(FEATURES, columns, seed=2), draw(UNITS, columns, seed=3), draw(columns, seed=4)]


def states_of(kind: str) -> list[Tensor]:
    return [draw(BATCH, UNITS, seed=5), draw(BATCH, UNITS, seed=6)][: 2 if kind == "LSTM" else 1]


# Golden cases


def tensors(arrays: list[np.ndarray] | None, dtype: torch.dtype) -> list[Tensor] | None:
    return [torch.tensor(array, dtype=dtype, requires_grad=True) for array in arrays] if arrays else None


def arguments_of(case: Case, call: Call) -> dict[str, Any]:
    """The keyword arguments that stand for a layer's config and mode."""
    config, dtype = case.config, getattr(torch, case.dtype)
    arguments = {name: config[name] for name in (*CELL_ARGUMENTS, *CALL_ARGUMENTS) if name in config}
    if config.get("unroll"):
        arguments["masked_start"] = "zeros"
    masks = {"input_masks": call.input_masks, "recurrent_masks": call.recurrent_masks} if case.training else {}
    kept = 1 if config.get("implementation") == 2 else None
    arguments |= {name: tensors(arrays and arrays[:kept], dtype) for name, arrays in masks.items()}
    return {**arguments, "mask": None if call.mask is None else torch.tensor(call.mask)}


def play(case: Case, tolerances: tuple[float, float]) -> None:
    """Plays the calls of a case; a stateful layer's states are carried by hand."""
    near, gradient_near = tolerances
    dtype = getattr(torch, case.dtype)
    weights = [torch.tensor(array, dtype=dtype, requires_grad=True) for array in case.weights]
    states: list[Tensor] | None = None
    for call in case.calls:
        for weight in weights if not case.weight_gradients else ():
            weight.grad = None
        if call.reset is not None or not case.config.get("stateful"):
            states = tensors(call.reset, dtype)
        x, initial = torch.tensor(call.x, dtype=dtype, requires_grad=True), tensors(call.initial, dtype)
        arguments = {**arguments_of(case, call), "return_state": True}
        output, *found = FUNCTIONS[case.layer](x, *weights, initial_state=initial or states, **arguments)
        returned = found if case.config.get("return_state") else []
        states = [state.detach() for state in found]

        for got, want in zip([output, *returned], [call.output, *call.states], strict=True):
            assert_near(got, want, near)
        cotangents = [torch.tensor(array, dtype=dtype) for array in (call.cotangent, *call.state_cotangents)]
        torch.autograd.backward([output, *returned], cotangents)
        sources = {"x": x, **dict(zip(WEIGHTS, weights, strict=False))}
        sources |= {f"initial{index}": state for index, state in enumerate(initial or [])}
        for name, want in call.gradients.items():
            assert_near(sources[name].grad, want, gradient_near)
    for weight, want in zip(weights, case.weight_gradients.values(), strict=False):
        assert_near(weight.grad, want, gradient_near)


def assert_near(got: Tensor | None, want: np.ndarray, tolerance: float) -> None:
    """max|got - want| / max(1, max|want|), NaN as infinite."""
    assert got is not None
    assert tuple(got.shape) == want.shape
    difference = np.abs(got.detach().numpy().astype(np.float64) - want.astype(np.float64))
    error = np.nan_to_num(difference, nan=np.inf).max(initial=0) / max(1.0, np.abs(want).max(initial=0))
    assert error <= tolerance


@pytest.mark.parametrize("path", [pytest.param(path, id=name) for name, path in float64_cases()])
def test_float64_set(path: Path) -> None:
    """Keras 2.0.8's own layers computed in float64."""
    play(read_float64(path), (1e-12, 1e-10))


@pytest.mark.parametrize("path", [pytest.param(path, id=name) for name, path in tensorflow_cases()])
def test_tensorflow_set(path: Path) -> None:
    """Keras 2.0.8 on TensorFlow 1.4.1."""
    case = read_tensorflow(path)
    play(case, (1e-12, 1e-10) if case.dtype == "float64" else (5e-6, 3e-5))


# torch.nn and the layers


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        pytest.param("SimpleRNN", {}, id="RNN"),
        pytest.param("LSTM", {"recurrent_activation": "sigmoid"}, id="LSTM"),
        pytest.param("GRU", {"recurrent_activation": "sigmoid", "reset_after": True}, id="GRU"),
    ],
)
def test_torchs_own_layers_agree(kind: str, options: dict[str, Any]) -> None:
    theirs = getattr(torch.nn, kind.removeprefix("Simple"))(FEATURES, UNITS, batch_first=True, dtype=torch.float64)
    order = [1, 0, 2] if kind == "GRU" else list(range({"SimpleRNN": 1, "LSTM": 4}[kind]))  # torch: r, z, n

    def ours(name: str) -> Tensor:
        blocks = getattr(theirs, f"{name}_l0").detach().chunk(len(order))
        return torch.cat([blocks[index] for index in order])

    both = torch.stack([ours("bias_ih"), ours("bias_hh")])
    bias = both if kind == "GRU" else both.sum(0)
    states = states_of(kind)
    given = tuple(state.unsqueeze(0) for state in states)
    want, final = theirs(X, given if kind == "LSTM" else given[0])
    output, *found = FUNCTIONS[kind](
        X, ours("weight_ih").T, ours("weight_hh").T, bias,
        initial_state=states, return_sequences=True, return_state=True, **options,
    )  # fmt: skip
    torch.testing.assert_close(output, want, rtol=0, atol=1e-12)
    for state, wanted in zip(found, final if kind == "LSTM" else (final,), strict=True):
        torch.testing.assert_close(state, wanted[0], rtol=0, atol=1e-12)


@kinds
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="last"),
        pytest.param({"return_sequences": True}, id="sequence"),
        pytest.param({"return_state": True, "go_backwards": True, "masked_start": "zeros"}, id="states-backwards"),
        pytest.param({"return_sequences": True, "return_state": True, "go_backwards": True}, id="all-backwards"),
        pytest.param({"activation": "relu"}, id="activation"),
    ],
)
def test_a_function_returns_what_its_layer_does(kind: str, masked: bool, options: dict[str, Any]) -> None:
    weights, states = weights_of(kind), states_of(kind)
    layer = LAYERS[kind](UNITS, input_size=FEATURES, weights=weights, dtype=torch.float64, **options)
    mask = MASK if masked else None
    want = layer(X, mask=mask, initial_state=states)
    got = FUNCTIONS[kind](X, *weights, mask=mask, initial_state=states, **options)
    assert type(got) is type(want)
    torch.testing.assert_close(got, want, rtol=0, atol=1e-15)


class Scaled(Cell):
    """A user's cell with a weight of its own and a narrow output."""

    gates = ("a", "b")

    def state_sizes(self, units: int) -> tuple[int, ...]:
        return (1,)

    def extra_weights(self, units: int) -> dict[str, ExtraWeight]:
        return {"scale": ExtraWeight((units, 1), "ones")}

    def step(self, x: Any, states: Any, recur: Any, **weights: Tensor) -> Any:
        a, b = recur(states[0])
        return (torch.tanh(x[0] + a) * torch.sigmoid(x[1] + b) @ weights["scale"],)


SCALED = {"kernel": draw(FEATURES, 2 * UNITS), "recurrent_kernel": draw(1, 2 * UNITS), "bias": draw(2 * UNITS)}


def test_a_users_cell_runs_with_its_own_weights() -> None:
    scale = draw(UNITS, 1)
    layer = nn.RNN(Scaled(), UNITS, input_size=FEATURES, weights=[*SCALED.values(), scale], dtype=torch.float64)
    assert torch.equal(functional.rnn(Scaled(), X, **SCALED, extra_weights={"scale": scale}), layer(X))


@kinds
def test_the_bias_may_be_left_out(kind: str) -> None:
    kernel, recurrent, bias = weights_of(kind)
    without = FUNCTIONS[kind](X, kernel, recurrent)
    assert torch.equal(without, FUNCTIONS[kind](X, kernel, recurrent, torch.zeros_like(bias)))


@kinds
def test_one_sequence_needs_no_batch(kind: str) -> None:
    weights, states = weights_of(kind), states_of(kind)
    masks = [draw(FEATURES, seed=7)] * {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}[kind]
    dropped = draw(UNITS, seed=8)
    whole = FUNCTIONS[kind](
        X[2:3], *weights, mask=MASK[2:3], initial_state=[state[2:3] for state in states], return_state=True,
        input_masks=[mask[None] for mask in masks], recurrent_masks=dropped[None],
    )  # fmt: skip
    alone = FUNCTIONS[kind](
        X[2], *weights, mask=MASK[2], initial_state=[state[2] for state in states], return_state=True,
        input_masks=masks, recurrent_masks=dropped,
    )  # fmt: skip
    assert all(torch.equal(one, row[0]) for one, row in zip(alone, whole, strict=True))
    assert FUNCTIONS[kind](X[2], *weights, return_sequences=True).shape == (TIME, UNITS)


# The plan


class Spy(Steps):
    """An engine that keeps what it is asked to do."""

    name = "spy"
    asked: tuple[Request, Tensors]

    def run(self, request: Request, tensors: Tensors) -> Result:
        self.asked = (request, tensors)
        return super().run(request, tensors)


def test_the_plan_chooses_the_engine_from_the_whole_request(monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy()
    monkeypatch.setattr(planning, "ENGINES", (Steps(), spy))
    weights, masks = weights_of("LSTM"), [torch.ones(BATCH, FEATURES)] * 4
    with use_engine("spy"):
        functional.lstm(
            X, *weights, mask=MASK.int(), go_backwards=True, masked_start="zeros", return_sequences=True,
            input_masks=masks, recurrent_masks=torch.ones(BATCH, UNITS), checkpoint_every=4,
        )  # fmt: skip
    request, given = spy.asked
    layer = nn.LSTM(
        UNITS, input_size=FEATURES, dtype=torch.float64, go_backwards=True, masked_start="zeros", return_sequences=True,
        dropout=0.5, recurrent_dropout=0.5, checkpoint_every=4,
    )  # fmt: skip
    want = layer.request((BATCH, TIME, FEATURES), masked=True)
    assert {**vars(request), "recurrent_dropout": "per gate"} == vars(want)
    assert request.recurrent_dropout == "shared"
    assert given.mask is not None
    assert given.mask.dtype == torch.bool
    assert given.input_masks is not None
    assert given.input_masks[0].dtype == torch.float64


def test_an_engine_that_cannot_run_a_call_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cpu, "refuses", lambda self, request: "it is cold")
    monkeypatch.setattr(Steps, "refuses", lambda self, request: "it is tired")
    with pytest.raises(EngineError) as error:
        functional.lstm(X, *weights_of("LSTM"))
    why = ("not cpu, because it is cold", f"not scan, because {NOT_TRACED}", "not steps, because it is tired")
    want = "; ".join(why)
    assert str(error.value) == f"no engine can run this call: {want}"


# What is refused

K, R, B = weights_of("LSTM")


@pytest.mark.parametrize(
    ("given", "options", "kind", "message"),
    [
        pytest.param(([1.0], K, R, B), {}, DTypeError, "LSTM takes x as a tensor, found list", id="x-list"),
        pytest.param((X, K.numpy(), R), {}, DTypeError, "LSTM takes kernel as a tensor, found ndarray", id="array"),
        pytest.param(
            (X[0, 0], K, R, B), {}, ShapeError,
            "LSTM expects an input of shape (batch, time, features) or (time, features), found (2,)", id="rank",
        ),
        pytest.param((draw(4, 6, 5), K, R, B), {}, ShapeError, "LSTM expects 2 features, found 5", id="features"),
        pytest.param(
            (X.float(), K, R, B), {}, DTypeError,
            "LSTM has weights of dtype torch.float64, the input has torch.float32", id="x-dtype",
        ),
        pytest.param(
            (X, K, R.float(), B), {}, DTypeError,
            "LSTM: the recurrent_kernel has dtype torch.float32, the kernel has torch.float64", id="weight-dtype",
        ),
        pytest.param(
            (X.int(), K.int(), R.int()), {}, DTypeError,
            "LSTM computes in floating point, its kernel has dtype torch.int32", id="integers",
        ),
        pytest.param(
            (X, K[:, :11], R, B), {}, WeightsError,
            "LSTM expects a kernel of shape (features, 4 * units), found (2, 11)", id="columns",
        ),
        pytest.param(
            (X, K[:, :0], R, B), {}, WeightsError,
            "LSTM expects a kernel of shape (features, 4 * units), found (2, 0)", id="no-columns",
        ),
        pytest.param(
            (X, K[0], R, B), {}, WeightsError,
            "LSTM expects a kernel of shape (features, 4 * units), found (12,)", id="kernel-rank",
        ),
        pytest.param(
            (X, K, R.T, B[:3]), {}, WeightsError,
            "LSTM expects its recurrent_kernel to have the shape (3, 12), found (12, 3)\n"
            "LSTM expects its bias to have the shape (12,), found (3,)", id="both-shapes",
        ),
        pytest.param((X, K, R, B), {"mask": [1, 2]}, MaskError,
            "LSTM takes a mask tensor of shape (batch, time), found list", id="mask-list",
        ),
        pytest.param((X, K, R, B), {"mask": MASK[:, :5]}, MaskError,
            "LSTM expects a mask of shape (batch, time) = (4, 6), found (4, 5)", id="mask-shape",
        ),
        pytest.param((X, K, R, B), {"initial_state": draw(4, 3)}, StateError,
            "LSTM has 2 states (h, c), initial_state has 1", id="states",
        ),
        pytest.param((X, K, R, B), {"input_masks": [draw(4, 2)] * 3}, ShapeError,
            "LSTM expected 1 or 4 masks (gates i, f, c, o) in input_masks, found 3", id="mask-count",
        ),
        pytest.param((X, K, R, B), {"recurrent_masks": draw(4, 2)}, ShapeError,
            "LSTM: a dropout mask has shape (4, 2), expected (4, 3)", id="dropout-mask-shape",
        ),
        pytest.param((X, K, R, B), {"masked_start": "one"}, ConfigError,
            "masked_start must be state or zeros, found 'one'", id="masked-start",
        ),
        pytest.param((X, K, R, B), {"checkpoint_every": -1}, ConfigError,
            "checkpoint_every must be an integer of 0 or more, found -1", id="checkpoints",
        ),
        pytest.param((X, K, R, B), {"activation": "tanhh"}, ConfigError,
            "unknown activation 'tanhh', expected one of elu, hard_sigmoid, hard_sigmoid_keras3, linear, relu, selu, "
            "sigmoid, softmax, softplus, softsign, tanh\n  hint: did you mean 'tanh'?", id="activation",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(given: Any, options: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind) as error:
        functional.lstm(*given, **options)
    assert str(error.value) == message


def test_a_cell_of_one_gate_and_a_cell_with_weights_of_its_own_say_so() -> None:
    with pytest.raises(WeightsError) as error:
        functional.simple_rnn(X, B, R)
    assert str(error.value) == "SimpleRNN expects a kernel of shape (features, units), found (12,)"
    with pytest.raises(WeightsError) as error:
        functional.rnn(Scaled(), X, **SCALED, extra_weights={"scales": B})
    assert str(error.value) == (
        "Scaled has the weights kernel, recurrent_kernel, bias, scale, "
        "it was given kernel, recurrent_kernel, bias, scales"
    )
