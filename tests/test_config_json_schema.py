"""The JSON Schema of a file: it and the loader accept the same files, but for what a schema cannot say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import bad_input_cases
import bad_input_layer_cases
import jsonschema
import pytest
from config_strategies import experiments, layers, models
from hypothesis import given

import rnnspec
from rnnspec import registry
from rnnspec.config.base import Config
from rnnspec.config.json_schema import json_schema
from rnnspec.errors import ConfigError, ConfigWarning
from rnnspec.yaml.document import examine

CASES = [*bad_input_cases.CASES, *bad_input_layer_cases.CASES]
ROOT = Path(__file__).resolve().parent.parent
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

BEYOND = {
    "arguments that belong together": "input_length needs input_dim beside it|nesterov needs a momentum",
    "arguments that contradict each other": "must not be below",
    "sizes and axes that belong together": "takes one -1 at most|must be a permutation of",
    "names that must differ": "must differ from layer to layer|are both called",
    "names that must be there": "a graph needs input_layers",
    "what a layer may hold": "Bidirectional takes a recurrent layer|inbound_nodes is for layers of a graph",
    "a metric that may be another class of torchmetrics": "unknown metric 'Acuracy'",
    "numbers that JSON does not know": "must be a finite number, found|found nan",
    "a whole number that is written with a point": r"found \d+\.0$",
    "rows of one length": "an array, with rows of one length",
    "variables and their names": "there is no variable|the document has no vars|is never used|begins no reference",
    "what a variable stands for": "must be a positive integer, found 'wide'",
}
"""What the loader refuses and a schema cannot: why, and the loader's words for it."""

GOOD = [
    "Flatten",
    "Flatten:",
    "LSTM: {units: 3}",
    "{class_name: LSTM, config: {units: 3, kernel_initializer: {class_name: Orthogonal, config: {gain: 2}}}}",
    "Sequential: {layers: [Flatten, {Dense: {units: 3}}], name: stack}",
    "{class_name: Sequential, config: {layers: [Flatten]}}",
    "vars: {u: 3}\nLSTM: {units: '${u}'}",
    "vars: {u: 3, layer: {Dense: {units: 4}}}\nmodel: [LSTM: {units: '${u}', name: 'lstm_${u}'}, '${layer}']",
    "vars:\nmodel: Flatten",
    "LSTM: {units: 3, dropout: 0.2, recurrent_dropout: 1, weights: [[[1, 2.5]], [[3]], [4]], input_shape: [null, 4]}",
    "LSTM: {units: 3, kernel_initializer: null, bias_initializer: random_uniform, kernel_regularizer: l1_l2}",
    "LSTM: {units: 3, kernel_initializer: {GlorotUniform: null}, kernel_constraint: {MaxNorm: {axis: [0, 1]}}}",
    "LSTM: {units: 3, kernel_regularizer: {class_name: L1L2, config: {l1: 0.1}}, activation: null}",
    "GRU: {units: 3, kernel_initializer: {GlorotUniform: {seed: 3}}, recurrent_initializer: glorot_uniform}",
    "RNN: {cell: {GRU: {reset_after: true}}, units: 3}",
    "- Reshape: {target_shape: [-1, 2]}\n- Permute: {dims: [2, 1]}\n- RepeatVector: {n: 3}\n- LeakyReLU",
    "[PReLU: {shared_axes: 1}, PReLU: {shared_axes: [1, 2], alpha_regularizer: l2}, SpatialDropout1D: {rate: 0.5}]",
    "Lambda: {function: a_registered_function, output_shape: [null, 3], arguments: {by: [1, 2]}}",
    "Lambda: {function: a_registered_function, output_shape: a_registered_function, mask: a_registered_function}",
    "[Conv1D: {filters: 2, kernel_size: 3, strides: [2]}, MaxPool1D: {strides: null}, BatchNormalization: {axis: [2]}]",
    "[ZeroPadding1D: {padding: [1, 0]}, LayerNormalization: {axis: [1, 2]}, ReLU: {max_value: null}, Softmax]",
    "Bidirectional: {layer: {LSTM: {units: 3}}, merge_mode: null}",
    "LSTM: {units: 3, inbound_nodes: []}",
    "model: Flatten\ndata: {JapaneseVowels: }\nloss: huber\noptimizer: {adam: {learning_rate: 1}}\ntrain: null",
    "model: Flatten\nmetrics: [acc, {F1Score: {average: null}}, rmse, LogAUC, {EER: {name: e}}, {mae: null}]",
    "model: Flatten\ntrain: {epochs: 3, seed: 9223372036854775807, gradient_clip: 0.5, drop_last: true}",
]
BAD = [
    "LSTM",
    "LSTM:",
    "{class_name: LSTM}",
    "{class_name: LSTM, config: {units: 3}, name: x}",
    "{class_name: Sequential}",
    "Sequential: {layers: []}",
    "Sequential",
    "vars: 3\nLSTM: {units: 3}",
    "vars: {u: 3}\nLSTM: {units: '${v}'}",
    "vars: {u: 3}\nLSTM: {units: 3}",
    "vars: {u: wide}\nLSTM: {units: '${u}'}",
    "'${model}'",
    "LSTM: {units: 3.0}",
    "LSTM: {units: 3, seed: -1}",
    "LSTM: {units: 3, input_shape: 4}",
    "LSTM: {units: 3, batch_input_shape: []}",
    "LSTM: {units: 3, weights: [3]}",
    "LSTM: {units: 3, weights: [[[1, 2], [3]]]}",
    "LSTM: {units: 3, name: ''}",
    "LSTM: {units: 3, inbound_nodes: [x, -1, 0]}",
    "LSTM: {units: 3, kernel_constraint: {MaxNorm: {axis: []}}}",
    "LSTM: {units: 3, kernel_initializer: {Uniform: {minval: 2}}}",
    "LSTM: {units: 3, kernel_initializer: {class_name: Orthogonal, config: {gian: 2}}}",
    "Reshape: {target_shape: [0]}",
    "Reshape: {target_shape: [-2]}",
    "Reshape: {target_shape: [-1, -1]}",
    "Permute: {dims: [1, 1]}",
    "Permute: {dims: [1, 3]}",
    "PReLU: {shared_axes: 0}",
    "PReLU: {shared_axes: [1, -1]}",
    "Lambda: {function: null}",
    "Lambda: {function: a_registered_function, output_shape: 3}",
    "Lambda: {function: a_registered_function, output_shape: [0]}",
    "Lambda: {function: a_registered_function, arguments: [1]}",
    "model: Flatten\ntrain: {validation_split: 1}",
    "model: Flatten\noptimizer: {SGD: {nesterov: true}}",
    "model: Flatten\nmetrics: [acuracy]",
    "model: Flatten\nmetrics: [mse, rmse, mse]",
    "model: Flatten\nmetrics: [{Accuracy: {name: 'a b'}}]",
    "model: Flatten\nmetrics: [{MinkowskiDistance: {}}]",
    "model: Flatten\nepochs: 3",
]


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        yield


