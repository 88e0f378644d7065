"""Sequences of many lengths: padded, packed, jagged and one by one they give the same, in the form they came in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, strategies
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence, pad_packed_sequence, pad_sequence
from torch.testing import assert_close

from rnnspec import nn
from rnnspec.errors import DTypeError, Error, MaskError, ShapeError

LENGTHS = (3, 6, 1, 4)  # not sorted
FEATURES = 3
CLOSE = {"rtol": 0, "atol": 1e-6}

Model = torch.nn.Module
Outputs = list[Tensor]


def lstm(**options: Any) -> nn.LSTM:
    return nn.LSTM(4, **{"input_size": FEATURES, "return_sequences": True, **options})


def stacked(*layers: Callable[..., Model], **options: Any) -> nn.Sequential:
    return nn.Sequential([make(**options) for make in layers])


MODELS: dict[str, Callable[..., Model]] = {
    "LSTM": lstm,
    "GRU": lambda **options: nn.GRU(4, return_sequences=True, input_size=FEATURES, **options),
    "SimpleRNN": lambda **options: nn.SimpleRNN(4, return_sequences=True, input_size=FEATURES, **options),
    "backwards": lambda **options: lstm(go_backwards=True, **options),
    "last output": lambda **options: lstm(return_sequences=False, **options),
    "last output backwards": lambda **options: lstm(return_sequences=False, go_backwards=True, **options),
    "Bidirectional": lambda **options: nn.Bidirectional(lstm(**options)),
    "Bidirectional of a backwards layer": lambda **options: nn.Bidirectional(lstm(go_backwards=True, **options)),
    "Bidirectional, last output": lambda **options: nn.Bidirectional(lstm(return_sequences=False, **options), "ave"),
    "stacked": lambda **options: stacked(
        lambda **o: nn.Bidirectional(nn.GRU(4, return_sequences=True, **o), "sum"),
        lambda **o: nn.Dense(5, **{key: value for key, value in o.items() if key == "dtype"}),
        lambda **o: nn.Sequential([nn.LSTM(3, return_sequences=True, **o)]),
        **options,
    ),
    "stacked backwards": lambda **options: stacked(
        lambda **o: nn.GRU(4, return_sequences=True, go_backwards=True, **o),
        lambda **o: nn.LSTM(3, return_sequences=True, **o),
        **options,
    ),
    "stacked, last output": lambda **options: stacked(
        lambda **o: nn.GRU(4, return_sequences=True, **o),
        lambda **o: nn.Bidirectional(nn.LSTM(3, **o)),
        lambda **o: nn.Dense(2, **{key: value for key, value in o.items() if key == "dtype"}),
        **options,
    ),
    "masked": lambda **options: stacked(
        lambda **o: nn.Masking(-1.0),
        lambda **o: nn.Bidirectional(nn.LSTM(3, return_sequences=True, **o)),
        lambda **o: nn.GRU(3, return_sequences=True, **o),
        **options,
    ),
}


def sequences_of(lengths: tuple[int, ...] = LENGTHS, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """Random sequences; each second step of the longer ones holds -1, which the model `masked` masks."""
    found = [torch.randn(length, FEATURES, dtype=dtype) for length in lengths]
    for sequence in found:
        sequence[1::3] = -1.0
    return [sequence.requires_grad_() for sequence in found]


def each(outputs: Any, lengths: tuple[int, ...], *, backwards: bool) -> Outputs:
    """The real steps of each row of a padded output; a row of one vector as it is."""
    if outputs.dim() == 2:
        return list(outputs)
    longest = outputs.shape[1]
    starts = [longest - length if backwards else 0 for length in lengths]
    return [row[start : start + length] for row, start, length in zip(outputs, starts, lengths, strict=True)]


def one_by_one(model: Any, sequences: list[Tensor]) -> Outputs:
    return [model(sequence.unsqueeze(0)).squeeze(0) for sequence in sequences]


def without_batch(model: Any, sequences: list[Tensor]) -> Outputs:
    return [model(sequence) for sequence in sequences]


def padded(sequences: list[Tensor]) -> tuple[Tensor, Tensor]:
    """A padded batch, with numbers in the padding that must not matter, and the lengths."""
    return pad_sequence(sequences, batch_first=True, padding_value=7.0), torch.tensor([len(s) for s in sequences])


def with_lengths(model: Any, sequences: list[Tensor]) -> Outputs:
    x, lengths = padded(sequences)
    return each(model(x, lengths=lengths), tuple(lengths.tolist()), backwards=model.reverses_time)


def with_a_mask(model: Any, sequences: list[Tensor]) -> Outputs:
    x, lengths = padded(sequences)
    mask = torch.arange(x.shape[1]) < lengths[:, None]
    return each(model(x, mask=mask), tuple(lengths.tolist()), backwards=model.reverses_time)


def packed(model: Any, sequences: list[Tensor]) -> Outputs:
    y = model(pack_sequence(sequences, enforce_sorted=False))
    if isinstance(y, Tensor):
        return list(y)
    y, lengths = pad_packed_sequence(y, batch_first=True)
    return [row[:length] for row, length in zip(y, lengths, strict=True)]


def packed_when_sorted(model: Any, sequences: list[Tensor]) -> Outputs:
    order = sorted(range(len(sequences)), key=lambda row: -len(sequences[row]))
    y = model(pack_sequence([sequences[row] for row in order]))
    found = y if isinstance(y, Tensor) else torch.nn.utils.rnn.unpack_sequence(y)
    return [found[order.index(row)] for row in range(len(sequences))]


def jagged(model: Any, sequences: list[Tensor]) -> Outputs:
    values = torch.cat(sequences)
    offsets = torch.tensor([0, *(len(sequence) for sequence in sequences)]).cumsum(0)
    return list(model(torch.nested.nested_tensor_from_jagged(values, offsets)).unbind())


UNMASKED = {name: make for name, make in MODELS.items() if name != "masked"}  # Masking replaces a mask
FORMS = {form.__name__: form for form in (without_batch, with_lengths, packed, packed_when_sorted, jagged)}


PAIRS = [
    pytest.param(name, form, id=f"{name}-{form}")
    for name in MODELS
    for form in FORMS
    if form != "without_batch" or not isinstance(MODELS[name](), nn.Sequential)  # a model of layers takes a batch
]


@pytest.mark.parametrize(("name", "form"), PAIRS)
def test_every_form_gives_what_one_by_one_gives_gradients_too(name: str, form: str) -> None:
    torch.manual_seed(0)
    model, sequences = MODELS[name](dtype=torch.float64), sequences_of()
    want, found = one_by_one(model, sequences), FORMS[form](model, sequences)
    inputs = [*sequences, *model.parameters()]
    for ours, theirs in zip(found, want, strict=True):
        assert_close(ours, theirs, **CLOSE)
    want_gradients = torch.autograd.grad(sum((y * y.cos()).sum() for y in want), inputs)
    gradients = torch.autograd.grad(sum((y * y.cos()).sum() for y in found), inputs)
    for ours, theirs in zip(gradients, want_gradients, strict=True):
        assert_close(ours, theirs, **CLOSE)


@pytest.mark.parametrize("make", UNMASKED.values(), ids=UNMASKED)
def test_lengths_are_a_mask(make: Callable[..., Any]) -> None:
    torch.manual_seed(0)
    model, sequences = make(dtype=torch.float64), sequences_of()
    for ours, theirs in zip(with_lengths(model, sequences), with_a_mask(model, sequences), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_time_major_model_gives_the_same(make: Callable[..., Any]) -> None:
    torch.manual_seed(0)
    model, turned = make(dtype=torch.float64), make(dtype=torch.float64, time_major=True)
    x, lengths = padded(sequences_of())
    want = model(x, lengths=lengths)
    turned.load_state_dict(model.state_dict())
    found = turned(x.transpose(0, 1), lengths=lengths)
    assert_close(found if found.dim() == 2 else found.transpose(0, 1), want)
    packed_input = pack_sequence(sequences_of(), enforce_sorted=False)
    want, found = model(packed_input), turned(packed_input)
    assert_close(getattr(found, "data", found), getattr(want, "data", want))


@given(
    lengths=strategies.lists(strategies.integers(0, 7), min_size=1, max_size=5), name=strategies.sampled_from([*MODELS])
)
def test_padding_never_changes_real_steps(lengths: list[int], name: str) -> None:
    torch.manual_seed(len(lengths))
    model, sequences = MODELS[name](dtype=torch.float64), sequences_of(tuple(lengths))
    forms = [jagged] if min(lengths) == 0 else [jagged, packed]
    want = with_lengths(model, sequences)
    for form in forms:
        for ours, theirs in zip(form(model, sequences), want, strict=True):
            assert_close(ours, theirs, **CLOSE)


def test_ids_come_in_every_form_too() -> None:
    torch.manual_seed(0)
    model = nn.Sequential([nn.Embedding(9, 4), nn.Bidirectional(nn.LSTM(3, return_sequences=True))])
    ids = [torch.randint(0, 9, (length,)) for length in LENGTHS]  # 0 is an id as any other, padding is not
    want = [model(row.unsqueeze(0)).squeeze(0) for row in ids]
    for form in (with_lengths, packed, jagged):
        for ours, theirs in zip(form(model, ids), want, strict=True):
            assert_close(ours, theirs, **CLOSE)


def test_a_packed_output_keeps_the_order_and_the_sizes_of_the_input() -> None:
    x = pack_sequence(sequences_of(), enforce_sorted=False)
    y = lstm(dtype=torch.float64)(x)
    assert isinstance(y, PackedSequence)
    assert torch.equal(y.batch_sizes, x.batch_sizes)
    assert torch.equal(y.sorted_indices, x.sorted_indices)
    assert torch.equal(y.unsorted_indices, x.unsorted_indices)


def test_a_jagged_output_adds_to_its_input() -> None:
    x = torch.nested.nested_tensor(sequences_of(), layout=torch.jagged)
    y = nn.LSTM(FEATURES, return_sequences=True, dtype=torch.float64)(x)
    assert (x + y).shape == x.shape


def test_a_jagged_input_with_holes_is_read_without_them() -> None:
    torch.manual_seed(0)
    layer, x = lstm(), torch.randn(3, 6, FEATURES)
    starts, lengths = torch.tensor([0, 1, 2]), torch.tensor([2, 3, 4])
    y = layer(torch.nested.narrow(x, 1, starts, lengths, layout=torch.jagged))
    for ours, row, start, length in zip(y.unbind(), x, starts, lengths, strict=True):
        assert_close(ours, layer(row[start : start + length]), **CLOSE)


def test_states_come_in_the_order_of_the_rows_whatever_the_form() -> None:
    torch.manual_seed(0)
    layer, sequences = lstm(return_state=True, dtype=torch.float64), sequences_of()
    start = [torch.randn(len(LENGTHS), 4, dtype=torch.float64) for _ in range(2)]
    _, *want = layer(padded(sequences)[0], lengths=padded(sequences)[1], initial_state=start)
    for form in (
        pack_sequence(sequences, enforce_sorted=False),
        torch.nested.nested_tensor(sequences, layout=torch.jagged),
    ):
        _, *states = layer(form, initial_state=start)
        for ours, theirs in zip(states, want, strict=True):
            assert_close(ours, theirs, **CLOSE)


def test_states_of_one_sequence_have_no_batch() -> None:
    layer = lstm(return_state=True)
    y, h, c = layer(torch.randn(5, FEATURES), initial_state=[torch.zeros(4), torch.zeros(4)])
    assert (y.shape, h.shape, c.shape) == ((5, 4), (4,), (4,))
    assert torch.equal(y[-1], h)


@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("wrap", [lambda layer: layer, nn.Bidirectional], ids=["one direction", "two directions"])
def test_one_sequence_may_have_a_mask_or_a_length(wrap: Callable[..., Any], time_major: bool) -> None:
    torch.manual_seed(0)
    layer, x = wrap(lstm(time_major=time_major)), torch.randn(5, FEATURES)
    want = layer(x[:3])
    mask = torch.tensor([True, True, True, False, False])
    for options in ({"mask": mask}, {"mask": [mask]}, {"lengths": 3}, {"lengths": torch.tensor(3)}):
        assert_close(layer(x, **options)[:3], want, **CLOSE)


def test_a_mask_stands_beside_lengths_and_both_count() -> None:
    torch.manual_seed(0)
    layer, (x, lengths) = lstm(dtype=torch.float64), padded(sequences_of())
    mask = torch.rand(x.shape[:2]) < 0.5
    want = layer(x, mask=mask & (torch.arange(x.shape[1]) < lengths[:, None]))
    assert torch.equal(layer(x, mask=mask, lengths=lengths), want)
    packed_output = layer(pack_sequence(sequences_of(), enforce_sorted=False), mask=mask)
    assert isinstance(packed_output, PackedSequence)


def test_lengths_may_be_a_list() -> None:
    layer, (x, lengths) = lstm(dtype=torch.float64), padded(sequences_of())
    assert torch.equal(layer(x, lengths=lengths.tolist()), layer(x, lengths=lengths))


@pytest.mark.parametrize("form", ["lengths", "packed"])
def test_no_value_is_read(form: str) -> None:
    """On the meta device there are no values, so whoever reads one fails; jagged tensors need offsets."""
    layer = nn.Sequential([nn.Bidirectional(lstm(device="meta")), nn.LSTM(3, return_sequences=True, device="meta")])
    x, lengths = torch.empty(4, 6, FEATURES, device="meta"), torch.tensor(LENGTHS).to("meta")
    if form == "lengths":
        assert layer(x, lengths=lengths).shape == (4, 6, 3)
        return
    x = pack_sequence(sequences_of(dtype=torch.float32), enforce_sorted=False)
    indices = (x.sorted_indices.to("meta"), x.unsorted_indices.to("meta"))
    y = layer(PackedSequence(x.data.to("meta"), x.batch_sizes, *indices))
    assert y.data.shape == (sum(LENGTHS), 3)


def test_the_plan_takes_every_form() -> None:
    layer, sequences = lstm(dtype=torch.float64), sequences_of()
    x, lengths = padded(sequences)
    for plan in (
        layer.plan(x, lengths=lengths),
        layer.plan(pack_sequence(sequences, enforce_sorted=False)),
        layer.plan(sequences[0]),
        lstm(time_major=True).plan((None, 5, FEATURES)),
    ):
        assert plan.engine == "cpu"


X = torch.zeros(4, 6, FEATURES)
WRONG: dict[str, tuple[Callable[[Any], Any], type[Error], str]] = {
    "count of lengths": (
        lambda layer: layer(X, lengths=[1, 2, 3]), MaskError,
        "LSTM expects lengths of shape (batch,) = (4,), found (3,)",
    ),
    "a length past the end": (
        lambda layer: layer(X, lengths=[1, 7, 3, 4]), MaskError,
        "LSTM expects lengths from 0 to 6, the timesteps of the input, found 7",
    ),
    "a negative length": (
        lambda layer: layer(X, lengths=[1, -1, 3, 4]), MaskError,
        "LSTM expects lengths from 0 to 6, the timesteps of the input, found -1",
    ),
    "lengths that are no integers": (
        lambda layer: layer(X, lengths=torch.rand(4)), MaskError,
        "LSTM expects lengths that are integers, found torch.float32",
    ),
    "lengths that are no numbers": (
        lambda layer: layer(X, lengths="all"), MaskError,
        "LSTM takes lengths as a tensor or a list of integers, found 'all'",
    ),
    "lengths of a packed input": (
        lambda layer: layer(pack_sequence([X[0]]), lengths=[6]), MaskError,
        "LSTM takes lengths beside a padded input, a packed or jagged one has its own",
    ),
    "a nested tensor that is not jagged": (
        lambda layer: layer(torch.nested.as_nested_tensor([X[0], X[1]], layout=torch.strided)), ShapeError,
        "LSTM takes nested tensors of layout torch.jagged, found torch.strided",
    ),
    "jagged features": (
        lambda layer: layer(torch.nested.nested_tensor([X[0], X[1]], layout=torch.jagged).transpose(1, 2)), ShapeError,
        "LSTM expects a jagged tensor of shape (batch, time, features), found (2, 3, j",
    ),
    "packed ids": (
        lambda layer: layer(pack_sequence([torch.zeros(3), torch.zeros(2)])), ShapeError,
        "LSTM expects an input of shape (batch, time, features) or (time, features), found (2, 3)",
    ),
    "packed numbers of another dtype": (
        lambda layer: layer(pack_sequence([X[0].double()])), DTypeError,
        "LSTM has weights of dtype torch.float32, the input has torch.float64",
    ),
    "a mask of another shape": (
        lambda layer: layer(pack_sequence([X[0]]), mask=torch.ones(1, 5)), MaskError,
        "LSTM expects a mask of shape (batch, time) = (1, 6), found (1, 5)",
    ),
    "lengths without a time": (
        lambda layer: layer(X[0, 0], lengths=3), ShapeError,
        "LSTM expects an input of shape (batch, time, features) or (time, features), found (3,)",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize(("call", "kind", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_work_is_an_error(call: Callable[[Any], Any], kind: type[Error], message: str) -> None:
    with pytest.raises(kind) as error:
        call(lstm())
    assert str(error.value).startswith(message)


def test_a_time_major_layer_names_its_axes() -> None:
    layer = lstm(time_major=True)
    with pytest.raises(ShapeError) as error:
        layer(torch.zeros(2, 2, 2, 2))
    assert str(error.value) == (
        "LSTM expects an input of shape (time, batch, features) or (time, features), found (2, 2, 2, 2)"
    )
    with pytest.raises(MaskError) as mask_error:
        layer(X, mask=torch.ones(6, 4))
    assert str(mask_error.value) == "LSTM expects a mask of shape (time, batch) = (4, 6), found (6, 4)"


@pytest.mark.parametrize(
    ("options", "declared", "batch_size"),
    [
        pytest.param({"input_shape": (5, 2)}, (5, None, 2), None, id="input_shape"),
        pytest.param({"batch_input_shape": (5, 4, 2)}, (5, 4, 2), 4, id="batch_input_shape"),
        pytest.param({"input_size": 2, "batch_size": 4}, (None, 4, 2), 4, id="batch_size"),
    ],
)
def test_a_time_major_layer_has_time_first_in_its_shapes(
    options: dict[str, Any], declared: tuple[int | None, ...], batch_size: int | None
) -> None:
    layer = nn.GRU(3, time_major=True, return_sequences=True, **options)
    assert layer.declared_input_shape == declared
    assert layer.batch_size == batch_size
    assert layer.compute_output_shape((5, 4, 2)) == (5, 4, 3)
    assert nn.GRU(3, time_major=True, **options).compute_output_shape((5, 4, 2)) == (4, 3)


def test_a_stateful_time_major_layer_carries_the_rows_of_its_batch() -> None:
    torch.manual_seed(0)
    layer, turned = lstm(stateful=True), lstm(stateful=True, time_major=True)
    turned.load_state_dict(layer.state_dict())
    for _ in range(2):
        x = torch.randn(4, 6, FEATURES)
        assert_close(turned(x.transpose(0, 1)).transpose(0, 1), layer(x))
    assert turned.batch_size == 4
