"""from_torch and to_torch: torch's own modules against ours, over every form that torch has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import rnnspec
from rnnspec import nn
from rnnspec.nn.recurrence import Recurrence

BATCH, TIME, FEATURES, UNITS = 4, 6, 3, 2
LENGTHS = torch.tensor([6, 2, 4, 1])
KINDS = {"LSTM": (torch.nn.LSTM, {}), "GRU": (torch.nn.GRU, {}), "RNN-tanh": (torch.nn.RNN, {}),
         "RNN-relu": (torch.nn.RNN, {"nonlinearity": "relu"})}  # fmt: skip
ORDERS = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "RNN": (0,)}  # the block of torch's rows for each gate of Keras

kinds = pytest.mark.parametrize("kind", KINDS)
directions = pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
depths = pytest.mark.parametrize("layers", [1, 2, 3])
biases = pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
majors = pytest.mark.parametrize("batch_first", [True, False], ids=["batch-first", "time-first"])


def grid(test: Any) -> Any:
    for mark in (majors, biases, depths, directions, kinds):
        test = mark(test)
    return test


def torch_module(kind: str, dtype: torch.dtype = torch.float64, **options: Any) -> Any:
    module, own = KINDS[kind]
    return module(**{"input_size": FEATURES, "hidden_size": UNITS, "dtype": dtype, **own, **options})


def halves(model: torch.nn.Module) -> Iterator[Recurrence]:
    """The recurrent layers of a model, in torch's order."""
    return (part for part in model.modules() if isinstance(part, Recurrence))


def final_states(model: torch.nn.Module, x: Tensor, mask: Tensor | None = None) -> list[Tensor]:
    """The final states of every layer and direction, h of all and then c of all, as torch orders them."""
    found = []
    for layer in model if isinstance(model, nn.Sequential) else [model]:
        for part in [layer, *halves(layer)]:
            part.return_state = True
        x, *states = layer(x, mask=mask)
        each = len(states) // len(list(halves(layer)))
        found += [states[index : index + each] for index in range(0, len(states), each)]
    return [torch.stack(column) for column in zip(*found, strict=True)]


def expected_gradients(theirs: torch.nn.Module) -> list[Tensor]:
    """The gradients of torch's weights in our layout and order."""
    order = ORDERS[type(theirs).__name__]

    def ours(weight: Tensor) -> Tensor:
        assert weight.grad is not None
        blocks = weight.grad.chunk(len(order))
        return torch.cat([blocks[index] for index in order])

    found = []
    for names in theirs.all_weights:
        w, u, *bias = (ours(weight) for weight in names)  # type: ignore[union-attr]
        # Both biases of an LSTM get the gradient of their sum.
        found += [w.T, u.T, *([torch.stack(bias) if len(order) == 3 else bias[0]] if bias else [])]
    return found


def data(theirs: Any) -> Tensor:
    shape = (BATCH, TIME) if theirs.batch_first else (TIME, BATCH)
    return torch.randn(*shape, FEATURES, dtype=theirs.weight_ih_l0.dtype)


def assert_near(got: Tensor, want: Tensor) -> None:
    """max|got - want| / max(1, max|want|) within 1e-6; float64 within 1e-12."""
    assert got.shape == want.shape
    bound = 1e-12 if want.dtype == torch.float64 else 1e-6
    error = (got - want).detach().abs().max() / want.detach().abs().max().clamp(min=1.0)
    assert error <= bound


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@grid
def test_outputs_states_and_gradients_are_those_of_torch(
    kind: str, bidirectional: bool, layers: int, bias: bool, batch_first: bool, dtype: torch.dtype
) -> None:
    theirs = torch_module(
        kind, dtype, bidirectional=bidirectional, num_layers=layers, bias=bias, batch_first=batch_first
    )
    ours = rnnspec.from_torch(theirs)
    x = data(theirs).requires_grad_()
    want, states = theirs(x)
    output = ours(x)
    assert_near(output, want)
    for got, wanted in zip(final_states(ours, x), states if kind == "LSTM" else (states,), strict=True):
        assert_near(got, wanted)

    cotangent = torch.randn_like(want)
    (x_want,) = torch.autograd.grad(want, x, cotangent, retain_graph=True)
    (x_got,) = torch.autograd.grad(output, x, cotangent, retain_graph=True)
    assert_near(x_got, x_want)
    want.backward(cotangent)
    output.backward(cotangent)
    for parameter, wanted in zip(ours.parameters(), expected_gradients(theirs), strict=True):
        assert_near(parameter.grad, wanted)


