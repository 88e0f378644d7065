"""`rnnspec evaluate`, and what `--quiet`, `--json` and several `--set` do to the commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_cases import Shell
from experiment_cases import series, use_tiny

EXPERIMENT = """\
data: JapaneseVowels
model: [GRU: {units: 4, kernel_regularizer: L2, dropout: 0.5}, Dense: {units: 9}]
metrics: [Accuracy, {F1Score: {average: none, name: f1}}]
train: {epochs: 2, seed: 3, batch_size: 10, validation_split: 0.2}
"""
CELL = """\
import torch, rnnspec
from rnnspec.engines.cells import Cell

@rnnspec.register.cell
class Kept(Cell):
    gates = ("h",)
    states = ("h",)

    def step(self, x, states, recur, **weights):
        return (torch.tanh(x[0] + recur(states[0])[0]),)
"""


@pytest.fixture
def tiny(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell with an experiment on tiny data."""
    use_tiny(monkeypatch)
    shell.write("small.yaml", EXPERIMENT)
    return shell


def train(shell: Shell) -> dict[str, float]:
    """Trains; what training told at its end."""
    result: dict[str, float] = json.loads(shell("train", "small.yaml", "--json", "--accelerator", "cpu").out)["result"]
    return result


class TestEvaluate:
    def test_it_tells_what_training_told_at_its_end(self, tiny: Shell) -> None:
        told = train(tiny)

        ran = tiny("evaluate", "runs/small-1", "--json")

        found = json.loads(ran.out)
        assert (ran.code, ran.err, found["ok"], found["run"]) == (0, "", True, "runs/small-1")
        assert len(found["result"]) == 22
        assert found["result"] == pytest.approx({name: told[name] for name in found["result"]}, abs=1e-6)

    def test_for_people_it_is_a_line_for_each_number(self, tiny: Shell) -> None:
        told = train(tiny)

        ran = tiny("evaluate", "runs/small-1", "--set", "metrics=[accuracy]")

        names = ["test_loss", "test_accuracy", "validation_loss", "validation_accuracy"]
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == "".join(f"{name.replace('_', ' ')} {told[name]:.4f}\n" for name in names)

    def test_the_confusion_matrix_is_counted(self, tiny: Shell) -> None:
        train(tiny)

        found = json.loads(tiny("evaluate", "runs/small-1", "--json").out)

        matrix = np.array(found["confusion_matrices"]["test"]["confusion_matrix"])
        assert found["classes"] == list("123456789")
        assert matrix.sum(1).tolist() == [2] * 9
        assert np.trace(matrix) / 18 == pytest.approx(found["result"]["test_accuracy"])

    def test_other_data_are_measured(self, tiny: Shell) -> None:
        told = train(tiny)
        test = series(18, seed=2)
        padded = np.stack([np.pad(sequence, ((0, 6 - len(sequence)), (0, 0))) for sequence in test.x])
        np.savez("other.npz", x=padded, lengths=test.lengths, y=test.y)  # type: ignore[arg-type]

        found = json.loads(tiny("evaluate", "runs/small-1", "other.npz", "--json").out)["result"]

        assert found["loss"] == pytest.approx(told["test_loss"], abs=1e-6)
        assert found["accuracy"] == pytest.approx(told["test_accuracy"])

    def test_data_without_labels_are_refused(self, tiny: Shell) -> None:
        train(tiny)
        np.save("new.npy", np.zeros((1, 2, 12)))

        ran = tiny("evaluate", "runs/small-1", "new.npy")

        message = "there is nothing to compare the outputs with: the sequences have no labels\n"
        assert (ran.code, ran.out, ran.err) == (1, "", message)

    def test_a_metric_that_cannot_be_used_is_told_with_its_setting(self, tiny: Shell) -> None:
        train(tiny)

        ran = tiny("evaluate", "runs/small-1", "--set", "metrics=[Fairness]")

        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("metrics[0].Fairness: torchmetrics ")
        assert ran.err.endswith(
            " has no metric 'Fairness' of classes or numbers, from the override metrics=['Fairness']\n"
        )

    def test_a_folder_that_is_no_run_is_told(self, shell: Shell) -> None:
        ran = shell("evaluate", "nowhere")

        message = "nowhere: is not the folder of a run: it has no experiment.yaml, run.json, weights.safetensors\n"
        assert (ran.code, ran.out, ran.err) == (1, "", message)


