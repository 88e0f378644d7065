"""The picture of gradient norms: lines, bands, zeros, masked steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib import pyplot
from matplotlib.axes import Axes
from recording_cases import make
from torch import Tensor

from rnnspec import nn, plot
from rnnspec.errors import ConfigError, ShapeError
from rnnspec.nn.state_gradients import state_gradients

TIME = 6


@pytest.fixture(autouse=True)
def _no_figure_is_left_open() -> Iterator[None]:
    yield
    pyplot.close("all")


def inputs(rows: int = 3) -> Tensor:
    return torch.randn(rows, TIME, 2, dtype=torch.float64)


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]  # type: ignore[union-attr]


def drawn(line: Any) -> list[float]:
    return list(line.get_ydata())


def linear(factor: float, **options: Any) -> nn.SimpleRNN:
    """h' = factor * h + x: the gradient changes by exactly this factor with each step back."""
    return nn.SimpleRNN(
        1, activation="linear", input_size=1, weights=[[[1.0]], [[factor]], [0.0]], dtype=torch.float64, **options
    )


def test_a_line_is_the_median_of_the_rows_and_the_band_their_range() -> None:
    layer, x = make("LSTM", recurrent_activation="sigmoid", name="encoder"), inputs()

    ax = plot.gradient_norms(layer, x)

    gradients, _ = state_gradients(layer, x)
    lines = [line for line in ax.lines if len(drawn(line)) == TIME]
    for line, band, gradient in zip(lines, ax.collections, gradients.values(), strict=True):
        norms = gradient.square().sum(-1).sqrt()
        np.testing.assert_allclose(drawn(line), norms.median(0).values)  # of three rows, the one in the middle
        heights = band.get_paths()[0].vertices[:, 1]  # type: ignore[index]
        np.testing.assert_allclose(heights.max(), norms.amax())
        np.testing.assert_allclose(heights.min(), norms.amin())
    assert ax.get_yscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("timestep", "norm of d loss / d state")
    assert ax.figure.get_suptitle() == "LSTM 'encoder', median of 3 rows, and their range"  # type: ignore[union-attr]


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("factor", [0.5, 2.0], ids=["vanishing", "exploding"])
def test_the_legend_tells_the_factor_of_a_step_back(factor: float, backwards: bool) -> None:
    ax = plot.gradient_norms(linear(factor, go_backwards=backwards), torch.ones(1, TIME, 1, dtype=torch.float64))

    assert legend(ax) == [f"h: x {factor:.3g} each step back"]
    want = [factor**k for k in range(TIME)]
    assert drawn(ax.lines[0]) == (want if backwards else want[::-1])
    assert ax.figure.get_suptitle() == "SimpleRNN, 1 row"  # type: ignore[union-attr]
    assert len(ax.collections) == 0


def test_zeros_are_marks_at_the_foot() -> None:
    ax = plot.gradient_norms(linear(0.0), torch.ones(2, TIME, 1, dtype=torch.float64))

    line, zeros = ax.lines
    assert np.isnan(drawn(line)[:-1]).all()
    assert drawn(line)[-1] == 1.0
    assert list(zeros.get_xdata()) == [0, 1, 2, 3, 4]  # type: ignore[arg-type]
    assert legend(ax) == ["h", "h: exactly 0"]
    ax.figure.canvas.draw()


def test_a_loss_of_ones_own_is_used() -> None:
    layer = linear(0.5, return_sequences=True)

    ax = plot.gradient_norms(layer, torch.ones(1, TIME, 1, dtype=torch.float64), lambda output: 3 * output[:, 2].sum())

    assert drawn(ax.lines[0])[:3] == [0.75, 1.5, 3.0]
    assert np.isnan(drawn(ax.lines[0])[3:]).all()


def test_small_gradients_do_not_vanish_in_the_norm() -> None:
    weights = [torch.ones(1, 2), 1e-7 * torch.eye(2), torch.zeros(2)]
    layer = nn.SimpleRNN(2, activation="linear", input_size=1, weights=weights)

    ax = plot.gradient_norms(layer, torch.ones(1, TIME, 1))

    assert drawn(ax.lines[0])[0] == pytest.approx(2**0.5 * 1e-35, rel=1e-5)


def test_steps_that_are_masked_in_all_rows_are_grey() -> None:
    mask = torch.tensor([[0, 1, 0, 1, 1, 1], [0, 1, 1, 0, 1, 1]])

    ax = plot.gradient_norms(linear(0.5), torch.ones(2, TIME, 1, dtype=torch.float64), mask=mask)

    assert [round(patch.get_x() + 0.5) for patch in ax.patches] == [0]  # type: ignore[attr-defined]
    assert legend(ax)[1:] == ["masked"]
    assert np.isnan(drawn(ax.lines[0])[0])


def test_the_given_axes_are_used_and_returned() -> None:
    _, given = pyplot.subplots()

    assert plot.gradient_norms(make("GRU"), inputs(), ax=given) is given


@pytest.mark.parametrize(
    ("layer", "x", "message"),
    [
        pytest.param(
            nn.Bidirectional(make("GRU")),
            inputs(),
            "plot.gradient_norms takes a recurrent layer, found Bidirectional(GRU)\n"
            "  hint: draw one of its halves: forward_layer or backward_layer",
            id="both directions",
        ),
        pytest.param(
            make("GRU"),
            inputs()[:, :0],
            "there is nothing to draw, the input has 3 rows and 0 timesteps",
            id="no timesteps",
        ),
        pytest.param(
            make("GRU"), inputs(0), "there is nothing to draw, the input has 0 rows and 6 timesteps", id="no rows"
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(layer: Any, x: Tensor, message: str) -> None:
    with pytest.raises((ConfigError, ShapeError)) as caught:
        plot.gradient_norms(layer, x)
    assert str(caught.value) == message
