"""The recurrent layers: laws over shapes, arguments, and what is refused."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from hypothesis import given, strategies as st

from rnnspec import nn
from rnnspec.errors import ConfigWarning, DTypeError, MaskError, ShapeError, StateError

KINDS = {"SimpleRNN": nn.SimpleRNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
SIZES = {
    "kind": st.sampled_from(sorted(KINDS)),
    "batch": st.integers(0, 4),
    "timesteps": st.integers(0, 7),
    "features": st.integers(1, 5),
    "units": st.sampled_from([1, 2, 7]),
}


def make(kind: str, units: int, features: int, **options: Any) -> Any:
    return KINDS[kind](units, input_size=features, dtype=torch.float64, **{"return_sequences": True, **options})


def near(got: torch.Tensor, want: torch.Tensor) -> None:
    torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-12)


def inputs(batch: int, timesteps: int, features: int) -> torch.Tensor:
    return torch.randn(batch, timesteps, features, dtype=torch.float64)


# Laws


@given(**SIZES)
def test_the_implementations_are_equal_without_dropout(
    kind: str, batch: int, timesteps: int, features: int, units: int
) -> None:
    x = inputs(batch, timesteps, features)
    first = make(kind, units, features)
    for implementation in (1, 2):
        other = make(kind, units, features, implementation=implementation, weights=first.get_weights())
        near(other(x), first(x))


@given(**SIZES, data=st.data())
def test_a_masked_run_equals_the_run_on_the_rows_without_their_masked_steps(
    kind: str, batch: int, timesteps: int, features: int, units: int, data: st.DataObject
) -> None:
    x = inputs(batch, timesteps, features)
    rows = st.lists(st.booleans(), min_size=timesteps, max_size=timesteps)
    drawn = data.draw(st.lists(rows, min_size=batch, max_size=batch))
    mask = torch.tensor(drawn, dtype=torch.bool).reshape(batch, timesteps)
    layer = make(kind, units, features, return_state=True)

    y, *states = layer(x, mask=mask)

    for row in range(batch):
        valid = mask[row]
        alone, *alone_states = layer(x[row : row + 1, valid])
        near(y[row, valid], alone[0])
        for state, want in zip(states, alone_states, strict=True):
            near(state[row : row + 1], want)


@given(**SIZES, cuts=st.lists(st.integers(0, 7), max_size=4))
def test_stateful_over_chunks_equals_one_long_run(
    kind: str, batch: int, timesteps: int, features: int, units: int, cuts: list[int]
) -> None:
    x = inputs(batch, timesteps, features)
    whole = make(kind, units, features, return_state=True)
    chunked = make(kind, units, features, stateful=True, weights=whole.get_weights())
    edges = [0, *sorted(min(cut, timesteps) for cut in cuts), timesteps]

    parts = [chunked(x[:, start:end]) for start, end in itertools.pairwise(edges)]

    y, *states = whole(x)
    near(torch.cat(parts, dim=1), y)
    for carried, state in zip(chunked.states, states, strict=True):
        near(carried, state)


@given(**SIZES, masked=st.booleans())
def test_go_backwards_equals_the_reversed_input(
    kind: str, batch: int, timesteps: int, features: int, units: int, masked: bool
) -> None:
    x = inputs(batch, timesteps, features)
    mask = torch.rand(batch, timesteps) < 0.6 if masked else None
    forwards = make(kind, units, features, return_state=True)
    backwards = make(kind, units, features, return_state=True, go_backwards=True, weights=forwards.get_weights())
    got = backwards(x, mask=mask)
    want = forwards(x.flip(1), mask=None if mask is None else mask.flip(1))
    for one, other in zip(got, want, strict=True):
        near(one, other)


@given(**SIZES)
def test_the_last_output_is_the_last_of_the_sequence(
    kind: str, batch: int, timesteps: int, features: int, units: int
) -> None:
    x = inputs(batch, timesteps + 1, features)
    mask = torch.rand(batch, timesteps + 1) < 0.6
    sequence = make(kind, units, features)
    last = make(kind, units, features, return_sequences=False, weights=sequence.get_weights())
    near(last(x, mask=mask), sequence(x, mask=mask)[:, -1])


# Masks


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(torch.tensor([[1, 1, 0], [0, 1, 1]]), id="integers"),
        pytest.param(torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]), id="floats"),
        pytest.param([torch.tensor([[1, 1, 0], [0, 1, 1]]).bool(), None], id="list"),
    ],
)
def test_a_mask_may_be_numeric_or_the_first_of_a_list(mask: Any) -> None:
    layer = make("LSTM", 3, 2)
    x = inputs(2, 3, 2)
    near(layer(x, mask=mask), layer(x, mask=torch.tensor([[True, True, False], [False, True, True]])))
    near(layer(x, mask=[None]), layer(x))


def test_a_mask_of_another_shape_is_an_error() -> None:
    with pytest.raises(MaskError) as error:
        make("GRU", 3, 2)(inputs(2, 3, 2), mask=torch.ones(2, 4))
    assert str(error.value) == "GRU expects a mask of shape (batch, time) = (2, 3), found (2, 4)"


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param({}, [[True, False]], id="unchanged"),
        pytest.param({"return_sequences": False}, None, id="last-output"),
        pytest.param({"go_backwards": True}, [[False, True]], id="reversed-with-the-outputs"),
        pytest.param({"go_backwards": True, "keras_mask_order": True}, [[True, False]], id="keras-order"),
    ],
)
def test_the_mask_that_leaves_a_layer_is_in_the_order_of_its_outputs(options: Any, want: Any) -> None:
    layer = make("LSTM", 3, 2, **options)
    mask = torch.tensor([[True, False]])
    for given_mask in (mask, [mask]):
        left = layer.compute_mask(None, given_mask)
        assert (None if left is None else left.tolist()) == want
    assert layer.compute_mask(None, None) is None


@pytest.mark.parametrize("go_backwards", [False, True])
def test_masked_steps_emit_zeros_where_that_is_asked_for(go_backwards: bool) -> None:
    x, mask = inputs(2, 4, 2), torch.tensor([[True, True, False, False], [False, True, False, True]])
    plain = make("GRU", 3, 2, return_sequences=True, return_state=True, go_backwards=go_backwards)
    layer = make("GRU", 3, 2, return_sequences=True, return_state=True, go_backwards=go_backwards)
    layer.zero_output_for_mask = True
    last = make("GRU", 3, 2, return_sequences=False, go_backwards=go_backwards, zero_output_for_mask=True)
    for other in (layer, last):
        other.load_state_dict(plain.state_dict())
    output, state = plain(x, mask=mask)
    order = mask.flip(1) if go_backwards else mask
    near(layer(x, mask=mask)[0], output * order.unsqueeze(-1))
    near(layer(x, mask=mask)[1], state)
    near(last(x, mask=mask), (output * order.unsqueeze(-1))[:, -1])
    near(layer(x)[0], plain(x)[0])


# Arguments


def test_the_output_and_the_states_come_as_a_tuple_with_return_state() -> None:
    x = inputs(2, 3, 2)
    y, h, c = make("LSTM", 3, 2, return_state=True)(x)
    assert torch.equal(y[:, -1], h)
    assert c.shape == h.shape
    assert len(make("GRU", 3, 2, return_state=True)(x)) == 2


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        pytest.param({"input_size": 2}, (None, None, 2), id="input_size"),
        pytest.param({"input_dim": 2}, (None, None, 2), id="input_dim"),
        pytest.param({"input_dim": 2, "input_length": 5}, (None, 5, 2), id="input_length"),
        pytest.param({"input_shape": (5, 2)}, (None, 5, 2), id="input_shape"),
        pytest.param({"input_shape": (5, 2), "batch_size": 4}, (4, 5, 2), id="batch_size"),
        pytest.param({"batch_input_shape": (4, 5, 2)}, (4, 5, 2), id="batch_input_shape"),
        pytest.param({"batch_input_shape": (4, 5, 2), "input_shape": (6, 3)}, (4, 5, 2), id="batch_input_shape-wins"),
        pytest.param({"input_shape": (5, 3), "input_dim": 2}, (None, None, 2), id="input_dim-wins"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_input_shape_can_be_declared_in_keras_ways_and_torchs(options: Any, shape: Any) -> None:
    layer = nn.LSTM(3, **options)
    assert layer.declared_input_shape == shape
    assert layer.built is (shape is not None)
    assert layer.batch_size == (None if shape is None else shape[0])


def test_a_layer_without_a_declared_shape_is_built_by_its_first_call() -> None:
    layer = nn.LSTM(3)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    assert repr(layer) == "LSTM(? -> 3)"
    layer(torch.ones(1, 2, 4)).sum().backward()
    before = layer.kernel.detach().clone()
    optimizer.step()
    assert layer.kernel.shape == (4, 12)
    assert not torch.equal(layer.kernel, before)
    assert repr(layer) == "LSTM(4 -> 3)"


def test_the_repr_shows_what_differs_from_the_defaults() -> None:
    layer = nn.GRU(3, input_size=2, return_sequences=True, stateful=True, go_backwards=True, dropout=0.1)
    assert repr(layer) == "GRU(2 -> 3, return_sequences=True, go_backwards=True, stateful=True, dropout=0.1)"
    assert (
        repr(nn.LSTM(3, return_state=True, recurrent_dropout=0.2))
        == "LSTM(? -> 3, return_state=True, recurrent_dropout=0.2)"
    )


@pytest.mark.parametrize(
    ("make_layer", "x", "kind", "message"),
    [
        pytest.param(
            lambda: nn.LSTM(3, input_size=2, input_dim=4), None, ShapeError,
            "LSTM: input_size=2 and input_dim=4 contradict each other", id="two-widths",
        ),
        pytest.param(
            lambda: nn.LSTM(3, input_length=4), None, ShapeError,
            "input_length needs input_dim beside it", id="length-alone",
        ),
        pytest.param(
            lambda: nn.LSTM(3, input_shape=(5,)), None, ShapeError,
            "LSTM: expected an input of rank 3, (batch, time, features), found (None, 5)", id="declared-rank",
        ),
        pytest.param(
            lambda: nn.LSTM(3, input_shape=(5, None)), None, ShapeError,
            "LSTM: expected a known number of features, found (None, 5, None)", id="free-features",
        ),
        pytest.param(
            lambda: nn.LSTM(3, name="enc"), torch.zeros(3), ShapeError,
            "LSTM 'enc' expects an input of shape (batch, time, features) or (time, features), found (3,)", id="rank",
        ),
        pytest.param(
            lambda: nn.GRU(3, input_size=2), torch.zeros(2, 3, 4), ShapeError,
            "GRU expects 2 features, found 4", id="features",
        ),
        pytest.param(
            lambda: nn.GRU(3, input_size=2), torch.zeros(2, 3, 2).double(), DTypeError,
            "GRU has weights of dtype torch.float32, the input has torch.float64", id="dtype",
        ),
        pytest.param(
            lambda: nn.GRU(3, input_size=2), torch.zeros(2, 3, 2).long(), DTypeError,
            "GRU has weights of dtype torch.float32, the input has torch.int64", id="ids",
        ),
        pytest.param(
            lambda: nn.SimpleRNN(3, input_size=2, unroll=True), torch.zeros(2, 1, 2), ShapeError,
            "SimpleRNN: unroll=True needs two timesteps or more, found 1", id="unroll",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_an_error(make_layer: Any, x: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind) as error:
        make_layer()(x)
    assert str(error.value) == message


def test_autocast_takes_any_floating_input_but_no_ids() -> None:
    layer = nn.LSTM(3, input_size=2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(torch.zeros(1, 2, 2, dtype=torch.bfloat16)).shape == (1, 3)
        with pytest.raises(DTypeError):
            layer(torch.zeros(1, 2, 2, dtype=torch.int64))


def test_a_plan_refuses_to_unroll_a_free_number_of_steps() -> None:
    with pytest.raises(ShapeError) as error:
        nn.LSTM(3, input_size=2, unroll=True).plan((None, None, 2))
    assert str(error.value) == "LSTM: unroll=True needs two timesteps or more, found a free number of them"
    assert nn.LSTM(3, input_size=2, unroll=True).plan((None, 2, 2)).engine == "cpu"


# Weights


@pytest.mark.parametrize(
    ("kind", "options", "shapes"),
    [
        ("SimpleRNN", {}, [(2, 3), (3, 3), (3,)]),
        ("LSTM", {}, [(2, 12), (3, 12), (12,)]),
        ("GRU", {}, [(2, 9), (3, 9), (9,)]),
        ("GRU", {"reset_after": True}, [(2, 9), (3, 9), (2, 9)]),
        ("LSTM", {"use_bias": False}, [(2, 12), (3, 12)]),
    ],
)
def test_weights_have_keras_shapes_and_order(kind: str, options: Any, shapes: Any) -> None:
    layer = KINDS[kind](3, input_size=2, **options)
    assert [weight.shape for weight in layer.get_weights()] == shapes
    assert [weight.shape for weight in layer.state_dict().values()] == shapes
    assert (layer.bias is None) is not options.get("use_bias", True)


def test_the_default_initial_weights_are_keras_own() -> None:
    """Glorot's bound over the whole kernel, an orthonormal recurrent kernel, zeros with ones at the forget gate."""
    layer = nn.LSTM(16, input_size=8)
    bound = (6 / (8 + 64)) ** 0.5
    assert 0.9 * bound < layer.kernel.abs().max() <= bound
    torch.testing.assert_close(layer.recurrent_kernel @ layer.recurrent_kernel.T, torch.eye(16))
    assert layer.bias.tolist() == [0.0] * 16 + [1.0] * 16 + [0.0] * 32


