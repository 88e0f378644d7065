"""What every layer must do, in one table: shapes, dtypes, masks, losses, training, copies, files, devices."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnspec import nn
from rnnspec.errors import MaskError, WeightsError
from rnnspec.nn.base import Layer

BATCH = 3


@dataclass(frozen=True)
class Case:
    """A layer and an input for it.

    Attributes:
        name: Its id.
        make: Makes the layer; takes `dtype` and `device`.
        shape: Shape of one input, without the batch.
        masks: What becomes of a mask: it passes through, ends, is made anew, or is refused.
        losses: How many losses there are after a call.
        ids: Whether the input is ids.
        draws: Whether it draws dropout masks in training.
    """

    name: str
    make: Callable[..., Layer]
    shape: tuple[int, ...]
    masks: str = "pass"
    losses: int = 0
    ids: bool = False
    draws: bool = False

    def input(self, batch: int = BATCH, dtype: torch.dtype = torch.float32) -> Tensor:
        """An input; ids are below 7."""
        if self.ids:
            return torch.randint(0, 7, (batch, *self.shape))
        return torch.randn(batch, *self.shape, dtype=dtype)


REGULARIZED: dict[str, Any] = {"kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l2"}


def model(**options: Any) -> Layer:
    """A model with a part of every kind."""
    return nn.Sequential(
        [
            nn.Embedding(7, 4, mask_zero=True, **options),
            nn.Bidirectional(nn.LSTM(3, return_sequences=True, recurrent_dropout=0.2, **options), "sum"),
            nn.TimeDistributed(nn.Dense(4, "relu", **options)),
            nn.GRU(2, **options),
            nn.Dropout(0.3),
            nn.Dense(2, **options),
        ]
    )


def graph(**options: Any) -> Layer:
    """A model whose input goes two ways, and through one layer twice."""
    layers: dict[str, Any] = {
        "steps": nn.LSTM(5, return_sequences=True, dropout=0.2, **options),
        "add": nn.Add(**options),
        "last": nn.GRU(2, **options),
        "both": nn.Concatenate(**options),
    }
    calls = [
        ("steps", [("x", 0, 0)]),
        ("add", [("x", 0, 0), ("steps", 0, 0)]),
        ("last", [("x", 0, 0)]),
        ("last", [("add", 0, 0)]),
        ("both", [("last", 0, 0), ("last", 1, 0)]),
    ]
    return nn.Graph(layers, calls, ["x"], [("both", 0, 0)])


def given_mask(x: Tensor, mask: Tensor | None) -> Tensor | None:
    """What becomes of the mask of a Lambda: nothing."""
    return mask


def of_two(merge: Callable[..., Layer]) -> Callable[..., Layer]:
    """Gives a layer with several inputs the input and a changed copy, so that it fits the table."""
    calls = [("changed", [("x", 0, 0)]), ("merge", [("x", 0, 0), ("changed", 0, 0)])]
    return lambda **options: nn.Graph(
        {"changed": nn.Activation("tanh"), "merge": merge(**options)}, calls, ["x"], [("merge", 0, 0)]
    )


def inner(layer: Callable[..., Layer], wrapper: Callable[..., Layer], *args: Any) -> Callable[..., Layer]:
    return lambda **options: wrapper(layer(**options), *args)


CASES = [
    Case("input", lambda **o: nn.Input((4, 5), **o), (4, 5)),
    Case("masking", lambda **o: nn.Masking(0.5, **o), (4, 5), masks="new"),
    Case("unmasking", nn.Unmasking, (4, 5), masks="end"),
    Case("dense", lambda **o: nn.Dense(3, "tanh", **REGULARIZED, **o), (5,), losses=3),
    Case("dense-3d-no-bias", lambda **o: nn.Dense(3, use_bias=False, **o), (4, 5)),
    Case("activation", lambda **o: nn.Activation("softmax", **o), (4, 5)),
    Case("rescaling", lambda **o: nn.Rescaling(1.5, -1, **o), (4, 5)),
    Case("dropout", lambda **o: nn.Dropout(0.5, **o), (4, 5), draws=True),
    Case("spatial-dropout", lambda **o: nn.SpatialDropout1D(0.5, **o), (4, 5), draws=True),
    Case("activity-regularization", lambda **o: nn.ActivityRegularization(0.1, 0.2, **o), (4, 5), losses=1),
    Case("flatten", lambda **o: nn.Flatten(**o), (4, 5), masks="refuse"),
    Case("reshape", lambda **o: nn.Reshape((2, -1), **o), (4, 5), masks="refuse"),
    Case("permute", lambda **o: nn.Permute((2, 1), **o), (4, 5), masks="refuse"),
    Case("repeat-vector", lambda **o: nn.RepeatVector(3, **o), (5,), masks="refuse"),
    Case("lambda", lambda **o: nn.Lambda(torch.cumsum, arguments={"dim": 1}, **o), (4, 5), masks="end"),
    Case("lambda-mask", lambda **o: nn.Lambda(torch.sin, mask=given_mask, **o), (4, 5)),
    Case("leaky-relu", lambda **o: nn.LeakyReLU(**o), (4, 5)),
    Case("prelu", lambda **o: nn.PReLU("ones", "l2", **o), (4, 5), losses=1),
    Case("prelu-shared", lambda **o: nn.PReLU(shared_axes=1, **o), (4, 5)),
    Case("elu", lambda **o: nn.ELU(0.5, **o), (4, 5)),
    Case("thresholded-relu", lambda **o: nn.ThresholdedReLU(0.1, **o), (4, 5)),
    Case("conv1d", lambda **o: nn.Conv1D(3, 2, padding="same", **REGULARIZED, **o), (4, 5), "refuse", 3),
    Case("zero-padding", lambda **o: nn.ZeroPadding1D(**o), (4, 5), "refuse"),
    Case("cropping", lambda **o: nn.Cropping1D(**o), (4, 5), "refuse"),
    Case("up-sampling", lambda **o: nn.UpSampling1D(**o), (4, 5), "refuse"),
    Case("gaussian-noise", lambda **o: nn.GaussianNoise(0.5, **o), (4, 5), draws=True),
    Case("gaussian-dropout", lambda **o: nn.GaussianDropout(0.5, **o), (4, 5), draws=True),
    Case("alpha-dropout", lambda **o: nn.AlphaDropout(0.5, **o), (4, 5), draws=True),
    Case("layer-normalization", lambda **o: nn.LayerNormalization(gamma_regularizer="l2", **o), (4, 5), losses=1),
    Case("softmax", lambda **o: nn.Softmax(1, **o), (4, 5)),
    Case("relu", lambda **o: nn.ReLU(1.0, 0.1, 0.2, **o), (4, 5)),
    Case("max-pooling", lambda **o: nn.MaxPooling1D(2, 1, **o), (4, 5), "refuse"),
    Case("average-pooling", lambda **o: nn.AveragePooling1D(2, 1, "same", **o), (4, 5), "refuse"),
    Case("global-max-pooling", lambda **o: nn.GlobalMaxPooling1D(**o), (4, 5), "refuse"),
    Case("global-average-pooling", lambda **o: nn.GlobalAveragePooling1D(**o), (4, 5), "end"),
    Case("batch-normalization", lambda **o: nn.BatchNormalization(gamma_regularizer="l2", **o), (4, 5), losses=1),
    Case("add", of_two(nn.Add), (4, 5)),
    Case("subtract", of_two(nn.Subtract), (4, 5)),
    Case("multiply", of_two(nn.Multiply), (4, 5)),
    Case("average", of_two(nn.Average), (4, 5)),
    Case("maximum", of_two(nn.Maximum), (4, 5)),
    Case("minimum", of_two(nn.Minimum), (4, 5)),
    Case("concatenate", of_two(nn.Concatenate), (4, 5)),
    Case("dot", of_two(lambda **o: nn.Dot(-1, **o)), (4, 5), "end"),
    Case("embedding", lambda **o: nn.Embedding(7, 3, embeddings_regularizer="l2", **o), (4,), "end", 1, ids=True),
    Case("embedding-mask", lambda **o: nn.Embedding(7, 3, mask_zero=True, **o), (4,), "new", ids=True),
    Case("simple-rnn", lambda **o: nn.SimpleRNN(3, **REGULARIZED, **o), (4, 5), "end", 3),
    Case("lstm-sequence", lambda **o: nn.LSTM(3, return_sequences=True, dropout=0.3, **o), (4, 5), draws=True),
    Case("gru", lambda **o: nn.GRU(3, recurrent_dropout=0.3, **o), (4, 5), "end", draws=True),
    Case("gru-reset-after", lambda **o: nn.GRU(3, reset_after=True, return_sequences=True, **o), (4, 5)),
    Case("rnn", lambda **o: nn.RNN("LSTM", 3, **o), (4, 5), "end"),
    Case("time-distributed", inner(lambda **o: nn.Dense(3, **REGULARIZED, **o), nn.TimeDistributed), (4, 5), losses=3),
    Case("bidirectional", inner(lambda **o: nn.LSTM(3, **REGULARIZED, **o), nn.Bidirectional), (4, 5), "end", 6),
    Case(
        "bidirectional-mul",
        inner(lambda **o: nn.GRU(3, return_sequences=True, **o), nn.Bidirectional, "mul"),
        (4, 5),
    ),
    Case("sequential", model, (4,), "end", ids=True, draws=True),
    Case("graph", graph, (4, 5), "end", draws=True),
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
with_weights = pytest.mark.parametrize(
    "case", [case for case in CASES if list(case.make().parameters())], ids=lambda case: case.name
)


def test_every_layer_of_the_room_is_in_the_table() -> None:
    """Cells alone do one step, and are tested with the recurrent layers."""
    made = {type(module) for case in CASES for module in case.make().modules()}
    layers = {getattr(nn, name) for name in nn.__all__ if not name.endswith("Cell")}

    assert layers <= made


@every_case
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_output_has_the_computed_shape_and_the_layers_dtype(case: Case, dtype: torch.dtype) -> None:
    layer = case.make(dtype=dtype)
    computed = layer.compute_output_shape((None, *case.shape))
    output = layer(case.input(dtype=dtype))

    assert computed is not None
    assert output.shape == (BATCH, *computed[1:])
    assert computed[0] is None
    assert output.dtype == dtype
    assert output.isfinite().all()


@every_case
def test_an_empty_batch_gives_an_empty_output(case: Case) -> None:
    layer = case.make()
    computed = layer.compute_output_shape((0, *case.shape))

    assert layer(case.input(batch=0)).shape == computed


@every_case
def test_a_non_contiguous_input_gives_the_same_output(case: Case) -> None:
    layer, x = case.make().eval(), case.input()
    strided = x.repeat_interleave(2, dim=-1)[..., ::2]

    assert not strided.is_contiguous()
    torch.testing.assert_close(layer(strided), layer(x), rtol=0.0, atol=1e-6)


@every_case
def test_a_mask_passes_ends_is_made_or_is_refused(case: Case) -> None:
    layer, x = case.make(), case.input()
    mask = torch.arange(4) < torch.tensor([[4], [2], [0]])
    if case.masks == "refuse":
        with pytest.raises(MaskError):
            layer.compute_mask(x, mask)
        return
    found = layer.compute_mask(x, mask)

    if case.masks == "end":
        assert found is None
    else:
        expected = mask if case.masks == "pass" else (x != (0 if case.ids else 0.5)).reshape(BATCH, 4, -1).any(-1)
        assert found is not None
        assert torch.equal(found, expected)


@every_case
def test_no_mask_stays_none_unless_the_layer_makes_one(case: Case) -> None:
    layer, x = case.make(), case.input()

    assert (layer.compute_mask(x, None) is not None) == (case.masks == "new")


@every_case
def test_losses_are_scalars_and_have_gradients(case: Case) -> None:
    layer = case.make()
    layer(case.input())
    losses = layer.losses

    assert len(losses) == case.losses
    for loss in losses:
        assert loss.shape == ()
        assert loss.requires_grad == bool(list(layer.parameters()))
        assert loss.item() >= 0.0


@with_weights
def test_a_training_step_lowers_the_loss_and_changes_every_weight(case: Case) -> None:
    layer, x = case.make(), case.input(batch=8)
    target = torch.rand_like(layer.eval()(x))
    before = [parameter.detach().clone() for parameter in layer.parameters()]
    optimizer = torch.optim.SGD(layer.parameters(), lr=1e-2)

    def loss() -> Tensor:
        error: Tensor = layer(x) - target
        return error.square().mean() + sum(layer.losses, torch.zeros(()))

    first = loss()
    first.backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in layer.parameters())
    optimizer.step()

    assert loss().item() < first.item()
    for old, new in zip(before, layer.parameters(), strict=True):
        assert not torch.equal(old, new)


@pytest.mark.parametrize("case", [case for case in CASES if not case.ids], ids=lambda case: case.name)
def test_the_gradient_flows_to_the_input(case: Case) -> None:
    layer = case.make(dtype=torch.float64).eval()
    x = case.input(dtype=torch.float64).requires_grad_()

    assert torch.autograd.gradcheck(layer, (x,))


@with_weights
def test_an_untrainable_layer_has_no_weights_to_train(case: Case) -> None:
    if case.name == "sequential":
        pytest.skip("a model has no argument trainable")
    layer = case.make(trainable=False)
    layer(case.input())

    assert not any(parameter.requires_grad for parameter in layer.parameters())


@every_case
def test_a_deep_copy_gives_the_same_and_shares_nothing(case: Case) -> None:
    layer, x = case.make().eval(), case.input()
    expected = layer(x)
    twin = copy.deepcopy(layer)

    assert torch.equal(twin(x), expected)
    assert not {id(parameter) for parameter in layer.parameters()} & {id(parameter) for parameter in twin.parameters()}


@every_case
@pytest.mark.parametrize("built", [True, False], ids=["built", "not-built"])
def test_a_pickle_gives_the_same(case: Case, built: bool) -> None:
    layer, x = case.make().eval(), case.input()
    if built:
        layer(x)
    twin = pickle.loads(pickle.dumps(layer))
    torch.manual_seed(1)
    expected = layer(x)
    torch.manual_seed(1)

    assert torch.equal(twin(x), expected)
    assert repr(twin) == repr(layer)


@with_weights
def test_a_state_dict_goes_strictly_into_a_fresh_layer(case: Case) -> None:
    layer, x = case.make().eval(), case.input()
    expected = layer(x)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    fresh = case.make().eval()
    fresh.load_state_dict(torch.load(file, weights_only=True), strict=True)

    assert torch.equal(fresh(x), expected)


@with_weights
def test_weights_go_out_and_in_as_arrays(case: Case) -> None:
    layer, other, x = case.make().eval(), case.make().eval(), case.input()
    expected = layer(x)
    other(x)
    other.set_weights(layer.get_weights())

    assert torch.equal(other(x), expected)


@with_weights
def test_weights_that_do_not_fit_are_refused(case: Case) -> None:
    layer = case.make()
    layer(case.input())
    with pytest.raises(WeightsError):
        layer.set_weights(layer.get_weights()[1:])


@with_weights
def test_from_the_meta_device_by_reset_parameters(case: Case) -> None:
    layer = case.make(device="meta").eval()
    layer.build((None, *case.shape))
    assert all(parameter.is_meta for parameter in layer.parameters())

    layer.to_empty(device="cpu")
    layer.reset_parameters(torch.Generator().manual_seed(3))
    expected = case.make().eval()
    expected.build((None, *case.shape))
    expected.reset_parameters(torch.Generator().manual_seed(3))

    x = case.input()
    assert torch.equal(layer(x), expected(x))


@every_case
def test_built_by_a_shape_or_by_the_first_call(case: Case) -> None:
    by_shape, by_call = case.make().eval(), case.make().eval()
    by_shape.build((None, *case.shape))
    by_call(case.input())

    assert by_shape.built
    assert by_call.built
    shapes = [tuple(parameter.shape) for parameter in by_shape.parameters()]
    assert shapes == [tuple(parameter.shape) for parameter in by_call.parameters()]


@every_case
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bfloat16", "float16"])
def test_autocast_gives_finite_numbers_near_the_full_precision(case: Case, dtype: torch.dtype) -> None:
    layer, x = case.make().eval(), case.input()
    expected = layer(x)
    with torch.autocast("cpu", dtype=dtype):
        output = layer(x)

    torch.testing.assert_close(output.float(), expected, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("case", [case for case in CASES if case.draws], ids=lambda case: case.name)
def test_a_generator_makes_a_training_call_reproducible(case: Case) -> None:
    layer, x = case.make(), case.input()
    first, second, third = (layer(x, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))

    assert torch.equal(first, second)
    assert not torch.equal(first, third)


@pytest.mark.parametrize("case", [case for case in CASES if not case.draws], ids=lambda case: case.name)
def test_a_layer_without_dropout_draws_nothing(case: Case) -> None:
    layer, x = case.make(), case.input()
    layer(x)
    before = torch.get_rng_state()
    layer(x)

    assert torch.equal(before, torch.get_rng_state())
