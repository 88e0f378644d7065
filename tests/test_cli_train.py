"""`rnnspec train` and `predict`: what they print, what they leave behind, what they refuse."""

from __future__ import annotations

import csv
import io
import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
from cli_cases import Shell
from experiment_cases import series, use_tiny
from instruction_sets import limited_to

from rnnspec.experiment import package_files

EXPERIMENT = """\
data: JapaneseVowels
model: [GRU: {units: 4}, Dense: {units: 9}]
metrics: [Accuracy]
train: {epochs: 1, seed: 3}
"""


@pytest.fixture
def tiny(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell with an experiment on tiny data."""
    use_tiny(monkeypatch)
    shell.write("small.yaml", EXPERIMENT)
    return shell


class TestTrain:
    def test_it_prints_the_models_table_the_results_and_the_run_folder(self, tiny: Shell) -> None:
        with limited_to("portable"):
            ran = tiny("train", "small.yaml", "--accelerator", "cpu")

        assert ran.code == 0
        lines = ran.out.splitlines()
        assert lines[:7] == [
            "layer  output shape  parameters  engine",
            "-----  ------------  ----------  ------",
            "GRU    (None, 4)            204  cpu",
            "Dense  (None, 9)             45",
            "total                       249",
            "engine cpu, because it sweeps over the whole sequence in C, forward and backward",
            "engine cpu: instruction set portable, threads 1",
        ]
        assert lines[7].startswith("test loss ")
        assert lines[8].startswith("test accuracy ")
        assert lines[9:] == ["run folder runs/small-1"]
        assert "epochs: 100%" in ran.err

    def test_it_leaves_a_whole_run_folder(self, tiny: Shell) -> None:
        tiny("train", "small.yaml", "--runs", "kept")
        tiny("train", "small.yaml", "--runs", "kept")

        assert sorted(path.name for path in Path("kept").iterdir()) == ["small-1", "small-2"]
        names = ["experiment.yaml", "learning_curve.png", "metrics.csv", "run.json", "weights.safetensors"]
        names.insert(0, "confusion_matrix.png")
        assert sorted(path.name for path in Path("kept/small-1").iterdir()) == names

    def test_json_is_all_that_is_printed(self, tiny: Shell) -> None:
        ran = tiny("train", "small.yaml", "--json")

        told = json.loads(ran.out)
        assert (told["ok"], told["run"], told["result"]["epoch"]) == (True, "runs/small-1", 1)
        assert ran.err == ""

    def test_values_can_be_set_and_the_run_keeps_them(self, tiny: Shell) -> None:
        tiny("train", "small.yaml", "--set", "model.0.GRU.units=2", "--json")

        assert "units: 2" in Path("runs/small-1/experiment.yaml").read_text()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            pytest.param(
                "LSTM: {units: 3}\n",
                "a.yaml: is a model alone, training needs an experiment\n"
                "  hint: put `data: JapaneseVowels` beside `model:`\n",
                id="model-alone",
            ),
            pytest.param(
                EXPERIMENT.replace("units: 9", "units: 8"),
                "a.yaml:2:33: model[1].Dense: Dense gives (None, 8), expected 9 numbers at the end, one for each class "
                "of JapaneseVowels\n"
                "  2 | model: [GRU: {units: 4}, Dense: {units: 8}]\n"
                "    |                                 ^\n",
                id="classes",
            ),
        ],
    )
    def test_what_cannot_be_trained_is_told_before_anything_is_left_behind(
        self, tiny: Shell, text: str, message: str
    ) -> None:
        tiny.write("a.yaml", text)

        ran = tiny("train", "a.yaml")

        assert (ran.code, ran.out, ran.err) == (1, "", message)
        assert not Path("runs").exists()

    def test_a_missing_data_package_names_the_command_that_fetches_it(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def missing(name: str) -> None:
            raise PackageNotFoundError(name)

        monkeypatch.setattr(package_files, "distribution", missing)
        shell.write("small.yaml", EXPERIMENT)

        ran = shell("train", "small.yaml")

        assert (ran.code, ran.out) == (1, "")
        assert ran.err == (
            "the JapaneseVowels data is missing: it ships inside the package sktime, which is not installed\n"
            "  hint: pip install --no-deps sktime==1.2.0\n"
        )
        assert not Path("runs").exists()


class TestPredict:
    def test_the_test_split_is_predicted_as_a_table_of_values(self, tiny: Shell) -> None:
        tiny("train", "small.yaml", "--json")

        ran = tiny("predict", "runs/small-1")

        rows = list(csv.DictReader(io.StringIO(ran.out)))
        assert ran.code == 0
        assert list(rows[0]) == ["series", "label", "probability", "expected"]
        assert [row["series"] for row in rows] == [str(number) for number in range(18)]
        right = sum(row["label"] == row["expected"] for row in rows)
        assert ran.err == f"accuracy {right / 18:.4f} ({right} of 18)\n"

    def test_a_file_of_sequences_without_labels_is_predicted(self, tiny: Shell) -> None:
        tiny("train", "small.yaml", "--json")
        x = series(4, seed=5).x
        padded = np.stack([np.pad(sequence, ((0, 6 - len(sequence)), (0, 0))) for sequence in x])
        np.savez("new.npz", x=padded, lengths=[len(sequence) for sequence in x])

        ran = tiny("predict", "runs/small-1", "new.npz", "--json")

        told = json.loads(ran.out)["predictions"]
        assert [row["series"] for row in told] == [0, 1, 2, 3]
        assert {row["expected"] for row in told} == {None}
        assert tiny("predict", "runs/small-1", "new.npz").err == ""

    def test_options_may_stand_between_run_and_data(self, tiny: Shell) -> None:
        tiny("train", "small.yaml", "--json")
        np.save("new.npy", np.zeros((1, 2, 12)))

        ran = tiny("predict", "runs/small-1", "--json", "new.npy")

        assert (ran.code, len(json.loads(ran.out)["predictions"])) == (0, 1)

    def test_a_file_that_cannot_be_read_is_told(self, tiny: Shell) -> None:
        tiny("train", "small.yaml", "--json")
        np.save("wide.npy", np.zeros((1, 2, 5)))

        messages = {
            "nix.ts": "nix.ts: no such file",
            ".": ".: is a folder, expected a .ts, .npy or .npz file",
            "small.yaml": "small.yaml: expected a file that ends in .ts, .npy or .npz",
            "wide.npy": "the model takes sequences of 12 channels, found 5 channels",
        }
        for file, message in messages.items():
            ran = tiny("predict", "runs/small-1", file)
            assert (ran.code, ran.out, ran.err) == (1, "", message + "\n")

    def test_a_folder_that_is_no_run_is_told(self, shell: Shell) -> None:
        for folder in (".", "nowhere"):
            ran = shell("predict", folder)
            assert (ran.code, ran.out, ran.err) == (
                1,
                "",
                f"{folder}: is not the folder of a run: it has no experiment.yaml, run.json, weights.safetensors\n",
            )