def in_one_line(text: str) -> str:
    """A document as the id of a test."""
    return text.replace("\n", " / ")


def refusal(text: str) -> str:
    """What the loader says against a document, a line for each problem; nothing where it takes it."""
    try:
        rnnspec.loads(text)
    except ConfigError as error:
        return "\n".join(problem.message for problem in error.problems)
    return ""


def is_taken(text: str) -> bool:
    """Whether the schema takes a document."""
    return VALIDATOR.is_valid(examine(text).root.plain())


def agree(text: str) -> str:
    """Whether schema and loader take the same: `` if so, else why not."""
    loader = refusal(text)
    if not is_taken(text):
        return "" if loader else "the schema refuses it alone"
    beyond = [line for line in loader.splitlines() if not any(re.search(words, line) for words in BEYOND.values())]
    return f"the loader refuses it alone: {beyond}" if beyond else ""


@pytest.mark.parametrize("text", GOOD, ids=in_one_line)
def test_right_files_are_taken_by_both(text: str) -> None:
    assert (refusal(text), agree(text)) == ("", "")


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_right(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = {**registry.CELLS._added}
    monkeypatch.setattr(registry.CELLS, "_added", cells)
    if "--import examples.my_cells" in path.read_text():
        monkeypatch.syspath_prepend(str(ROOT))
        from examples.my_cells import PeepholeLSTM

        cells["PeepholeLSTM"] = PeepholeLSTM
    validator = jsonschema.Draft202012Validator(json_schema())

    assert [error.message for error in validator.iter_errors(examine(path.read_text()).root.plain())] == []


@pytest.mark.parametrize("text", BAD, ids=in_one_line)
def test_wrong_files_are_refused_by_both(text: str) -> None:
    assert refusal(text)
    assert agree(text) == ""


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text, _ in CASES])
def test_each_kind_of_mistake_is_refused_by_both(text: str) -> None:
    assert agree(text) == ""


