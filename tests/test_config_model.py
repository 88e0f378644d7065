"""SequentialConfig."""

from __future__ import annotations

from typing import Any

import pytest

from rnnspec import config
from rnnspec.errors import ConfigError

LSTM, FLATTEN = {"LSTM": {"units": 3}}, config.FlattenConfig()


def test_layers_may_have_any_form() -> None:
    made = config.SequentialConfig([config.LSTMConfig(3), LSTM, "Flatten", {"class_name": "Flatten"}])

    assert made.stack == (config.LSTMConfig(3), config.LSTMConfig(3), FLATTEN, FLATTEN)


def test_to_schema_names_layers_under_sequential() -> None:
    made = config.SequentialConfig(["Flatten"], name="m")

    assert made.to_schema() == {
        "Sequential": {"name": "m", "trainable": True, "inbound_nodes": [], "layers": [FLATTEN.to_schema()]}
    }


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        pytest.param([], "layers: a model needs at least one layer, found an empty list", id="empty"),
        pytest.param("Flatten", "layers must be a list of layers, found 'Flatten'", id="text"),
        pytest.param(
            [{"LSTM": {"units": 0}}], "layers[0].LSTM.units: units must be a positive integer, found 0", id="in a layer"
        ),
        pytest.param(
            [config.DenseConfig(1, name="a"), FLATTEN, config.LSTMConfig(3, name="a")],
            "layers[2].LSTM.name: name must differ from layer to layer, found 'a' at layer 0 too",
            id="same name",
        ),
        pytest.param(
            [config.DenseConfig(1, inbound_nodes=["x"])],
            "layers[0].Dense.inbound_nodes: inbound_nodes is for layers of a graph only",
            id="inbound_nodes",
        ),
    ],
)
def test_wrong_layers_are_refused(layers: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.SequentialConfig(layers)

    assert str(error.value) == message


@pytest.mark.parametrize("document", [{"LSTM": {"units": 3, "inbound_nodes": ["x"]}}], ids=["layer"])
@pytest.mark.parametrize("path", ["", "model.", "[0]."])
def test_a_document_of_layers_has_no_inbound_nodes(document: Any, path: str) -> None:
    from rnnspec import from_dict

    wrapped = {"": document, "model.": {"model": document}, "[0].": [document]}[path]
    with pytest.raises(ConfigError) as error:
        from_dict(wrapped)

    assert str(error.value) == f"{path}LSTM.inbound_nodes: inbound_nodes is for layers of a graph only"


def test_a_layer_alone_keeps_its_inbound_nodes() -> None:
    made = config.LSTMConfig.from_dict({"units": 3, "inbound_nodes": ["x", ["y", 0, 1]]})

    assert made.to_dict()["inbound_nodes"] == [["x", 0, 0], ["y", 0, 1]]
