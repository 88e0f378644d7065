"""Conv1D and its kin: values against a loop over windows in NumPy and against torch's own, gradients, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnnspec.errors import ConfigError, DTypeError, MaskError, ShapeError
from rnnspec.nn import GRU, Conv1D, Cropping1D, Embedding, Sequential, UpSampling1D, ZeroPadding1D
from rnnspec.nn.base import Layer

X = torch.randn(2, 11, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def by_hand(x: Any, kernel: Any, bias: Any, strides: int, padding: str, dilation: int) -> Any:
    """The definition in the words of TensorFlow's documentation, window by window."""
    width, time = kernel.shape[0], x.shape[1]
    span = (width - 1) * dilation + 1
    if padding == "valid":
        before, count = 0, (time - span) // strides + 1
    else:
        count = -(-time // strides)
        missing = max((count - 1) * strides + span - time, 0)
        before = span - 1 if padding == "causal" else missing // 2
    output = np.zeros((x.shape[0], count, kernel.shape[2]))
    for window in range(count):
        for tap in range(width):
            step = window * strides + tap * dilation - before
            if 0 <= step < time:
                output[:, window] += x[:, step] @ kernel[tap]
    return output + bias


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), (3, 1), (5, 1), (1, 2), (1, 3)])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4])
@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
def test_every_window_is_that_of_the_definition(
    padding: Any, kernel_size: int, strides: int, dilation: int, data_format: Any
) -> None:
    layer = Conv1D(
        3, kernel_size, strides, padding, data_format, dilation, bias_initializer="ones", dtype=torch.float64
    )
    last = data_format == "channels_last"
    output = layer(X if last else X.transpose(1, 2))
    found = output if last else output.transpose(1, 2)
    expected = by_hand(X.numpy(), layer.kernel.detach().numpy(), 1.0, strides, padding, dilation)

    assert layer.kernel.shape == (kernel_size, 4, 3)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12, atol=1e-12)
    computed = layer.compute_output_shape((None, 11, 4) if last else (None, 4, 11))
    assert computed[1:] == tuple(output.shape[1:])


@pytest.mark.parametrize("groups", [1, 2])
def test_values_and_gradients_are_those_of_torch(groups: int) -> None:
    layer = Conv1D(6, 3, 2, "valid", activation="tanh", groups=groups, dtype=torch.float64)
    peer = torch.nn.Conv1d(4, 6, 3, 2, groups=groups, dtype=torch.float64)
    layer.build((None, None, 4))
    with torch.no_grad():
        peer.weight.copy_(layer.kernel.permute(2, 1, 0))
        assert peer.bias is not None
        peer.bias.zero_()
    x = X.clone().requires_grad_()
    ours, theirs = layer(x), peer(x.transpose(1, 2)).transpose(1, 2).tanh()

    torch.testing.assert_close(ours, theirs)
    found = torch.autograd.grad(ours.square().sum(), [x, layer.kernel])
    expected = torch.autograd.grad(theirs.square().sum(), [x, peer.weight])
    torch.testing.assert_close(found[0], expected[0])
    torch.testing.assert_close(found[1], expected[1].permute(2, 1, 0))


def test_same_puts_the_odd_step_at_the_end() -> None:
    layer = Conv1D(1, 2, padding="same", use_bias=False, kernel_initializer="ones")

    assert layer(torch.tensor([[[1.0], [2.0], [4.0]]])).flatten().tolist() == [3.0, 6.0, 4.0]


def test_a_causal_output_sees_no_later_step() -> None:
    layer, x = Conv1D(2, 3, padding="causal", dilation_rate=2, dtype=torch.float64), X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(layer(x)[:, 6].sum(), x)

    assert gradient.abs().sum((0, 2)).ne(0).nonzero().flatten().tolist() == [2, 4, 6]


def test_the_activation_acts_on_the_last_axis() -> None:
    layer = Conv1D(3, 2, data_format="channels_first", activation="softmax", dtype=torch.float64)

    torch.testing.assert_close(layer(X.transpose(1, 2)).sum(-1), torch.ones(2, 3, dtype=torch.float64))


def test_the_fans_of_the_kernel_count_its_width() -> None:
    layer = Conv1D(64, 5, input_shape=(None, 32))

    assert layer.kernel.abs().max().item() == pytest.approx((6 / (5 * 32 + 5 * 64)) ** 0.5, rel=1e-2)


@pytest.mark.parametrize(
    ("options", "shape"),
    [({}, (None, None, 4)), ({"data_format": "channels_first"}, (None, 4, None)), ({"groups": 2}, (None, None, 4))],
    ids=str,
)
def test_an_unbuilt_layer_takes_its_shape_from_a_state_dict(options: dict[str, Any], shape: Any) -> None:
    layer, other = Conv1D(6, 3, **options, input_shape=(4, 4)), Conv1D(6, 3, **options)
    other.load_state_dict(layer.state_dict())

    assert other.known_input_shape == shape
    x = torch.randn(2, 4, 4)
    assert torch.equal(other(x), layer(x))


def test_any_length_goes_through_one_layer() -> None:
    model = Sequential([Conv1D(3, 3, padding="causal", input_shape=(None, 2)), GRU(2)])

    assert model.output_shape == (None, 2)
    assert [model(torch.randn(2, time, 2)).shape for time in (1, 9)] == [(2, 2)] * 2


