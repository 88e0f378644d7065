"""torch's transforms of the functions: grad, vmap over samples and over weights, jvp, double backward, compile."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import grad, jvp, vmap

from rnnspec import functional

FUNCTIONS = {"SimpleRNN": functional.simple_rnn, "LSTM": functional.lstm, "GRU": functional.gru}
GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0]]).bool()

# Forward-mode differentiation of torch's own operations still goes through it.
forward_mode = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
kinds = pytest.mark.parametrize("kind", FUNCTIONS)


def draw(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


X = draw(3, 4, 2, seed=1)


def weights_of(kind: str, *stacked: int) -> tuple[Tensor, Tensor, Tensor]:
    columns = GATES[kind] * 2
    shapes = ((2, columns), (2, columns), (columns,))
    kernel, recurrent, bias = (draw(*stacked, *shape, seed=seed) for seed, shape in enumerate(shapes))
    return kernel, recurrent, bias


def called(kind: str, x: Tensor, *weights: Tensor, **call: Any) -> Tensor:
    """A call with everything in it: a mask, an initial state and dropout masks, one of which drops."""
    batch = x.shape[:-2]
    states = [torch.full((*batch, 2), 0.3, dtype=x.dtype)] * (2 if kind == "LSTM" else 1)
    masks = [torch.tensor([2.0, 0.0], dtype=x.dtype).expand(*batch, 2)] * GATES[kind]
    return FUNCTIONS[kind](  # type: ignore[return-value]
        x, *weights, initial_state=states, input_masks=masks, recurrent_masks=masks[0], **call
    )


@forward_mode
@kinds
def test_first_and_second_derivatives_are_right(kind: str) -> None:
    inputs = [tensor.requires_grad_() for tensor in (X[:, :3].clone(), *weights_of(kind))]

    def loss(*tensors: Tensor) -> Tensor:
        return called(kind, *tensors, mask=MASK[:, :3], activation="sigmoid")

    assert torch.autograd.gradcheck(loss, inputs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(loss, inputs)


@kinds
def test_vmap_over_samples_gives_gradients_of_each(kind: str) -> None:
    weights = weights_of(kind)

    def loss(kernel: Tensor, x: Tensor, mask: Tensor) -> Tensor:
        return called(kind, x, kernel, *weights[1:], mask=mask).square().sum()

    mapped = vmap(grad(loss), in_dims=(None, 0, 0))(weights[0], X, MASK)
    for row in range(3):
        torch.testing.assert_close(mapped[row], grad(loss)(weights[0], X[row], MASK[row]), rtol=0, atol=1e-12)


@kinds
def test_vmap_over_weights_runs_many_models_at_once(kind: str) -> None:
    weights = weights_of(kind, 5)
    mapped = vmap(lambda *own: called(kind, X, *own, mask=MASK))(*weights)
    for model, got in enumerate(mapped):
        torch.testing.assert_close(got, called(kind, X, *(weight[model] for weight in weights), mask=MASK))


@forward_mode
@kinds
def test_jvp_agrees_with_the_gradient(kind: str) -> None:
    weights, tangent = weights_of(kind), draw(2, GATES[kind] * 2, seed=9)

    def loss(kernel: Tensor) -> Tensor:
        return called(kind, X, kernel, *weights[1:], mask=MASK).sum()

    _, forward = jvp(loss, (weights[0],), (tangent,))
    torch.testing.assert_close(forward, (grad(loss)(weights[0]) * tangent).sum())


@pytest.mark.slow
@pytest.mark.compiled
@kinds
def test_compile_traces_the_whole_call(kind: str) -> None:
    weights = weights_of(kind)
    call = {"mask": MASK, "checkpoint_every": 2}
    compiled = torch.compile(lambda x, *own: called(kind, x, *own, **call), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(X, *weights), called(kind, X, *weights, **call))


@pytest.mark.slow
@pytest.mark.compiled
def test_one_graph_serves_twelve_lengths() -> None:
    weights, graphs = weights_of("LSTM"), []

    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Any:
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(lambda x: functional.lstm(x, *weights), fullgraph=True, dynamic=True, backend=backend)
    for time in range(4, 16):  # no other size is among them: torch takes equal sizes for the same one
        x = draw(3, time, 2, seed=time)
        torch.testing.assert_close(compiled(x), functional.lstm(x, *weights))
    assert len(graphs) == 1


@kinds
def test_under_autocast_the_output_keeps_the_weights_dtype(kind: str) -> None:
    weights = [weight.float() for weight in weights_of(kind)]
    with torch.autocast("cpu", torch.bfloat16):
        low = FUNCTIONS[kind](X.float(), *weights)
    assert isinstance(low, Tensor)
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, FUNCTIONS[kind](X.float(), *weights), rtol=0.05, atol=0.05)
