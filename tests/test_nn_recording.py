"""The recorder: gates and states of every step against plain torch, and calls that never notice it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from recording_cases import CELLS, make, walk
from torch import Tensor
from torch.nn.utils.rnn import pack_sequence

import rnnspec
from rnnspec import nn
from rnnspec.engines.cells import Cell
from rnnspec.errors import ConfigError, ShapeError, StateError
from rnnspec.nn.recording import Trace

BATCH, TIME = 4, 6
MASK = torch.tensor([[1, 1, 1, 0, 1, 1], [0, 0, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]) == 1


class StepOnly(Cell):
    """A cell that keeps its gates to itself."""

    gates = ("h",)

    def step(self, x: Any, states: Any, recur: Any, **weights: Any) -> Any:
        return (torch.tanh(x[0] + recur(states[0], "h")),)


def inputs() -> Tensor:
    return torch.randn(BATCH, TIME, 2, dtype=torch.float64)


def zeros(layer: Any) -> list[Tensor]:
    return [torch.zeros(BATCH, 3, dtype=torch.float64) for _ in layer.cell.states]


def near(got: Any, want: dict[str, Tensor]) -> None:
    assert list(got) == list(want)
    torch.testing.assert_close(dict(got), want, rtol=1e-12, atol=1e-12, equal_nan=True)


# What is recorded


@pytest.mark.parametrize("masked", [False, True], ids=["no mask", "mask"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("cell", CELLS)
def test_gates_and_states_equal_those_of_plain_torch(cell: str, backwards: bool, masked: bool) -> None:
    layer = make(cell, go_backwards=backwards)
    x, mask = inputs(), MASK if masked else None

    with rnnspec.record(layer) as trace:
        layer(x, mask=mask)

    gates, states = walk(cell, layer, x, zeros(layer), mask)
    near(trace.gates, gates)
    near(trace.states, states)
    assert trace.mask is None if mask is None else torch.equal(trace.mask, mask)


@pytest.mark.parametrize("cell", CELLS)
def test_initial_states_and_a_missing_bias_are_seen(cell: str) -> None:
    layer = make(cell, use_bias=False)
    x, initial = inputs(), [torch.randn_like(state) for state in zeros(layer)]

    with rnnspec.record(layer) as trace:
        layer(x, initial_state=initial)

    gates, states = walk(cell, layer, x, initial)
    near(trace.gates, gates)
    near(trace.states, states)
    near(trace.initial_states, dict(zip(layer.cell.states, initial, strict=True)))


@pytest.mark.parametrize("implementation", [0, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_the_recorded_call_had_the_same_dropout_masks(cell: str, implementation: int) -> None:
    layer = make(cell, dropout=0.5, recurrent_dropout=0.5, implementation=implementation)
    count = len(layer.cell.gates)
    drops = [[torch.randint(0, 2, (BATCH, width)) * 2.0 for _ in range(count)] for width in (2, 3)]
    x = inputs()

    with rnnspec.dropout_masks(layer, *drops), rnnspec.record(layer) as trace:
        layer(x)

    doubles = [[mask.double() for mask in (masks if implementation == 0 else masks[:1] * count)] for masks in drops]
    gates, states = walk(cell, layer, x, zeros(layer), drops=(doubles[0], doubles[1]))
    near(trace.gates, gates)
    near(trace.states, states)


def test_without_timesteps_the_record_is_empty() -> None:
    layer = make("LSTM")

    with rnnspec.record(layer) as trace:
        layer(inputs()[:, :0])

    assert {name: values.shape for name, values in trace.gates.items()} == dict.fromkeys("ifco", (BATCH, 0, 3))
    assert {name: values.shape for name, values in trace.states.items()} == dict.fromkeys("hc", (BATCH, 0, 3))


@pytest.mark.parametrize("form", ["time major", "packed", "one row"])
def test_the_record_is_batch_first_whatever_came_in(form: str) -> None:
    layer = make("LSTM", time_major=form == "time major", return_sequences=True)
    x = inputs()

    with rnnspec.record(layer) as trace:
        if form == "time major":
            layer(x.transpose(0, 1))
        elif form == "packed":
            layer(pack_sequence([row[:length] for row, length in zip(x, (2, 6, 1, 4), strict=True)], False))
        else:
            x = x[:1]
            layer(x[0])

    lengths = torch.tensor([[2], [6], [1], [4]]) if form == "packed" else torch.full((len(x), 1), TIME)
    gates, states = walk("LSTM", layer, x, [state[: len(x)] for state in zeros(layer)], torch.arange(TIME) < lengths)
    near(trace.gates, gates)
    near(trace.states, states)


def test_one_step_of_a_cell_is_a_call_of_one_timestep() -> None:
    cell = nn.GRUCell(3, input_size=2)

    with rnnspec.record(cell) as trace:
        _, (h,) = cell(torch.randn(4, 2))

    assert trace.gates["z"].shape == (4, 1, 3)
    assert torch.allclose(trace.states["h"][:, 0], h)


def test_a_cell_that_defines_step_alone_shows_its_states_only() -> None:
    layer = nn.RNN(StepOnly(), 3, input_size=2, return_sequences=True)

    with rnnspec.record(layer) as trace:
        y = layer(torch.randn(4, 5, 2))

    assert torch.allclose(trace.states["h"], y)
    with pytest.raises(StateError) as caught:
        trace.gates  # noqa: B018
    assert str(caught.value) == (
        "the gates of the cell StepOnly cannot be seen, it defines step alone\n"
        "  hint: a cell that defines activate and update shows its gates"
    )


def test_the_record_is_detached_and_shares_no_memory_with_the_call() -> None:
    layer = make("LSTM")
    initial = [state.requires_grad_() for state in zeros(layer)]
    mask = MASK.clone()

    with rnnspec.record(layer) as trace:
        layer(inputs(), initial_state=initial, mask=mask)
    mask.fill_(False)
    with torch.no_grad():
        initial[0].fill_(1.0)

    kept = [*trace.gates.values(), *trace.states.values(), *trace.initial_states.values()]
    assert not any(values.requires_grad for values in kept)
    assert not trace.initial_states["h"].any()
    assert torch.equal(trace.mask, MASK)


# Calls that never notice


@pytest.mark.parametrize("training", [True, False], ids=["training", "eval"])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="last output"),
        pytest.param({"return_sequences": True, "return_state": True}, id="all outputs and states"),
        pytest.param({"go_backwards": True, "return_sequences": True}, id="backwards"),
        pytest.param({"stateful": True}, id="stateful"),
        pytest.param({"dropout": 0.4, "recurrent_dropout": 0.4}, id="dropout"),
        pytest.param({"dropout": 0.4, "seed": 3}, id="dropout with a seed"),
        pytest.param({"activity_regularizer": "l2"}, id="activity regularizer"),
    ],
)
@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_results_gradients_and_random_states_are_bitwise_the_same(
    kind: str, options: dict[str, Any], training: bool
) -> None:
    x = inputs()

    def run(block: Callable[[Any], Any]) -> list[Any]:
        torch.manual_seed(7)
        layer = make(kind, **options).train(training)
        found: list[Any] = []
        with block(layer):
            for _ in range(2):
                given = x.clone().requires_grad_()
                y = layer(given, mask=MASK)
                sum(part.sum() for part in (y if isinstance(y, tuple) else (y,))).backward()
                found += [y, given.grad]
        return [*found, *(p.grad for p in layer.parameters()), layer.losses, layer.states, torch.get_rng_state()]

    recorded, plain = run(rnnspec.record), run(lambda layer: torch.enable_grad())

    torch.testing.assert_close(recorded, plain, rtol=0, atol=0)


def test_nothing_is_left_behind_not_even_after_an_error() -> None:
    layer = make("LSTM")
    before = dict(vars(layer))

    with pytest.raises(ShapeError), rnnspec.record(layer) as trace:
        layer(inputs()[0, 0])
    layer(inputs())

    assert vars(layer) == before
    assert trace.calls == []


def test_blocks_may_overlap() -> None:
    layer = make("LSTM")
    outer, inner = rnnspec.record(layer), rnnspec.record(layer)

    first, second = outer.__enter__(), inner.__enter__()
    layer(inputs())
    outer.__exit__(None, None, None)
    layer(inputs())
    inner.__exit__(None, None, None)

    assert (len(first.calls), len(second.calls)) == (1, 2)
    assert layer.recorders == ()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_copy_made_inside_is_not_recorded(copied: Callable[[Any], Any]) -> None:
    layer = make("LSTM")

    with rnnspec.record(layer):
        assert len(layer.recorders) == 1
        assert copied(layer).recorders == ()


@pytest.mark.compiled
def test_a_compiled_call_is_not_recorded_and_not_compiled_anew() -> None:
    layer = nn.SimpleRNN(3, input_size=2)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    x = torch.randn(4, 2, 2)
    want = compiled(x)

    with torch.compiler.set_stance("fail_on_recompile"), rnnspec.record(layer) as trace:
        got = compiled(x)

    assert torch.equal(got, want)
    assert trace.calls == []


# Models, and several calls


def test_a_model_gives_a_trace_for_each_recurrent_layer_by_name() -> None:
    model = nn.Sequential(
        [
            nn.Bidirectional(nn.LSTM(3, return_sequences=True, name="read"), name="both"),
            nn.Dense(2),
            nn.Sequential([nn.GRU(4)]),
        ]
    )
    model.build((None, None, 2))

    with rnnspec.record(model) as traces:
        y = model(torch.randn(4, 5, 2))

    assert list(traces) == ["both.forward_layer", "both.backward_layer", "2.0"]
    assert torch.allclose(traces["2.0"].states["h"][:, -1], y)
    backward = model[0].backward_layer  # type: ignore[union-attr]
    assert repr(traces["both.backward_layer"]) == "Trace(LSTM 'backward_read', calls=1)"
    assert backward.recorders == ()


def test_halves_of_a_bidirectional_layer_are_both_in_the_order_of_the_input() -> None:
    layer = nn.Bidirectional(make("LSTM", return_sequences=True), merge_mode=None)

    with rnnspec.record(layer) as traces:
        ours, theirs = layer(inputs())

    assert torch.allclose(traces["forward_layer"].states["h"], ours)
    assert torch.allclose(traces["backward_layer"].states["h"], theirs)


def test_several_calls_are_kept_in_a_list() -> None:
    layer = make("GRU", stateful=True)
    x = inputs()

    with rnnspec.record(layer) as trace:
        layer(x[:, :4])
        layer(x[:, 4:])

    _, states = walk("GRU", layer, x, zeros(layer))
    near({"h": torch.cat([call.states["h"] for call in trace.calls], dim=1)}, states)
    with pytest.raises(StateError) as caught:
        trace.states  # noqa: B018
    assert str(caught.value) == "GRU was called 2 times while it was recorded; take one of calls"


@pytest.mark.parametrize("what", ["gates", "states", "initial_states", "mask"])
def test_a_layer_that_was_not_called_has_nothing_to_tell(what: str) -> None:
    with rnnspec.record(nn.LSTM(3, name="encoder")) as trace:
        pass

    with pytest.raises(StateError) as caught:
        getattr(trace, what)
    assert str(caught.value) == (
        "LSTM 'encoder' was not called while it was recorded\n"
        "  hint: torch.compile and torch.export record nothing: call the layer itself"
    )


@pytest.mark.parametrize(
    ("given", "found"),
    [(nn.Dense(2), "Dense"), (torch.nn.LSTM(2, 3), "LSTM"), ("LSTM", "str")],
    ids=["no recurrent layer", "torch's own", "a name"],
)
def test_what_holds_no_recurrent_layer_cannot_be_recorded(given: Any, found: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rnnspec.record(given)
    assert str(caught.value) == f"record takes a recurrent layer or a model that holds one, found {found}"


def test_a_trace_shows_how_often_its_layer_was_called() -> None:
    assert repr(Trace("LSTM 'encoder'")) == "Trace(LSTM 'encoder', calls=0)"
