"""The picture of a model: a box a layer, shapes beside the arrows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from matplotlib import pyplot
from matplotlib.axes import Axes

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


@pytest.mark.parametrize(
    "module", [torch.nn.Linear(2, 3), nn.Graph({}, [], ["x"], [("x", 0, 0)])], ids=["torch", "graph"]
)
def test_what_is_no_stack_of_layers_is_refused(module: torch.nn.Module) -> None:
    with pytest.raises(ConfigError) as caught:
        plot.model(module)
    assert str(caught.value) == f"plot.model takes a layer or a Sequential model, found {type(module).__name__}"


def test_a_model_that_is_not_built_is_refused() -> None:
    with pytest.raises(WeightsError) as caught:
        plot.model(nn.LSTM(3))
    assert str(caught.value) == "LSTM has no weights yet: give its input_shape, build it, or call it once"