@grid
def test_a_mask_does_what_packing_does(
    kind: str, bidirectional: bool, layers: int, bias: bool, batch_first: bool
) -> None:
    theirs = torch_module(kind, bidirectional=bidirectional, num_layers=layers, bias=bias, batch_first=batch_first)
    ours = rnnspec.from_torch(theirs)
    x, time_axis = data(theirs), 1 if batch_first else 0
    packed = pack_padded_sequence(x, LENGTHS, batch_first=batch_first, enforce_sorted=False)
    out, states = theirs(packed)
    want, _ = pad_packed_sequence(out, batch_first=batch_first)
    mask = torch.arange(TIME) < LENGTHS[:, None]
    mask = mask if batch_first else mask.T
    output = ours(x.masked_fill(~mask.unsqueeze(-1), torch.nan), mask=mask)
    assert_near(output.masked_fill(~mask.unsqueeze(-1), 0.0), want)
    assert want.shape[time_axis] == TIME
    for got, wanted in zip(final_states(ours, x, mask), states if kind == "LSTM" else (states,), strict=True):
        assert_near(got, wanted)
    assert_near(pad_packed_sequence(ours_packed(ours, packed), batch_first=batch_first)[0], want)


def ours_packed(ours: torch.nn.Module, packed: Any) -> Any:
    """A packed sequence in and out; the layers give back what `final_states` let them return beside it."""
    for part in ours.modules():
        if isinstance(part, (Recurrence, nn.Bidirectional)):
            part.return_state = False
    return ours(packed)


@grid
def test_there_and_back_is_the_same_module(
    kind: str, bidirectional: bool, layers: int, bias: bool, batch_first: bool
) -> None:
    options = {"bidirectional": bidirectional, "num_layers": layers, "bias": bias, "batch_first": batch_first}
    theirs = torch_module(kind, **options, dropout=0.25 if layers > 1 else 0.0)
    back = rnnspec.to_torch(rnnspec.from_torch(theirs))
    assert type(back) is type(theirs)
    assert repr(back) == repr(theirs)
    assert [name for name, _ in back.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    x = data(theirs)
    assert_near(back.eval()(x)[0], theirs.eval()(x)[0])
    back(x)[0].sum().backward()
    assert all(parameter.grad is not None for parameter in back.parameters())


CELLS = {"LSTM": torch.nn.LSTMCell, "GRU": torch.nn.GRUCell, "RNN": torch.nn.RNNCell}


@biases
@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_becomes_a_cell_and_comes_back(kind: str, bias: bool) -> None:
    theirs = CELLS[kind](FEATURES, UNITS, bias=bias, dtype=torch.float64)
    ours = rnnspec.from_torch(theirs)
    x = torch.randn(BATCH, FEATURES, dtype=torch.float64)
    states = list(torch.randn(2 if kind == "LSTM" else 1, BATCH, UNITS, dtype=torch.float64))
    given = tuple(states) if kind == "LSTM" else states[0]
    want = theirs(x, given)
    output, found = ours(x, states)
    for got, wanted in zip(found, want if kind == "LSTM" else (want,), strict=True):
        assert_near(got, wanted)
    assert torch.equal(output, found[0])
    back = rnnspec.to_torch(ours)
    assert repr(back) == repr(theirs)
    assert_near(back(x, given)[0], want[0])
