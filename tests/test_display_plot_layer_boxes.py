"""The picture of a model: a box a layer, shapes beside the arrows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from matplotlib import pyplot
from matplotlib.axes import Axes

import rnnspec
from rnnspec import nn, plot
from rnnspec.errors import ConfigError, WeightsError


@pytest.fixture(autouse=True)
def _no_figure_is_left_open() -> Iterator[None]:
    yield
    pyplot.close("all")


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_text()]


def test_layers_shapes_and_parameters_stand_in_the_picture() -> None:
    model = nn.Sequential(
        [
            nn.Embedding(50, 4, input_length=7),
            nn.Bidirectional(nn.LSTM(3, return_sequences=True)),
            nn.Dropout(0.5),
            nn.GRU(2, trainable=False, name="$\\frac$"),
        ]
    )

    ax = plot.model(model)

    # Embedding 50 * 4; LSTM 2 * 4 * (4 * 3 + 3 * 3 + 3); GRU 3 * (6 * 2 + 2 * 2 + 2).
    assert texts(ax) == [
        "(None, 7)",
        *("Embedding", "200 parameters", "(None, 7, 4)"),
        *("Bidirectional(LSTM)", "192 parameters", "(None, 7, 6)"),
        *("Dropout", "0 parameters", "(None, 7, 6)"),
        *("GRU '$\\frac$'", "54 parameters, frozen", "(None, 2)"),
    ]
    assert ax.figure.get_suptitle() == "Sequential: 446 parameters, 54 of them frozen"  # type: ignore[union-attr]
    fills = [patch.get_facecolor() for patch in ax.patches]
    assert fills[1] == fills[3]
    assert len(set(fills)) == 3
    heights = [patch.get_window_extent().y0 for patch in ax.patches]
    assert heights == sorted(heights, reverse=True)
    ax.figure.canvas.draw()


def test_a_layer_alone_has_one_box() -> None:
    ax = plot.model(nn.Dense(1, use_bias=False, input_shape=(1,)))

    assert texts(ax) == ["(None, 1)", "Dense", "1 parameter", "(None, 1)"]


def test_the_input_shape_may_be_given_and_may_be_unknown() -> None:
    model = nn.Sequential([nn.Dense(2, input_shape=(3,)), torch.nn.Tanh()])
    layer = nn.GRU(2)
    layer.build((None, None, 3))

    assert texts(plot.model(model, (8, 5, 3)))[-1] == "shape not known"
    assert texts(plot.model(model, (8, 5, 3)))[0] == "(8, 5, 3)"
    assert texts(plot.model(layer))[0] == "shape not known"


def test_the_given_axes_are_used_and_returned() -> None:
    figure, given = pyplot.subplots()

    assert plot.model(nn.GRU(2, input_size=3), ax=given) is given
    assert figure.get_suptitle() == ""


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        plot.model(torch.nn.Linear(2, 3))
    assert str(caught.value) == "plot.model takes a layer or a model, found Linear"


def test_a_model_that_is_not_built_is_refused() -> None:
    with pytest.raises(WeightsError) as caught:
        plot.model(nn.LSTM(3))
    assert str(caught.value) == "LSTM has no weights yet: give its input_shape, build it, or call it once"


GRAPH = """
graph:
  layers:
    - Input: {name: left, batch_input_shape: [null, 7, 3]}
    - Input: {name: right, batch_input_shape: [null, 7, 3]}
    - LSTM: {name: both, units: 3, return_sequences: true, inbound_nodes: [[left], [right]]}
    - Add: {name: sum, inbound_nodes: [[both, 0, 0], [both, 1, 0], left]}
    - Dense: {name: steps, units: 2, inbound_nodes: sum}
    - GRU: {name: last, units: 4, inbound_nodes: sum}
  output_layers: [last, steps]
"""


def test_a_graph_has_a_box_for_each_input_and_each_call() -> None:
    ax = plot.model(rnnspec.build(rnnspec.loads(GRAPH), device="cpu"))

    # LSTM 4 * (3 * 3 + 3 * 3 + 3); Dense 3 * 2 + 2; GRU 3 * (3 * 4 + 4 * 4 + 4).
    assert texts(ax) == [
        *("Input 'left'", "(None, 7, 3)"),
        *("Input 'right'", "(None, 7, 3)"),
        *("LSTM 'both'", "84 parameters", "(None, 7, 3)"),
        *("LSTM 'both', call 2", "the same 84 parameters", "(None, 7, 3)"),
        *("Add 'sum'", "0 parameters", "(None, 7, 3)"),
        *("Dense 'steps'", "8 parameters", "(None, 7, 2), output 2"),
        *("GRU 'last'", "96 parameters", "(None, 4), output 1"),
    ]
    assert ax.figure.get_suptitle() == "Graph: 188 parameters"  # type: ignore[union-attr]


def test_what_goes_further_than_to_the_next_box_has_a_lane() -> None:
    ax = plot.model(rnnspec.build(rnnspec.loads(GRAPH), device="cpu"))

    lines = [(line.get_xdata(), line.get_ydata()) for line in ax.lines]
    found = [(int(y[0]), int(y[-1]), round(float(x[1]) - 1, 2)) for x, y in lines]  # type: ignore[arg-type,index]
    # left goes to both and to sum, right and both's first call each to the second but one, sum to last.
    assert found == [(0, 2, 0.04), (0, 4, 0.04), (4, 6, 0.04), (1, 3, 0.10), (2, 4, 0.16)]


def test_a_graph_whose_shapes_are_not_known_is_drawn_too() -> None:
    layer = nn.GRU(2, input_size=3)

    ax = plot.model(nn.Graph({"gru": layer}, [("gru", [("x", 0, 0)])], ["x"], [("gru", 0, 0)]))

    assert texts(ax) == ["Input 'x'", "shape not known", "GRU 'gru'", "36 parameters", "shape not known"]
    assert not ax.lines
