"""Wrong files on the command line: every message, located, and never a traceback."""

from __future__ import annotations

from pathlib import Path

import bad_input_cases
import bad_input_layer_cases
import pytest

import rnnspec
from rnnspec import registry
from rnnspec.cli import main
from rnnspec.errors import Error

CASES = [*bad_input_cases.CASES, *bad_input_layer_cases.CASES]
LISTS = {
    **{
        name: ", ".join(getattr(registry, name).names())
        for name in ("CONSTRAINTS", "ACTIVATIONS", "INITIALIZERS", "LAYERS", "LOSSES", "METRICS")
    },
    "GRU": (
        "units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, "
        "bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer, "
        "kernel_constraint, recurrent_constraint, bias_constraint, dropout, recurrent_dropout, name, trainable, "
        "inbound_nodes, dtype, weights, input_shape, batch_input_shape, return_sequences, return_state, "
        "go_backwards, stateful, unroll, implementation, input_dim, input_length, keras_mask_order, masked_start, "
        "zero_output_for_mask, initial_state, seed, checkpoint_every, reset_after"
    ),
    "Dense": (
        "units, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, "
        "activity_regularizer, kernel_constraint, bias_constraint, name, trainable, inbound_nodes, dtype, "
        "weights, input_shape, batch_input_shape, input_dim"
    ),
}


def shown(messages: list[str], text: str) -> str:
    """The messages as the command line shows them, each with its line of the file and a caret."""
    lines = []
    for message in messages:
        for name, names in LISTS.items():
            message = message.replace(f"{{{name}}}", names)
        if message.startswith("  hint: "):
            lines.append(message)
            continue
        line, column = map(int, message.split(":")[:2])
        lines.append(f"m.yaml:{message}")
        lines.append(f"  {line} | {text.splitlines()[line - 1]}")
        lines.append(f"  {' ' * len(str(line))} | {' ' * (column - 1)}^")
    return "\n".join(lines) + "\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry.FUNCTIONS, "_added", {"double": lambda x: 2 * x})


@pytest.mark.parametrize(("text", "messages"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_every_mistake_has_its_message(text: str, messages: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.yaml").write_text(text)
    assert main(["check", "m.yaml"]) == 1
    assert capsys.readouterr() == ("", shown(messages, text))


@pytest.mark.parametrize(("text", "messages"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_loading_and_building_say_the_same(text: str, messages: list[str]) -> None:
    Path("m.yaml").write_text(text)
    with pytest.raises(Error) as error:
        rnnspec.build(rnnspec.load("m.yaml"), device="cpu")
    assert f"{error.value}\n" == shown(messages, text)


def test_the_kinds_are_many_and_distinct() -> None:
    assert len({text for _, text, _ in CASES}) == len(CASES) >= 60


TEN_MISTAKES = """\
vars: {units: 64, rate: 0.2}
model:
  - Embedding: {input_dim: 1000, output_dim: 8, mask_zero: yes}
  - LSTM:
      units: ${unit}
      activation: tahn
      kernel_initializer: {Orthogonal: {gian: 0.5}}
      return_sequences: true
      dropout: ${rate}
      return_sequences: false
  - LTSM: {units: 7.9}
  - Bidirectional:
      layer: {GRU: {units: 7.9, name: !!python/name:os.system x}}
  - Dense: {units: *classes}
train: {epochs: 0, batch_size: 32}
"""
TEN_MESSAGES = [
    "3:60: model[0].Embedding.mask_zero: mask_zero must be true or false, found 'yes'",
    "5:14: model[1].LSTM.units: there is no variable 'unit'",
    "  hint: did you mean 'units'?",
    "6:19: model[1].LSTM.activation: unknown activation 'tahn', expected one of {ACTIVATIONS}",
    "  hint: did you mean 'tanh'?",
    "7:41: model[1].LSTM.kernel_initializer.Orthogonal.gian: Orthogonal has no argument 'gian'",
    "  hint: did you mean 'gain'? Orthogonal takes gain, seed, dtype",
    "10:7: model[1].LSTM.return_sequences: duplicate key 'return_sequences', the first one is in line 8",
    "11:5: model[2].LTSM: unknown layer 'LTSM', expected one of {LAYERS}",
    "  hint: did you mean 'LSTM'?",
    "13:28: model[3].Bidirectional.layer.GRU.units: units must be a positive integer, found 7.9",
    "13:39: model[3].Bidirectional.layer.GRU.name: the tag '!!python/name:os.system' is not allowed here",
    "  hint: remove the tag",
    "14:20: model[4].Dense.units: there is no anchor '&classes' above this alias",
    "  hint: the anchors above are: none",
    "15:17: train.epochs: epochs must be a positive integer, found 0",
]


def test_ten_mistakes_give_ten_messages(capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.yaml").write_text(TEN_MISTAKES)
    assert main(["check", "m.yaml"]) == 1
    assert capsys.readouterr().err == shown(TEN_MESSAGES, TEN_MISTAKES)
    assert len([message for message in TEN_MESSAGES if not message.startswith("  hint")]) == 10
