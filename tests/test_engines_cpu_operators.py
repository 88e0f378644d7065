"""The operators of the engine `cpu` among torch's tools: graphs, exported programs, modes, the profiler, autocast."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from functorch.compile import make_boxed_func
from torch import Tensor
from torch._dynamo.backends.common import aot_autograd
from torch._inductor import config as inductor
from torch.export import Dim, ExportedProgram, export
from torch.utils._python_dispatch import TorchDispatchMode
from transform_cases import needs_a_compiler

from rnnspec import nn
from rnnspec.engines.cpu import library
from rnnspec.engines.plan import use_engine

pytestmark = pytest.mark.skipif(library.unavailable() is not None, reason="no C library")

SWEEP, KEEPING, BACKWARD = (
    getattr(torch.ops.rnnspec, name).default for name in ("sweep", "sweep_keeping", "sweep_backward")
)
KINDS: dict[str, Any] = {
    "SimpleRNN": nn.SimpleRNN,
    "LSTM": nn.LSTM,
    "GRU": nn.GRU,
    "GRU reset after": lambda *sizes, **options: nn.GRU(*sizes, reset_after=True, **options),
}
DROPPED = {"dropout": 0.3, "recurrent_dropout": 0.3, "return_sequences": True, "dtype": torch.float64}


def arguments_of(layer: Any, x: Tensor, **call: Any) -> tuple[Any, ...]:
    """What the operator `sweep` is given in a call of a layer."""
    seen: list[tuple[Any, ...]] = []
    with Watch(seen):
        layer(x, **call)
    return next(arguments for operator, arguments in seen if operator in (SWEEP, KEEPING))


class Watch(TorchDispatchMode):
    """Keeps the operators that come by, with their arguments."""

    def __init__(self, seen: list[tuple[Any, ...]]) -> None:
        super().__init__()
        self.seen = seen

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Keeps and calls it."""
        self.seen.append((operator, args))
        return operator(*args, **(kwargs or {}))


def gradients(call: Any, layer: Any, x: Tensor, **options: Any) -> list[Tensor]:
    """The output and all gradients, with the dropout masks of one seed."""
    torch.manual_seed(1)
    y = call(x, **options)
    return [y, *torch.autograd.grad(y.square().sum(), [x, *layer.parameters()])]


@pytest.mark.parametrize("kind", KINDS)
def test_torch_accepts_the_operator(kind: str) -> None:
    """Alone and in graphs of free sizes, with and without gradients."""
    layer = KINDS[kind](5, input_size=3, **DROPPED)
    arguments = arguments_of(layer, torch.randn(4, 6, 3, dtype=torch.float64), mask=torch.rand(4, 6) > 0.3)
    learned = [argument if argument is None else argument.detach().requires_grad_() for argument in arguments[:6]]
    torch.library.opcheck(SWEEP, (*learned, *arguments[6:]))


@pytest.mark.parametrize("kind", KINDS)
def test_torch_accepts_what_the_operator_becomes(kind: str) -> None:
    """What is kept for the gradient has numbers that nobody writes or reads, so these two are not run to compare."""
    utilities = ("test_schema", "test_autograd_registration", "test_faketensor")
    layer = KINDS[kind](5, input_size=3, **DROPPED)
    arguments = arguments_of(layer, torch.randn(4, 6, 3, dtype=torch.float64), mask=torch.rand(4, 6) > 0.3)
    with torch.no_grad():
        torch.library.opcheck(KEEPING, arguments, test_utils=utilities)
        y, h, c, reserve = KEEPING(*arguments)
        slopes = torch.randn_like(y), torch.randn_like(h), torch.randn_like(c) if c.numel() else None
        for input_too in (True, False):
            torch.library.opcheck(BACKWARD, (*slopes, reserve, *arguments, input_too), test_utils=utilities)


def targets(program: ExportedProgram) -> list[Any]:
    """What the nodes of a graph call."""
    return [node.target for node in program.graph.nodes if node.op == "call_function"]


@pytest.mark.compiled
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_graph_holds_the_sweep_and_its_gradient_for_every_length(kind: str) -> None:
    layer = KINDS[kind](5, input_size=3, **DROPPED)
    graphs: list[Any] = []

    def keep(graph: torch.fx.GraphModule, _: Any) -> Any:
        graphs.append([node.target for node in graph.graph.nodes if node.op == "call_function"])
        return make_boxed_func(graph.forward)

    torch._dynamo.reset()
    backend = aot_autograd(fw_compiler=keep, bw_compiler=keep)
    compiled = torch.compile(layer, fullgraph=True, backend=backend, dynamic=True)
    for batch, time in ((4, 6), (3, 9), (2, 30)):
        x = torch.randn(batch, time, 3, dtype=torch.float64, requires_grad=True)
        mask = torch.rand(batch, time) > 0.3
        torch.testing.assert_close(gradients(compiled, layer, x, mask=mask), gradients(layer, layer, x, mask=mask))
    forward, backward = graphs
    assert KEEPING in forward
    assert BACKWARD in backward


@needs_a_compiler
@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("time_major", [False, True])
def test_inductor_gives_the_same_gradients(time_major: bool) -> None:
    layer = nn.LSTM(17, input_size=3, time_major=time_major, go_backwards=True, return_state=True, **DROPPED)
    x = torch.randn(6, 4, 3, dtype=torch.float64, requires_grad=True)
    torch._dynamo.reset()

    def call(x: Tensor) -> Tensor:
        y, h, c = layer(torch.sin(x).transpose(0, 1))
        return y.mean() * h * c

    with inductor.patch(compile_threads=1, fallback_random=True):
        got = gradients(torch.compile(call, fullgraph=True), layer, x)
    torch.testing.assert_close(got, gradients(call, layer, x))