@pytest.mark.parametrize(
    ("options", "bias"),
    [
        pytest.param({}, [0, 0, 1, 1, 0, 0, 0, 0], id="default"),
        pytest.param({"unit_forget_bias": False}, [0] * 8, id="off"),
        pytest.param({"unit_forget_bias": False, "bias_initializer": "ones"}, [1] * 8, id="off-ones"),
    ],
)
def test_unit_forget_bias_starts_the_forget_gate_at_one(options: Any, bias: list[float]) -> None:
    assert nn.LSTM(2, input_size=1, **options).bias.tolist() == bias


def test_unit_forget_bias_overrides_another_initializer_with_a_warning_that_names_both() -> None:
    with pytest.warns(ConfigWarning) as caught:
        layer = nn.LSTM(2, input_size=1, bias_initializer="ones")
    assert layer.bias.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert [str(warning.message) for warning in caught] == [
        "LSTM: unit_forget_bias sets the bias to zeros, with ones at the forget gate, so bias_initializer 'ones' "
        "has no effect; set unit_forget_bias to false to use it"
    ]


def test_unit_forget_bias_without_a_bias_is_nothing() -> None:
    assert nn.LSTM(2, input_size=1, use_bias=False, bias_initializer="ones").bias is None


def test_given_weights_win_over_initializers() -> None:
    weights = nn.LSTM(3, input_size=2).get_weights()
    late = nn.LSTM(3, weights=weights)
    late.build((None, None, 2))
    for layer in (nn.LSTM(3, input_size=2, weights=weights), late):
        assert all((got == want).all() for got, want in zip(layer.get_weights(), weights, strict=True))


