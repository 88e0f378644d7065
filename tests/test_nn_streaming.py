"""Streams: however a sequence is split into steps and chunks, the outputs are those of one call of the layer."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from instruction_sets import limited_to
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import rnnspec
from rnnspec import nn
from rnnspec.engines.cpu import library
from rnnspec.engines.plan import use_engine

STEP = -1  # among the lengths of chunks
TOLERANCE = {torch.float32: 5e-6, torch.float64: 1e-12}
KINDS: dict[str, Callable[..., Any]] = {
    "SimpleRNN": nn.SimpleRNN,
    "LSTM": nn.LSTM,
    "GRU": nn.GRU,
    "GRU reset after": lambda *units, **options: nn.GRU(*units, reset_after=True, **options),
}
needs_library = pytest.mark.skipif(library.unavailable() is not None, reason="no C library")


class Peephole(rnnspec.Cell):
    """A cell with a weight of its own, two states, and an output of another width."""

    gates = ("h",)
    states = ("y", "c")

    def state_sizes(self, units: int) -> tuple[int, ...]:
        return (2, units)

    def extra_weights(self, units: int) -> dict[str, rnnspec.ExtraWeight]:
        return {"down": rnnspec.ExtraWeight((units, 2), "orthogonal")}

    def step(self, x: Any, states: Any, recur: Any, **weights: Tensor) -> Any:
        y, c = states
        c = torch.tanh(x[0] + recur(y, "h") + 0.5 * c)
        return c @ weights["down"], c


@pytest.fixture(params=[*library.INSTRUCTION_SETS, "steps"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The engine `cpu` with every instruction set of the machine, and the step loop."""
    if request.param == "steps":
        yield "steps"
        return
    with limited_to(request.param):
        yield "cpu"


def whole(layer: Any, x: Tensor, **call: Any) -> tuple[Tensor, list[Tensor]]:
    """All outputs and the final states of one call, through the step loop in evaluation mode."""
    twin = copy.deepcopy(layer).eval()
    twin.return_sequences, twin.return_state, twin.stateful = True, True, False
    with use_engine("steps"), torch.no_grad():
        output, *states = twin(x, **call)
    return output, states


def in_pieces(stream: Any, x: Tensor, lengths: list[int], mask: Tensor | None = None) -> list[tuple[int, Tensor]]:
    """What a stream returns for each piece, and where the piece ends."""
    found, start = [], 0
    for length in lengths:
        end = start + abs(length)
        part: Any = start if length == STEP else slice(start, end)
        found.append((end, stream(x[:, part], None if mask is None else mask[:, part])))
        start = end
    return found


def assert_near(got: Tensor, want: Tensor) -> None:
    torch.testing.assert_close(got, want, rtol=0, atol=TOLERANCE[want.dtype])


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.sampled_from((STEP, STEP, 0, 1, 2, 5, 20)), max_size=6),
    sizes=st.tuples(
        st.sampled_from((1, 2, 5, 13, 65)), st.sampled_from((1, 3, 16, 33)), st.sampled_from((1, 7, 16, 17, 33, 65))
    ),
    dtype=st.sampled_from(list(TOLERANCE)),
    masked=st.booleans(),
    options=st.fixed_dictionaries(
        {
            "return_sequences": st.booleans(),
            "use_bias": st.booleans(),
            "masked_start": st.sampled_from(("state", "zeros")),
            "zero_output_for_mask": st.booleans(),
            "initial_state": st.sampled_from(("zeros", "trainable")),
            "activation": st.sampled_from(("tanh", "softsign")),
        }
    ),
)
def test_any_split_gives_what_one_call_gives(
    name: str,
    engine: str,
    lengths: list[int],
    sizes: tuple[int, int, int],
    dtype: torch.dtype,
    masked: bool,
    options: dict[str, Any],
) -> None:
    batch, features, units = sizes
    torch.manual_seed(0)
    layer = KINDS[name](units, input_size=features, dtype=dtype, dropout=0.3, recurrent_dropout=0.3, **options)
    for weight in layer.parameters():
        torch.nn.init.normal_(weight, std=0.7 * units**-0.5)
    x = torch.randn(batch, sum(map(abs, lengths)), features, dtype=dtype)
    mask = torch.rand(x.shape[:2]) > 0.5 if masked else None
    want, want_states = whole(layer, x, mask=mask)

    with use_engine(engine):
        stream = layer.streaming(batch)
    assert stream.plan.engine == engine
    found = in_pieces(stream, x, lengths, mask)
    for length, (end, output) in zip(lengths, found, strict=True):
        if options["return_sequences"] and length != STEP:
            assert_near(output, want[:, end - length : end])
        elif length:
            assert_near(output, want[:, end - 1])
        else:
            assert output.shape == (batch, units)
    for got, expected in zip(stream.states, want_states, strict=True):
        assert_near(got, expected)