class TestRunsWithNamesOfOnesOwn:
    @pytest.mark.parametrize("command", ["evaluate", "predict"])
    def test_they_say_that_the_module_must_be_imported_again(
        self, command: str, tiny: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tiny.write(f"own_{command}.py", CELL)
        tiny.write("small.yaml", EXPERIMENT.replace("GRU: {", "RNN: {cell: Kept, "))
        assert tiny("train", "small.yaml", "--json", "--import", f"own_{command}").code == 0
        from rnnspec.registry import CELLS

        registered = CELLS._added.pop("Kept")
        ran = tiny(command, "runs/small-1")
        assert (ran.code, ran.out) == (1, "")
        lines = ran.err.splitlines()
        assert lines[0] == (
            "runs/small-1/experiment.yaml:23:14: model[0].RNN.cell.Kept: unknown cell 'Kept', expected one of GRU, "
            "LSTM, SimpleRNN"
        )
        assert lines[-1] == (
            "  hint: the run was trained with a name of your own: import the module that registers it first "
            "(--import MODULE)"
        )
        CELLS.add("Kept", registered)
        assert tiny(command, "runs/small-1", "--import", f"own_{command}").code == 0

    def test_a_name_from_a_setting_keeps_its_own_hint(self, tiny: Shell) -> None:
        train(tiny)

        ran = tiny("evaluate", "runs/small-1", "--set", "metrics=[Acuracy]")

        assert ran.err.endswith(", from the override metrics=['Acuracy']\n  hint: did you mean 'Accuracy'?\n")


class TestQuiet:
    def test_train_tells_its_result_alone(self, tiny: Shell) -> None:
        ran = tiny("train", "small.yaml", "--quiet", "--set", "metrics=[accuracy]")

        assert ran.code == 0
        assert [line.rpartition(" ")[0] for line in ran.out.splitlines()] == [
            "test loss",
            "test accuracy",
            "run folder",
        ]
        assert ran.err == ""

    def test_check_says_nothing_of_files_that_are_right(self, tiny: Shell) -> None:
        assert tiny("check", "small.yaml", "--quiet").out == ""

        ran = tiny("check", "small.yaml", "--quiet", "--set", "train.epochs=0")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("train.epochs: epochs must be a positive integer, found 0")

    def test_warnings_are_left_out(self, tiny: Shell) -> None:
        tiny.write("warns.yaml", "LSTM: {units: 3, bias_initializer: ones}\n")

        assert tiny("check", "warns.yaml").err.startswith("warning: LSTM: unit_forget_bias sets the bias")
        assert tiny("check", "warns.yaml", "--quiet").err == ""

    def test_predict_prints_its_rows_alone(self, tiny: Shell) -> None:
        train(tiny)

        ran = tiny("predict", "runs/small-1", "--quiet")

        assert ran.out.startswith("series,label,probability,expected\n")
        assert ran.err == ""

    def test_fmt_changes_without_a_word(self, tiny: Shell) -> None:
        tiny.write("a.yaml", "LSTM:   {units: 3}\n")

        ran = tiny("fmt", "a.yaml", "--quiet")

        assert (ran.code, ran.out, Path("a.yaml").read_text()) == (0, "", "LSTM: {units: 3}\n")

    def test_json_stays_json(self, tiny: Shell) -> None:
        assert json.loads(tiny("check", "small.yaml", "--quiet", "--json").out)["ok"] is True


class TestSettings:
    def test_the_later_of_two_counts(self, tiny: Shell) -> None:
        settings = ["--set", "train.epochs=0", "--set", "train={seed: 4}", "--set", "train.epochs=1"]

        result = json.loads(tiny("train", "small.yaml", "--json", *settings).out)["result"]

        assert result["epoch"] == 1
        assert "seed: 4" in Path("runs/small-1/experiment.yaml").read_text()

    def test_an_error_names_the_setting(self, tiny: Shell) -> None:
        settings = ["--set", "model.0.GRU.units=2", "--set", "model.0.GRU.units=0", "--set", "model.5.GRU=1"]

        ran = tiny("check", "small.yaml", *settings)

        assert (ran.code, ran.out) == (1, "")
        assert ran.err.splitlines() == [
            "override model.5.GRU=1: model is a list with the indices [0] to [1], it has no '5'",
            "model[0].GRU.units: units must be a positive integer, found 0, from the override model.0.GRU.units=0",
        ]

    def test_all_settings_that_cannot_be_read_are_told(self, tiny: Shell) -> None:
        ran = tiny("check", "small.yaml", "--set", "a", "--set", "b")

        assert (ran.code, ran.err) == (
            1,
            "an override must be PATH=VALUE, found 'a'\nan override must be PATH=VALUE, found 'b'\n",
        )