@pytest.mark.compiled
def test_a_compiled_layer_that_runs_after_itself_has_right_gradients() -> None:
    layer = nn.GRU(3, input_size=3, return_sequences=True, dtype=torch.float64)
    x = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    torch._dynamo.reset()
    compiled = torch.compile(lambda x: layer(layer(x)), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(gradients(compiled, layer, x), gradients(lambda x: layer(layer(x)), layer, x))


def exported(layer: Any) -> ExportedProgram:
    """A layer, exported with a free batch and free time."""
    shapes = {"x": {0: Dim("batch", min=1, max=4096), 1: Dim("time", min=1, max=4096)}}
    return export(layer, (torch.randn(4, 6, 3),), dynamic_shapes=shapes)


@pytest.mark.compiled
@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_layer_runs_and_trains_at_every_length(kind: str) -> None:
    layer = KINDS[kind](5, input_size=3, return_sequences=True)
    program = exported(layer)
    assert targets(program).count(SWEEP) == 1
    assert KEEPING not in targets(program)
    module = program.module()
    for batch, time in ((1, 1), (2, 7), (9, 1000)):
        x = torch.randn(batch, time, 3, requires_grad=True)
        torch.testing.assert_close(gradients(module, module, x), gradients(layer, layer, x))


@pytest.mark.compiled
@pytest.mark.parametrize("engine", [pytest.param("scan", marks=pytest.mark.slow), "steps"])
def test_an_exported_program_of_another_engine_holds_torchs_operations_alone(engine: str) -> None:
    layer = nn.LSTM(5, input_size=3)
    with use_engine(engine), torch.no_grad():
        program = export(layer, (torch.randn(4, 6, 3),))
    assert not any("rnnspec" in str(target) for target in targets(program))
    x = torch.randn(4, 6, 3)
    torch.testing.assert_close(program.module()(x), layer(x))


@pytest.mark.slow
@pytest.mark.compiled
def test_a_saved_program_runs_in_a_process_that_imports_rnnspec_nn(tmp_path: Any) -> None:
    layer = nn.LSTM(5, input_size=3)
    path, x = tmp_path / "layer.pt2", torch.randn(2, 9, 3)
    torch.export.save(exported(layer), path)
    torch.save(x, tmp_path / "x.pt")
    code = (
        "import sys, torch, rnnspec.nn; program = torch.export.load(sys.argv[1]); "
        "torch.save(program.module()(torch.load(sys.argv[2])), sys.argv[3])"
    )
    files = [str(tmp_path / name) for name in ("layer.pt2", "x.pt", "y.pt")]
    subprocess.run([sys.executable, "-c", code, *files], check=True, capture_output=True)
    torch.testing.assert_close(torch.load(files[-1]), layer(x))


def test_a_mode_sees_the_operators() -> None:
    layer, x = nn.LSTM(5, input_size=3), torch.randn(2, 4, 3)
    seen: list[Any] = []
    with Watch(seen):
        layer(x).sum().backward()
        with torch.no_grad():
            layer(x)
    operators = [operator for operator, _ in seen]
    assert [operators.count(operator) for operator in (KEEPING, BACKWARD, SWEEP)] == [1, 1, 1]


def test_the_profiler_sees_the_operators() -> None:
    layer, x = nn.LSTM(5, input_size=3), torch.randn(2, 4, 3)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        layer(x).sum().backward()
    names = {event.name for event in profile.events()}
    assert {"rnnspec::sweep_keeping", "rnnspec::sweep_backward"} <= names


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_what_torch_jit_traces_holds_the_loop() -> None:
    """Addresses and numbers of one call would else stand in the trace."""
    layer, x = nn.SimpleRNN(5, input_size=3).eval(), torch.randn(2, 4, 3)
    with torch.no_grad():
        traced = torch.jit.trace(layer, x)
    other = torch.randn(2, 4, 3)
    torch.testing.assert_close(traced(other), layer(other))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", KINDS)
def test_under_autocast_the_sweep_is_as_precise_as_ever(kind: str, dtype: torch.dtype) -> None:
    """An input of an earlier layer's lower precision is taken as it is, and gets its gradient in that precision."""
    layer = KINDS[kind](8, input_size=4, return_state=True, **{**DROPPED, "dtype": torch.float32})
    x = torch.randn(2, 5, 4).to(dtype).requires_grad_()

    def results(x: Tensor) -> list[Tensor]:
        torch.manual_seed(1)
        y, *states = layer(x)
        return [y, *states, *torch.autograd.grad(y.square().sum(), [x, *layer.parameters()])]

    want = results(x.detach().float().requires_grad_())
    with torch.autocast("cpu", dtype=dtype):
        assert layer.plan(x).engine == "cpu"
        got = results(x)
    number = len(want) - 1 - len(list(layer.parameters()))
    assert [tensor.dtype for tensor in got] == [
        dtype if index == number else torch.float32 for index in range(len(got))
    ]
    # Dropout masks are drawn in the input's precision.
    torch.testing.assert_close([tensor.float() for tensor in got], want, rtol=2e-2, atol=2e-2)


def test_under_autocast_a_gradient_to_differentiate_again_is_as_precise_as_ever() -> None:
    layer, x = nn.LSTM(5, input_size=3), torch.randn(2, 4, 3)

    def slopes() -> Any:
        return torch.autograd.grad(layer(x).square().sum(), list(layer.parameters()), create_graph=True)

    want = slopes()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = slopes()
    torch.testing.assert_close(got, want)