@pytest.fixture
def layer() -> nn.LSTM:
    layer = nn.LSTM(5, input_size=3, return_sequences=True, dtype=torch.float64)
    for weight in layer.parameters():
        torch.nn.init.normal_(weight)
    return layer


@pytest.fixture
def x() -> Tensor:
    return torch.randn(2, 7, 3, dtype=torch.float64)


def test_an_empty_chunk_gives_the_state_where_the_last_output_alone_is_wanted(engine: str, x: Tensor) -> None:
    layer = nn.GRU(5, input_size=3, dtype=torch.float64)
    with use_engine(engine):
        stream = layer.streaming(2)
    last = stream(x)
    assert torch.equal(stream(x[:, :0]), last)


def test_an_initial_state_is_where_it_starts_and_starts_again(engine: str, layer: nn.LSTM, x: Tensor) -> None:
    states = [torch.randn(2, 5, dtype=torch.float64) for _ in "hc"]
    want, _ = whole(layer, x, initial_state=states)
    with use_engine(engine):
        stream = layer.streaming(2, initial_state=states)
    assert_near(stream(x), want)
    stream.reset()
    assert_near(stream(x), want)
    assert all(map(torch.equal, states, (states[0], states[1])))


def test_reset_takes_states_and_rows(engine: str, layer: nn.LSTM, x: Tensor) -> None:
    with use_engine(engine):
        stream = layer.streaming(2)
    stream(x)
    h, c = stream.states
    stream.reset([h + 1, c + 2])
    torch.testing.assert_close(stream.states, [h + 1, c + 2])
    stream.reset(rows=torch.tensor([False, True]))
    zero = torch.zeros(5, dtype=torch.float64)
    torch.testing.assert_close(stream.states, [torch.stack([h[0] + 1, zero]), torch.stack([c[0] + 2, zero])])
    want, _ = whole(layer, x, initial_state=stream.states)
    assert_near(stream(x), want)


def test_a_row_that_starts_anew_has_seen_no_valid_step(engine: str, x: Tensor) -> None:
    layer = nn.SimpleRNN(5, input_size=3, masked_start="zeros", dtype=torch.float64)
    with use_engine(engine):
        stream = layer.streaming(2, torch.ones(2, 5, dtype=torch.float64))
    before = stream(x)
    stream.reset(rows=torch.tensor([True, False]))
    masked = stream(x[:, 0], torch.tensor([False, False]))
    assert torch.equal(masked[1], before[1])
    assert not masked[0].any()


def test_states_are_copies(engine: str, layer: nn.LSTM, x: Tensor) -> None:
    with use_engine(engine):
        stream = layer.streaming(2)
    stream(x)
    want = stream.states
    for state in stream.states:
        state.zero_()
    torch.testing.assert_close(stream.states, want)


def test_the_weights_are_those_of_its_making(engine: str, layer: nn.LSTM, x: Tensor) -> None:
    want, _ = whole(layer, x)
    with use_engine(engine):
        stream = layer.streaming(2)
    for weight in layer.parameters():
        weight.data.mul_(2)
    assert_near(stream(x), want)
    assert_near(layer(x), whole(layer, x)[0])


def test_a_stateful_layer_and_its_stream_carry_states_of_their_own(x: Tensor) -> None:
    layer = nn.LSTM(5, input_size=3, stateful=True, dtype=torch.float64)
    stream = layer.streaming(2)
    first = layer(x)
    assert_near(stream(x), first)
    carried = layer.states
    stream(x)
    torch.testing.assert_close(layer.states, carried)
    assert layer.streaming(5)(torch.zeros(5, 3, dtype=torch.float64)).shape == (5, 5)


def test_chunks_of_a_time_major_layer_have_time_first(engine: str, layer: nn.LSTM, x: Tensor) -> None:
    want, _ = whole(layer, x)
    layer.time_major = True
    mask = torch.ones(7, 2)
    with use_engine(engine):
        stream = layer.streaming(2)
    outputs = [stream(x[:, 0]).unsqueeze(0), stream(x[:, 1:].transpose(0, 1), mask[1:])]
    assert_near(torch.cat(outputs).transpose(0, 1), want)