@pytest.mark.parametrize(
    ("layer", "steps"),
    [
        (ZeroPadding1D(), [0, 1, 2, 3, 4, 0]),
        (ZeroPadding1D((0, 2)), [1, 2, 3, 4, 0, 0]),
        (ZeroPadding1D([2, 0]), [0, 0, 1, 2, 3, 4]),
        (Cropping1D(), [2, 3]),
        (Cropping1D(0), [1, 2, 3, 4]),
        (Cropping1D((2, 0)), [3, 4]),
        (Cropping1D([0, 3]), [1]),
        (UpSampling1D(), [1, 1, 2, 2, 3, 3, 4, 4]),
        (UpSampling1D(1), [1, 2, 3, 4]),
    ],
    ids=repr,
)
def test_steps_are_added_taken_off_or_repeated(layer: Layer, steps: list[int]) -> None:
    x = torch.stack([torch.arange(1.0, 5.0), -torch.arange(1.0, 5.0)], dim=1).unsqueeze(0)
    output = layer(x)

    assert output[0, :, 0].tolist() == steps
    assert output[0, :, 1].tolist() == [-step for step in steps]
    assert layer.compute_output_shape((None, 4, 2)) == (None, len(steps), 2)
    assert layer.compute_output_shape((None, None, 2)) == (None, None, 2)


# Errors


@pytest.mark.parametrize(
    ("layer", "x", "kind", "message"),
    [
        pytest.param(
            Conv1D(2, 3, name="c"), X[0], ShapeError,
            "Conv1D 'c': expected an input of rank 3, (batch, time, features), found (11, 4)", id="rank",
        ),
        pytest.param(
            Conv1D(2, 3, data_format="channels_first"), X[0], ShapeError,
            "Conv1D: expected an input of rank 3, (batch, features, time), found (11, 4)", id="rank-first",
        ),
        pytest.param(
            Conv1D(2, 4, dilation_rate=4), X, ShapeError, "Conv1D: expected 13 timesteps or more, found 11", id="short"
        ),
        pytest.param(
            Conv1D(2, 3, padding="same"), X[:, :0], ShapeError, "Conv1D: expected 1 timestep or more, found 0",
            id="empty",
        ),
        pytest.param(
            Cropping1D((6, 5), name="c"), X, ShapeError, "Cropping1D 'c': expected 12 timesteps or more, found 11",
            id="cropped",
        ),
        pytest.param(
            ZeroPadding1D(), X[0], ShapeError,
            "ZeroPadding1D: expected an input of rank 3, (batch, time, features), found (11, 4)", id="padding-rank",
        ),
        pytest.param(
            UpSampling1D(), X[0], ShapeError,
            "UpSampling1D: expected an input of rank 3, (batch, time, features), found (11, 4)", id="sampling-rank",
        ),
        pytest.param(
            Conv1D(2, 3, input_shape=(None, 5)), X.float(), ShapeError,
            "Conv1D: its kernel has the shape (3, 5, 2), an input (2, 11, 4) needs (3, 4, 2)", id="features",
        ),
        pytest.param(
            Conv1D(6, 3, groups=3), X, ShapeError,
            "Conv1D: groups=3 does not divide the number of features, 4, in (2, 11, 4)", id="groups",
        ),
        pytest.param(
            Conv1D(2, 3, input_shape=(None, 4)), X, DTypeError,
            "Conv1D has weights of dtype torch.float32, the input has torch.float64", id="dtype",
        ),
    ],
)  # fmt: skip
def test_an_input_that_does_not_fit(layer: Layer, x: torch.Tensor, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        layer(x)

    assert str(caught.value) == message


def test_features_must_be_known() -> None:
    with pytest.raises(ShapeError) as caught:
        Conv1D(2, 3, input_shape=(7, None))

    assert str(caught.value) == "Conv1D: expected a known number of features, found (None, 7, None)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strides": 2, "dilation_rate": 2}, "strides or dilation_rate must be 1, found strides=2 and dilation_rate=2"),
        ({"groups": 2}, "groups must divide filters=3, found 2"),
    ],
    ids=["strides", "groups"],
)
def test_arguments_that_do_not_go_together(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Conv1D(3, 2, **arguments)

    assert str(caught.value) == message


@pytest.mark.parametrize("layer", [Conv1D(2, 2), ZeroPadding1D(), Cropping1D(), UpSampling1D()], ids=repr)
def test_a_mask_is_refused(layer: Layer) -> None:
    model = Sequential([Embedding(9, 4, mask_zero=True), layer])
    with pytest.raises(MaskError) as caught:
        model(torch.ones(2, 3, dtype=torch.int64))

    assert str(caught.value).splitlines()[0] == (
        f"{layer.label} cannot take a mask, and one reached it from the layers before"
    )


def test_repr() -> None:
    layer = Conv1D(3, [2], dilation_rate=2, activation="relu")

    assert repr(layer) == "Conv1D(? -> 3, kernel_size=2, strides=1, padding='valid', dilation_rate=2, activation=relu)"
    layer(X.float())
    assert repr(layer).startswith("Conv1D(4 -> 3, ")