# Cells alone


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_cell_module_does_one_step_of_its_layer(kind: str) -> None:
    layer = make(kind, 3, 2, return_state=True)
    cell = getattr(nn, f"{kind}Cell")(3, input_shape=(2,), dtype=torch.float64, weights=layer.get_weights())
    x = inputs(4, 5, 2)
    outputs, states = [], None
    for time in range(5):
        output, states = cell(x[:, time], states)
        outputs.append(output)
    y, *want = layer(x)
    near(torch.stack(outputs, dim=1), y)
    for got, state in zip(states, want, strict=True):
        near(got, state)
    assert cell.compute_output_shape((4, 2)) == (4, 3)


def test_a_cell_module_is_built_by_its_first_step_and_records_activity() -> None:
    cell = nn.LSTMCell(3, activity_regularizer="l2")
    output, (h, c) = cell(torch.ones(4, 2))
    assert cell.kernel.shape == (2, 12)
    assert torch.equal(output, h)
    assert c.shape == (4, 3)
    torch.testing.assert_close(cell.losses, [0.01 * output.square().sum()])


@pytest.mark.parametrize(
    ("act", "kind", "message"),
    [
        pytest.param(
            lambda: nn.LSTMCell(3, input_size=2, stateful=True, checkpoint_every=2), StateError,
            "LSTMCell does one step, it has no stateful, checkpoint_every; use the layer for sequences", id="sequence",
        ),
        pytest.param(
            lambda: nn.GRUCell(3, input_size=2)(torch.zeros(1, 2, 2)), ShapeError,
            "GRUCell: expected an input of rank 2, (batch, features), found (1, 2, 2)", id="rank",
        ),
    ],
)  # fmt: skip
def test_a_cell_module_refuses_sequences(act: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == message