def test_everything_that_a_schema_cannot_say_is_met() -> None:
    taken = [text for text in [*BAD, *(text for _, text, _ in CASES)] if is_taken(text)]
    met = "\n".join(map(refusal, taken))

    assert [why for why, words in BEYOND.items() if not re.search(words, met, re.MULTILINE)] == []


@given(layers | models | experiments)
def test_what_a_config_writes_is_taken(made: Config) -> None:
    data = json.loads(json.dumps(made.to_schema()))

    assert [error.message for error in VALIDATOR.iter_errors(data)] == []


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize(
    "table", ["LAYERS", "CELLS", "INITIALIZERS", "REGULARIZERS", "CONSTRAINTS", "LOSSES", "OPTIMIZERS", "METRICS"]
)
def test_every_tag_is_in_it_with_all_its_names(table: str) -> None:
    names = getattr(registry, table)
    family = next(
        cls
        for cls in (getattr(rnnspec.config, name) for name in rnnspec.config.__all__)
        if isinstance(cls, type) and vars(cls).get("registry") is names
    )
    tags = SCHEMA["$defs"][family.__name__.removesuffix("Config")]["else"]["else"]["properties"]

    assert {*names.names(), *family.aliases} <= {*tags}


def test_an_argument_has_type_default_bounds_and_description() -> None:
    found = SCHEMA["$defs"]["LSTMConfig"]["properties"]

    variable = {"$ref": "#/$defs/Variable"}
    assert found["dropout"] == {
        "description": "Share of the inputs to drop, from 0 to 1 (default 0). Exactly 1 is no dropout, as in Keras.",
        "default": 0.0,
        "if": variable,
        "else": {"type": "number", "minimum": 0, "maximum": 1},
    }
    assert found["implementation"]["else"] == {"enum": [0, 1, 2]}
    assert found["stateful"]["else"] == {"type": "boolean"}
    assert (
        found["name"]["description"] == "Name of the layer, in messages and in the model's `state_dict` keys; no dots."
    )
    assert SCHEMA["$defs"]["LSTMConfig"]["required"] == ["units"]


def test_an_alias_has_its_own_defaults() -> None:
    defs = SCHEMA["$defs"]

    assert defs["UniformInitializerConfig"]["properties"]["minval"]["default"] == 0
    assert defs["UniformInitializerConfig.random_uniform"]["properties"]["minval"]["default"] == -0.05


def test_what_users_registered_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for table in (registry.LAYERS, registry.INITIALIZERS):
        monkeypatch.setattr(table, "_added", {})

    @rnnspec.register.layer
    def Mine(units: int, rate: float = 0.5, odd: object = object()) -> None:  # noqa: N802
        """A layer of mine."""

    @rnnspec.register.initializer
    def spread(weight: object, by: float, generator: object = None, **more: object) -> None: ...

    defs = json_schema()["$defs"]
    tags = {name: defs[name]["else"]["else"]["properties"] for name in ("Module", "Initializer")}
    assert tags["Module"]["Mine"]["else"] == {
        "description": "A layer of mine.",
        "type": "object",
        "properties": {"units": {}, "rate": {"default": 0.5}, "odd": {}},
        "required": ["units"],
        "additionalProperties": False,
    }
    assert tags["Initializer"]["spread"]["else"] == {
        "type": "object",
        "properties": {"by": {}},
        "required": ["by"],
        "additionalProperties": True,
    }


def test_messages_of_a_validator_are_short() -> None:
    data = {"model": [{"LSTM": {"units": "3", "kernel_initializer": {"Orthogonal": {"gian": 2}}}}]}

    assert [(error.json_path, error.message) for error in VALIDATOR.iter_errors(data)] == [
        ("$.model[0].LSTM.units", "'3' is not of type 'integer'"),
        (
            "$.model[0].LSTM.kernel_initializer.Orthogonal",
            "Additional properties are not allowed ('gian' was unexpected)",
        ),
    ]


def test_it_is_made_without_torch() -> None:
    code = (
        "import sys; from rnnspec.config.json_schema import json_schema; json_schema(); print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert ran.stdout == "False\n"
