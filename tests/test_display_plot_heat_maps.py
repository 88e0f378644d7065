"""The pictures of gates and states: what they show, where they are drawn, and that they change nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot
from matplotlib.axes import Axes
from recording_cases import make, walk
from torch import Tensor

import rnnspec
from rnnspec import nn, plot
from rnnspec.errors import ConfigError, Error, ShapeError

TIME = 6
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 1]]) == 1


@pytest.fixture(autouse=True)
def _no_figure_is_left_open() -> Iterator[None]:
    yield
    pyplot.close("all")


def inputs() -> Tensor:
    return torch.randn(2, TIME, 2, dtype=torch.float64)


def shown(ax: Axes) -> Any:
    """The numbers of the heat map."""
    return ax.images[0].get_array().data  # type: ignore[union-attr]


def legend(ax: Axes) -> list[str]:
    found = ax.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def titles(axes: Any) -> list[str]:
    return [ax.get_title("left") for ax in axes]


@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU reset_after"])
def test_the_gates_of_the_chosen_row_are_shown(cell: str) -> None:
    layer, x = make(cell), inputs()

    axes = plot.gates(layer, x, sample=1)

    gates, _ = walk(cell, layer, x, [torch.zeros(2, 3, dtype=torch.float64) for _ in layer.cell.states])
    assert len(axes) == len(gates)
    for ax, values in zip(axes, gates.values(), strict=True):
        np.testing.assert_allclose(shown(ax), values[1].T.detach(), rtol=0, atol=1e-12)


def test_the_states_of_the_chosen_row_are_shown_in_colours_around_zero() -> None:
    layer, x = make("LSTM"), inputs()

    axes = plot.states(layer, x, sample=1)

    _, states = walk("LSTM", layer, x, [torch.zeros(2, 3, dtype=torch.float64)] * 2)
    assert titles(axes) == ["state h", "state c"]
    for ax, values in zip(axes, states.values(), strict=True):
        np.testing.assert_allclose(shown(ax), values[1].T.detach(), rtol=0, atol=1e-12)
        largest = values[1].abs().max().item()
        assert ax.images[0].get_clim() == pytest.approx((-largest, largest))


def test_gates_and_candidates_have_titles_labels_and_colours_of_their_own() -> None:
    axes = plot.gates(make("LSTM", name="$\\frac$"), inputs())

    figure = axes[0].figure
    assert figure.get_suptitle() == "LSTM '$\\frac$', row 0"
    assert titles(axes) == ["gate i", "gate f", "candidate c", "gate o"]
    assert [ax.get_ylabel() for ax in figure.axes] == ["unit"] * 4 + ["activation"] * 4
    assert [ax.get_xlabel() for ax in axes] == ["", "", "", "timestep"]
    assert [ax.images[0].get_clim() for ax in axes] == [(0.0, 1.0), (0.0, 1.0), (-1.0, 1.0), (0.0, 1.0)]
    assert [ax.images[0].get_cmap().name for ax in axes] == ["Blues", "Blues", "PRGn", "Blues"]
    figure.canvas.draw()


def test_a_gate_with_a_negative_activation_has_colours_around_zero() -> None:
    axes = plot.gates(nn.GRU(3, input_size=2, recurrent_activation="linear"), 10 * torch.randn(2, TIME, 2))

    low, high = axes[0].images[0].get_clim()
    assert low == -high
    assert high > 1
    assert not any("exactly" in entry for entry in legend(axes[0]))


@pytest.mark.parametrize(("start", "end"), [(-2.5, "exactly 0"), (2.5, "exactly 1")], ids=["closed", "open"])
def test_what_is_saturated_is_marked_and_counted(start: float, end: str) -> None:
    # The gates of four units: at the corner, beyond it, just inside, and in the middle; the same at all steps.
    inside = 0.99999 * start
    kernel = torch.tensor([[start, 2 * start, inside, 0.0, *[0.0] * 8]])
    layer = nn.GRU(4, input_size=1, weights=[kernel, torch.zeros(4, 12), torch.zeros(12)])

    update, reset, _ = plot.gates(layer, torch.ones(1, TIME, 1))

    assert legend(update) == [f"{end}: 12 (50.0%)"]
    covered = ~np.isnan(np.ma.filled(update.images[1].get_array(), np.nan))
    assert covered.tolist() == [[True] * TIME, [True] * TIME, [False] * TIME, [False] * TIME]
    assert legend(reset) == []
    patch = update.get_legend().get_patches()[0]
    assert update.images[1].cmap(0) == patch.get_facecolor()


@pytest.mark.parametrize("draw", [plot.gates, plot.states], ids=["gates", "states"])
def test_masked_steps_are_grey(draw: Any) -> None:
    axes = draw(make("GRU"), inputs(), sample=1, mask=MASK)

    ax = axes[0]
    assert legend(ax)[0] == "masked"
    grey = ax.images[1].get_array().filled(-1) == 0
    assert grey.tolist() == [[True, False, False, True, False, False]] * 3
    assert len(set(ax.images[1].cmap(0)[:3])) == 1


def test_shares_are_of_the_valid_steps() -> None:
    kernel = torch.tensor([[9.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    layer = nn.GRU(2, input_size=1, weights=[kernel, torch.zeros(2, 6), torch.zeros(6)])

    ax, *_ = plot.gates(layer, torch.ones(2, TIME, 1), sample=1, mask=MASK)

    assert legend(ax) == ["masked", "exactly 1: 4 (50.0%)"]


def test_a_row_without_a_valid_step_is_all_grey() -> None:
    (ax,) = plot.states(make("GRU"), inputs(), mask=torch.zeros(2, TIME))

    assert legend(ax) == ["masked"]
    assert ax.images[0].get_clim() == (-1.0, 1.0)


def test_numbers_that_are_not_finite_are_marked() -> None:
    x = inputs().float()
    x[0, 4] = torch.inf

    axes = plot.states(nn.SimpleRNN(3, input_size=2, activation="linear"), x)

    assert legend(axes[0]) == ["not finite: 6 (33.3%)"]


def test_the_given_axes_are_used_and_returned() -> None:
    figure, given = pyplot.subplots(2, 2)

    axes = plot.gates(make("LSTM"), inputs(), ax=given)

    assert list(axes) == list(given.ravel())
    assert [ax.get_xlabel() for ax in axes] == ["timestep"] * 4
    assert figure.get_suptitle() == ""
    assert pyplot.get_fignums() == [figure.number]  # type: ignore[attr-defined]


def test_one_of_the_axes_needs_no_list() -> None:
    _, given = pyplot.subplots()

    (ax,) = plot.states(make("GRU"), inputs(), ax=given)

    assert ax is given


@pytest.mark.parametrize("draw", [plot.gates, plot.states], ids=["gates", "states"])
def test_a_trace_or_a_call_of_it_can_be_drawn(draw: Any) -> None:
    layer, x = make("LSTM", name="encoder"), inputs()
    with rnnspec.record(layer) as trace:
        layer(x)

    for given, title in ((trace, "LSTM 'encoder', row 0"), (trace.calls[0], "LSTM, row 0")):
        axes = draw(given)
        assert axes[0].figure.get_suptitle() == title
        for ax, want in zip(axes, draw(layer, x), strict=True):
            np.testing.assert_array_equal(shown(ax), shown(want))


def test_the_users_style_and_the_layer_stay_as_they_are() -> None:
    layer = make("GRU", stateful=True, activity_regularizer="l2")
    layer(inputs())
    before, style = (layer.states[0].clone(), layer.losses[0]), dict(mpl.rcParams)

    plot.gates(layer, inputs())
    plot.gradient_norms(layer, inputs())

    assert torch.equal(layer.states[0], before[0])
    assert layer.losses == [before[1]]
    assert dict(mpl.rcParams) == style
    assert layer.recorders == ()
    assert all(weight.grad is None for weight in layer.parameters())


@pytest.mark.parametrize(
    ("layer", "arguments", "message"),
    [
        pytest.param(
            lambda: nn.Bidirectional(make("GRU")),
            {},
            "plot.gates takes a recurrent layer or its trace, found Bidirectional(GRU)\n"
            "  hint: draw one of its halves: forward_layer or backward_layer",
            id="both directions",
        ),
        pytest.param(
            lambda: nn.Sequential([nn.Dense(2)]),
            {},
            "plot.gates takes a recurrent layer or its trace, found Sequential",
            id="a model",
        ),
        pytest.param(lambda: 3, {}, "plot.gates takes a recurrent layer or its trace, found int", id="no layer"),
        pytest.param(
            lambda: rnnspec.nn.recording.Trace("GRU"),
            {},
            "plot.gates takes a layer with its input, or a trace alone, which has its call already",
            id="a trace and an input",
        ),
        pytest.param(
            lambda: make("GRU"),
            {"ax": [None, None]},
            "plot.gates draws 3 panels (gate z, gate r, candidate h), ax has 2",
            id="too few axes",
        ),
        pytest.param(
            lambda: make("GRU"), {"sample": 2}, "sample must be a row of the batch, from 0 to 1, found 2", id="no row"
        ),
        pytest.param(
            lambda: make("GRU"), {"sample": -1}, "sample must be a row of the batch, from 0 to 1, found -1", id="-1"
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(layer: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, ShapeError)) as caught:
        plot.gates(layer(), inputs(), **arguments)
    assert str(caught.value) == message
    assert pyplot.get_fignums() == []


def test_without_timesteps_there_is_nothing_to_draw() -> None:
    with pytest.raises(ShapeError) as caught:
        plot.states(make("GRU"), inputs()[:, :0])
    assert str(caught.value) == "there is nothing to draw, the input has no timesteps"


def test_a_missing_matplotlib_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(Error) as caught:
        plot.gates(make("GRU"), inputs())
    assert str(caught.value) == (
        "pictures need a package that is not installed: matplotlib\n  hint: pip install 'rnnspec[plot]'"
    )
