"""The engine `scan`: what it is asked for, what torch's private operation must stay, and its numbers in float64."""

from __future__ import annotations

import copy
import inspect
import operator
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._higher_order_ops.scan import scan
from torch._inductor import config as inductor

from rnnspec import dropout_masks, nn, use_engine
from rnnspec.engines import plan as planning, scan as engine
from rnnspec.engines.cells import Cell, ExtraWeight
from rnnspec.engines.request import Request
from rnnspec.errors import EngineError

ROOT = Path(__file__).parent.parent


class Peephole(Cell):
    """A cell of one's own, with a weight of its own and an output narrower than its units."""

    gates = ("i", "o")
    states = ("h", "c")

    def state_sizes(self, units: int) -> tuple[int, ...]:
        return (2, units)

    def extra_weights(self, units: int) -> Any:
        return {"peep": ExtraWeight((units,), "ones"), "projection": ExtraWeight((units, 2), "glorot_uniform")}

    def step(self, x: Any, states: Any, recur: Any, **weights: Tensor) -> Any:
        h, c = states
        ui, uo = recur(h)
        c = c + torch.tanh(x[0] + ui + weights["peep"] * c)
        return (torch.sigmoid(x[1] + uo) * c) @ weights["projection"], c


KINDS = {
    "lstm": lambda **options: nn.LSTM(3, **options),
    "gru": lambda **options: nn.GRU(3, **options),
    "gru-reset-after": lambda **options: nn.GRU(3, reset_after=True, **options),
    "simple-rnn": lambda **options: nn.SimpleRNN(3, **options),
    "own-cell": lambda **options: nn.RNN(Peephole(), 3, **options),
}
EVERYTHING = {
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "masked_start": "zeros",
    "dropout": 0.3,
    "recurrent_dropout": 0.3,
}
FEW = {"implementation": 2, "dropout": 0.3, "recurrent_dropout": 0.3}


def gradients(layer: Any, call: Any, rows: int, time: int) -> list[Any]:
    """Outputs and gradients of a call with a mask, initial states and drawn dropout masks, all from one seed."""
    torch.manual_seed(rows + time)
    sizes = layer.cell.state_sizes(3)
    x = torch.randn(rows, time, 2, dtype=torch.float64, requires_grad=True)
    states = [torch.randn(rows, size, dtype=torch.float64, requires_grad=True) for size in sizes]
    mask = torch.rand(rows, time) > 0.3
    mask[0] = False
    outputs = call(x, mask=mask, initial_state=states)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    loss = sum(
        (output * torch.linspace(0.5, 1, output.numel(), dtype=torch.float64).view(output.shape)).sum()
        for output in outputs
    )
    return [*outputs, *torch.autograd.grad(loss, [x, *states, *layer.parameters()], allow_unused=True)]