def test_any_strides_are_read(engine: str, layer: nn.LSTM, x: Tensor) -> None:
    want, _ = whole(layer, x)
    with use_engine(engine):
        stream = layer.streaming(2)
    odd = torch.empty(3, 7, 2, dtype=torch.float64).permute(2, 1, 0).copy_(x)
    apart = torch.zeros(2, 7, 6, dtype=torch.float64)[..., ::2].copy_(x)
    assert_near(torch.cat([stream(odd[:, 0]).unsqueeze(1), stream(apart[:, 1:3]), stream(odd[:, 3:])], dim=1), want)


def test_an_output_can_be_given(engine: str, layer: nn.LSTM, x: Tensor) -> None:
    want, _ = whole(layer, x)
    with use_engine(engine):
        stream = layer.streaming(2)
    whole_output = torch.empty(2, 7, 5, dtype=torch.float64)
    version = whole_output._version
    assert stream(x[:, 0], out=whole_output[:, 0]).data_ptr() == whole_output.data_ptr()
    stream(x[:, 1:], out=whole_output[:, 1:])
    assert_near(whole_output, want)
    assert whole_output._version > version


@needs_library
def test_a_step_makes_its_output_and_nothing_else(layer: nn.LSTM, x: Tensor) -> None:
    stream, step, made = layer.streaming(2), x[:, 0], []

    class Count(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made.append(func)
            return func(*args, **(kwargs or {}))

    with Count():
        stream(step)
    assert made == [torch.ops.aten.empty_like.default]


def test_no_gradient_flows_and_no_mode_matters(engine: str, layer: nn.LSTM, x: Tensor) -> None:
    with use_engine(engine):
        stream = layer.streaming(2)
    assert not stream(x.requires_grad_()).requires_grad
    stream.reset()
    with torch.inference_mode():
        first = stream(x[:, :3])
    second = stream(x[:, 3:])
    assert_near(torch.cat([first, second], dim=1), whole(layer, x)[0])


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "softmax": (lambda: nn.LSTM(5, "softmax", input_size=3), "not cpu, because softmax is not pointwise"),
    "a cell of one's own": (
        lambda: nn.RNN(Peephole(), 5, input_size=3), "not cpu, because Peephole has equations of its own",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_sweep_refuses_streams_through_the_loop(name: str) -> None:
    make, reason = REFUSED[name]
    layer, x = make().double(), torch.randn(2, 7, 3, dtype=torch.float64)
    mask = torch.rand(2, 7) > 0.4
    stream = layer.streaming(2)
    assert stream.plan.engine == "steps"
    assert reason in stream.plan.reasons
    want, states = whole(layer, x, mask=mask)
    for weight in layer.parameters():
        weight.data.mul_(2)
    for end, output in in_pieces(stream, x, [STEP, 4, 2], mask):
        assert_near(output, want[:, end - 1])
    torch.testing.assert_close(stream.states, states)


def test_without_the_library_a_stream_runs_the_loop(layer: nn.LSTM, x: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_reason", "its C library is not there")
    stream = layer.streaming(2)
    assert stream.plan.engine == "steps"
    assert_near(stream(x), whole(layer, x)[0])


def test_a_cell_module_streams_too(x: Tensor) -> None:
    cell = nn.GRUCell(5, input_size=3, dtype=torch.float64)
    stream = cell.streaming(2)
    output, states = cell(x[:, 0])
    assert_near(stream(x[:, 0]), output)
    assert_near(stream(x[:, 1]), cell(x[:, 1], states)[0])


@needs_library
def test_threads_with_streams_of_their_own_get_the_right_numbers(layer: nn.LSTM) -> None:
    x = torch.randn(9, 40, 3, dtype=torch.float64)
    want, _ = whole(layer, x)
    wrong: list[int] = []

    def calls() -> None:
        for _ in range(20):
            stream = layer.streaming(9)
            got = torch.stack([stream(step) for step in x.unbind(1)], dim=1)
            wrong.extend([1] * (not torch.allclose(got, want, rtol=0, atol=1e-12)))

    threads = [threading.Thread(target=calls) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@needs_library
def test_many_rows_are_shared_out_among_torchs_threads() -> None:
    layer = nn.GRU(65, input_size=17, return_sequences=True, dtype=torch.float64)
    x = torch.randn(70, 30, 17, dtype=torch.float64)
    want, _ = whole(layer, x)
    torch.set_num_threads(3)
    try:
        stream = layer.streaming(70)
        got = torch.cat([stream(x[:, :1]), stream(x[:, 1:])], dim=1)
    finally:
        torch.set_num_threads(1)
    assert stream.plan.settings["threads"] == 3
    assert_near(got, want)