@pytest.fixture(autouse=True)
def _without_the_engine_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU: a compiled call takes `scan`, any other `steps`."""
    torch._dynamo.reset()
    monkeypatch.setattr(planning, "ENGINES", planning.ENGINES[1:])


def test_an_eager_call_is_refused_in_words() -> None:
    layer = nn.LSTM(3, input_size=2)
    refusal = "the call is neither compiled nor exported"
    assert layer.plan((4, 5, 2)).engine == "steps"
    with use_engine("scan"), pytest.raises(EngineError) as error:
        layer(torch.zeros(1, 2, 2))
    assert str(error.value) == f"the engine 'scan' cannot run this call: {refusal}"


@pytest.fixture
def request_of_a_trace() -> Request:
    return replace(nn.LSTM(3, input_size=2).request((4, 5, 2), False), traced=True)


def test_a_traced_call_is_not_refused(request_of_a_trace: Request) -> None:
    assert engine.Scan().refuses(request_of_a_trace) is None


def test_a_call_without_timesteps_is_refused(request_of_a_trace: Request) -> None:
    empty = replace(request_of_a_trace, timesteps=0)
    assert engine.Scan().refuses(empty) == "there are no timesteps"


def test_a_torch_whose_scan_has_wrong_gradients_is_refused(
    request_of_a_trace: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "TORCH_IS_OLD", True)
    assert engine.Scan().refuses(request_of_a_trace) == "the scan of a torch before 2.13 has wrong gradients"


def test_torchs_private_scan_is_used_in_one_place() -> None:
    files = (ROOT / "rnnspec").rglob("*.py")
    users = [
        str(file.relative_to(ROOT))
        for file in files
        if "import scan\n" in file.read_text() and "torch._" in file.read_text()
    ]
    assert users == ["rnnspec/engines/scan/sequence.py"]


def test_torchs_private_scan_takes_what_it_took() -> None:
    """When this fails, torch has changed it: look at `engines/scan/sequence.py` and at the numbers below."""
    parameters = inspect.signature(scan).parameters.values()
    found = [(parameter.name, parameter.kind.name, parameter.default) for parameter in parameters]
    empty = inspect.Parameter.empty
    assert found == [
        ("combine_fn", "POSITIONAL_OR_KEYWORD", empty),
        ("init", "POSITIONAL_OR_KEYWORD", empty),
        ("xs", "POSITIONAL_OR_KEYWORD", empty),
        ("dim", "KEYWORD_ONLY", 0),
        ("reverse", "KEYWORD_ONLY", False),
    ]


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("reverse", "sums", "slope"), [(False, [1.0, 3.0, 7.0], [3.0, 2.0, 1.0]), (True, [7.0, 6.0, 4.0], [1.0, 2.0, 3.0])]
)
def test_torchs_private_scan_adds_up(reverse: bool, sums: list[float], slope: list[float]) -> None:
    """Outputs stand where their inputs stood, in either direction, and a weight outside the body gets its gradient."""
    weight = torch.ones(1, requires_grad=True)

    def running(xs: Tensor) -> Any:
        def add(carry: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
            total = carry + weight * x
            return total.clone(), total.clone()

        return scan(add, torch.zeros(1), xs, reverse=reverse)

    xs = torch.tensor([[1.0], [2.0], [4.0]], requires_grad=True)
    last, totals = torch.compile(running, backend="eager", fullgraph=True)(xs)
    totals.sum().backward()

    assert totals.flatten().tolist() == sums
    assert last.tolist() == [7.0]
    assert xs.grad.flatten().tolist() == slope
    assert weight.grad.tolist() == [sum(sums)]


@pytest.mark.compiled
def test_use_engine_forces_the_loop_into_a_graph() -> None:
    """The loop is unrolled: as many products in the graph as there are steps."""
    layer = nn.SimpleRNN(3, input_size=2)
    products: list[int] = []

    def count(graph: torch.fx.GraphModule, _: Any) -> Any:
        products.append(sum(node.target is operator.matmul for node in graph.graph.nodes))
        return graph.forward

    compiled = torch.compile(layer, fullgraph=True, backend=count)
    compiled(torch.zeros(1, 5, 2))
    torch._dynamo.reset()
    with use_engine("steps"):
        compiled(torch.zeros(1, 5, 2))
    assert products == [1, 6]


@pytest.mark.compiled
def test_no_timesteps_in_a_graph_give_the_initial_states() -> None:
    layer = nn.GRU(3, input_size=2, return_sequences=True, return_state=True)
    h = torch.randn(4, 3)
    y, last = torch.compile(layer, fullgraph=True, backend="eager")(torch.zeros(4, 0, 2), initial_state=h)
    assert y.shape == (4, 0, 3)
    assert torch.equal(last, h)


@pytest.mark.compiled
def test_one_tensor_may_be_the_dropout_mask_of_all_gates_and_the_state_of_both_names() -> None:
    layer = nn.LSTM(3, input_size=2, dropout=0.5, recurrent_dropout=0.5)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    x, same = torch.randn(4, 5, 2), torch.randn(4, 3)
    with dropout_masks(layer, [torch.ones(4, 2)] * 4, [2 * torch.eye(4, 3)] * 4):
        torch.testing.assert_close(compiled(x, initial_state=[same, same]), layer(x, initial_state=[same, same]))


@pytest.mark.compiled
@pytest.mark.parametrize(
    "transform",
    [
        pytest.param(lambda layer, x: torch.func.vmap(layer)(x), id="vmap"),
        pytest.param(lambda layer, x: torch.func.grad(lambda x: layer(x).sum())(x), id="grad"),
        pytest.param(lambda layer, x: torch.func.jvp(layer, (x,), (x,))[1], id="jvp"),
    ],
)
def test_a_graph_of_a_transformed_call_holds_the_loop(transform: Any) -> None:
    layer, x = nn.SimpleRNN(3, input_size=2), torch.randn(4, 5, 2)
    compiled = torch.compile(lambda x: transform(layer, x), fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), transform(layer, x))


@pytest.mark.compiled
def test_a_compiled_stateful_layer_carries_its_states() -> None:
    layer = nn.SimpleRNN(3, input_size=2, stateful=True, batch_size=4)
    eager = copy.deepcopy(layer)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    for x in torch.randn(3, 4, 5, 2):
        torch.testing.assert_close(compiled(x), eager(x))
    torch.testing.assert_close(layer.states, eager.states)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *((kind, EVERYTHING) for kind in KINDS),
        ("lstm", FEW),
        ("own-cell", {}),
        ("simple-rnn", {"masked_start": "zeros"}),
    ],
    ids=[*KINDS, "lstm-few-options", "own-cell-no-options", "simple-rnn-last-output"],
)
def test_scan_equals_the_step_loop_with_all_gradients(kind: str, options: Any) -> None:
    layer = KINDS[kind](input_size=2, dtype=torch.float64, **options)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager", dynamic=True)
    for rows, time in [(4, 7), (3, 2), (2, 11)]:
        torch.testing.assert_close(
            gradients(layer, compiled, rows, time), gradients(layer, layer, rows, time), rtol=1e-12, atol=1e-12
        )


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.skipif(shutil.which(os.environ.get("CXX", "g++")) is None, reason="Inductor needs a C++ compiler")
def test_gradients_through_two_scans_are_right_in_inductor() -> None:
    """Where one scan reads another's output, torch 2.13's Inductor has a bug that may overwrite what was saved.

    See https://github.com/pytorch/pytorch/issues/153679.
    """
    options: Any = {"return_sequences": True, "dtype": torch.float64}
    model = torch.nn.Sequential(nn.SimpleRNN(3, input_size=2, **options), nn.SimpleRNN(4, input_size=3, **options))
    x = torch.randn(5, 7, 2, dtype=torch.float64, requires_grad=True)
    with inductor.patch(compile_threads=1):
        compiled = torch.compile(model, fullgraph=True)

        results = []
        for call in (compiled, model):
            output = call(x)
            weights = torch.linspace(0.5, 1, output.numel(), dtype=torch.float64).view(output.shape)
            results.append([output, *torch.autograd.grad((output * weights).sum(), [x, *model.parameters()])])

    torch.testing.assert_close(*results, rtol=1e-12, atol=1e-12)
