"""`rnnspec convert`, and `rnnspec check` of the models that Keras wrote: every one of them, by the files alone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from cli_cases import Shell, fresh
from keras_cases import FILES, MODELS, arrays, sources, worst
from safetensors.torch import load_file

import rnnspec


def read(folder: Path, name: str = "model") -> Any:
    """What anybody does with the two files."""
    model = rnnspec.build(rnnspec.load(folder / f"{name}.yaml"), device="cpu")
    rnnspec.load_weights(model, folder / f"{name}.safetensors")
    return model.eval()


def given(name: str) -> list[str]:
    """The arguments that name a model's files."""
    path, weights = next(sources(name))
    return [str(path), *(["--weights", str(weights)] if weights else [])]


class TestEveryModel:
    @pytest.mark.parametrize("name", MODELS)
    def test_a_model_gives_its_own_numbers_from_yaml_and_safetensors(self, shell: Shell, name: str) -> None:
        path, *weights = given(name)

        ran = shell("convert", path, "model.yaml", *weights)

        assert (ran.code, ran.err) == (0, "")
        assert sorted(os.listdir(shell.folder)) == ["model.safetensors", "model.yaml"]
        assert worst(read(shell.folder), name) <= 1

    @pytest.mark.parametrize("name", MODELS)
    def test_a_model_is_told(self, shell: Shell, name: str) -> None:
        path, *weights = given(name)

        ran = shell("check", path, *weights, "--json")

        assert ran.code == 0
        report = json.loads(ran.out)["reports"][path]
        assert report["path"] == path
        assert report["weights"][0] > 0
        assert report["difference"] <= 1e-5


EMBED = str(FILES / "k208-embed.h5")
EMBED_YAML = """\
- Embedding:
    name: embedding_1
    batch_input_shape: [null, 7]
    input_dim: 12
    output_dim: 2
    mask_zero: true
    input_length: 7
- LSTM: {name: lstm_1, units: 7}
- Dense: {name: dense_1, units: 1, activation: sigmoid}
"""
REG_YAML = """\
- LSTM:
    name: lstm_1
    batch_input_shape: [null, 8, 3]
    units: 6
    kernel_initializer: HeUniform
    recurrent_initializer: GlorotNormal
    kernel_regularizer: L2
    recurrent_regularizer: {L1: {l: 0.02}}
- Dense: {name: dense_1, units: 4}
"""
MASK_YAML = """\
Sequential:
  name: sequential_1
  layers:
    - Masking: {name: masking_1, batch_input_shape: [null, 7, 4], mask_value: -1.0}
    - GRU: {name: gru_1, return_sequences: true, implementation: 1, units: 5}
    - TimeDistributed:
        name: time_distributed_1
        layer: {Dense: {units: 4}}
"""


class TestConvert:
    @pytest.mark.parametrize(
        ("name", "text"),
        [("k208-embed", EMBED_YAML), ("k122tf-reg", REG_YAML), ("k224-maskgru", MASK_YAML)],
    )
    def test_the_yaml_is_for_people(self, shell: Shell, name: str, text: str) -> None:
        shell("convert", str(FILES / f"{name}.h5"), "model.yaml")

        assert (shell.folder / "model.yaml").read_text() == text

    def test_the_weights_have_the_layers_names(self, shell: Shell) -> None:
        shell("convert", EMBED, "model.yml")

        assert {name: list(tensor.shape) for name, tensor in load_file("model.safetensors").items()} == {
            "embedding_1.embeddings": [12, 2],
            "lstm_1.kernel": [2, 28],
            "lstm_1.recurrent_kernel": [7, 28],
            "lstm_1.bias": [28],
            "dense_1.kernel": [7, 1],
            "dense_1.bias": [1],
        }

    def test_the_report_and_the_difference_are_printed(self, shell: Shell) -> None:
        ran = shell("convert", str(FILES / "k122tf-gru.json"), "model.yaml", "--weights", str(FILES / WEIGHTS))

        *report, checked, decided, default, written, read_back = ran.out.splitlines()
        assert report == [
            f"file: {FILES / 'k122tf-gru.json'}, a JSON text",
            f"weights: {FILES / WEIGHTS}, groups with the layers' names, 11 arrays, 147 numbers",
            "Keras version: 1.2.2, by keras_version in JSON text",
            "backend: tensorflow",
            "hard_sigmoid: clip(0.2 x + 0.5, 0, 1), here hard_sigmoid",
        ]
        assert checked.startswith("self-check: differs from the plain step loop by ")
        assert decided == "decided: GRU 'gru_1': 9 arrays, three a gate, as Keras 1 keeps them"
        assert default == "taken as default: GRU 'gru_1': reset_after is False"
        assert written == "written: model.yaml and model.safetensors"
        assert read_back == "read back: differs from the model of the file by 0.0e+00 at most"

    def test_the_report_as_json(self, shell: Shell) -> None:
        told = json.loads(shell("convert", EMBED, "model.yaml", "--json").out)

        assert (told["ok"], told["files"], told["difference"]) == (True, ["model.yaml", "model.safetensors"], 0)
        assert told["report"]["keras_version"] == "2.0.8"
        assert told["report"]["difference"] <= 1e-6

    def test_quiet_says_nothing(self, shell: Shell) -> None:
        ran = shell("convert", EMBED, "model.yaml", "--quiet")

        assert (ran.code, ran.out, ran.err) == (0, "", "")

    def test_the_content_tells_what_a_source_is(self, shell: Shell) -> None:
        shutil.copy(EMBED, shell.folder / "old.json")

        assert shell("convert", "old.json", "model.yaml").code == 0
        assert worst(read(shell.folder), "k208-embed") <= 1

    def test_a_version_can_be_given(self, shell: Shell) -> None:
        text = json.loads((FILES / "k208-gru.json").read_text())
        del text["keras_version"], text["backend"]
        shell.write("model.json", json.dumps(text))
        given = ["model.json", "model.yaml", "--weights", str(FILES / "k208-gru_weights.h5")]

        ran = shell("convert", *given, "--keras-version", "2.0.8")

        assert ran.code == 0
        assert "Keras version: 2.0.8, given as keras_version\n" in ran.out
        assert worst(read(shell.folder), "k208-gru") <= 1

    @pytest.mark.parametrize("there", ["model.yaml", "model.safetensors"])
    def test_a_file_that_is_there_is_not_replaced(self, shell: Shell, there: str) -> None:
        shell.write(there, "mine")

        ran = shell("convert", EMBED, "model.yaml")

        assert (ran.code, ran.out) == (1, "")
        assert ran.err == f"{there}: is there already\n  hint: --force replaces it\n"
        assert os.listdir(shell.folder) == [there]
        assert (shell.folder / there).read_text() == "mine"

    def test_force_replaces_both(self, shell: Shell) -> None:
        shell.write("model.yaml", "mine")
        shell.write("model.safetensors", "mine")

        assert shell("convert", EMBED, "model.yaml", "--force").code == 0
        assert worst(read(shell.folder), "k208-embed") <= 1

    @pytest.mark.parametrize("target", ["model.onnx", "model", ".yaml"])
    def test_another_ending_is_a_wrong_command_line(self, shell: Shell, target: str) -> None:
        ran = shell("convert", EMBED, target)

        assert (ran.code, ran.out) == (2, "")
        assert f"argument TARGET: expected a name that ends in .yaml, .yml, .keras, found '{target}'" in ran.err

    @pytest.mark.parametrize(
        ("source", "weights", "message"),
        [
            ("cut.h5", None, "cut.h5: the HDF5 file cannot be read"),
            ("gru.json", None, "gru.json: a JSON text holds no weights\n  hint: give their file: from_keras(path, "),
            ("gru.json", EMBED, f"{EMBED}: the weights are not this model's"),
            ("missing.h5", None, "missing.h5: the file cannot be read: No such file or directory"),
            ("ours.yaml", None, "ours.yaml: a YAML text without class_name and config is no model of Keras"),
        ],
        ids=["cut-off", "no-weights", "others-weights", "missing", "ours"],
    )
    def test_what_cannot_be_read_leaves_nothing(
        self, shell: Shell, source: str, weights: str | None, message: str
    ) -> None:
        (shell.folder / "cut.h5").write_bytes(Path(EMBED).read_bytes()[:3000])
        shutil.copy(FILES / "k208-gru.json", shell.folder / "gru.json")
        shell.write("ours.yaml", "LSTM: {units: 3}\n")
        before = sorted(os.listdir(shell.folder))

        ran = shell("convert", source, "model.yaml", *(["--weights", weights] if weights else []))

        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(message)
        assert sorted(os.listdir(shell.folder)) == before

    def test_other_numbers_are_found_and_nothing_is_written(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rnnspec.interop.keras.converting.load_weights", lambda model, path: None)

        ran = shell("convert", EMBED, "model.yaml")

        assert (ran.code, ran.out) == (1, "")
        message = "model.yaml: the YAML file would give other numbers than the model, they differ by "
        assert ran.err.startswith(message)
        assert os.listdir(shell.folder) == []

    def test_a_place_that_cannot_be_written_is_told(self, shell: Shell) -> None:
        ran = shell("convert", EMBED, "nowhere/model.yaml")

        assert (ran.code, ran.out) == (1, "")
        assert ran.err.endswith("No such file or directory\n")


WEIGHTS = "k122tf-gru_weights.h5"


class TestConvertToKeras:
    @pytest.mark.parametrize("name", ["k208-embed", "k216-bigru", "k208-seq2seq", "k231-nested", "k122th-stateful"])
    def test_yaml_becomes_a_file_for_keras_with_the_same_numbers(self, shell: Shell, name: str) -> None:
        shell("convert", str(FILES / f"{name}.h5"), "model.yaml")

        ran = shell("convert", "model.yaml", "new.keras")

        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith("file: new.keras, a .keras archive for Keras 3")
        assert worst(rnnspec.from_keras("new.keras", device="cpu"), name) <= 1

    def test_an_old_file_becomes_a_new_one(self, shell: Shell) -> None:
        ran = shell("convert", EMBED, "new.keras")

        read, written = ran.out.split("\n\n")
        assert (ran.code, ran.err) == (0, "")
        assert read.startswith(f"file: {EMBED}, a whole model in HDF5\n")
        assert written.startswith("file: new.keras, a .keras archive for Keras 3")
        assert os.listdir(shell.folder) == ["new.keras"]
        assert worst(rnnspec.from_keras("new.keras", device="cpu"), "k208-embed") <= 1

    def test_both_reports_as_json(self, shell: Shell) -> None:
        told = json.loads(shell("convert", EMBED, "new.keras", "--json").out)

        assert (told["ok"], told["files"]) == (True, ["new.keras"])
        assert told["report"]["keras_version"] == "2.0.8"
        assert told["written"]["difference"] <= 1e-5

    def test_a_file_that_is_there_is_not_replaced(self, shell: Shell) -> None:
        shell.write("new.keras", "mine")

        assert shell("convert", EMBED, "new.keras").err == "new.keras: is there already\n  hint: --force replaces it\n"
        assert shell("convert", EMBED, "new.keras", "--force", "--quiet").out == ""
        assert worst(rnnspec.from_keras("new.keras", device="cpu"), "k208-embed") <= 1

    @pytest.mark.parametrize(
        ("text", "options", "message"),
        [
            ("LSTM: {units: 0}\n", [], "ours.yaml:1:15: LSTM.units: units must be a positive integer, found 0\n"),
            ("LSTM: {units: 3}\n", [], "ours.yaml:1:7: LSTM: the shape of its input is not known\n"),
            ("LSTM: {units: 3, input_dim: 2}\n", [], "ours.safetensors: cannot be read: No such file or directory\n"),
            ("LSTM: {units: 3, input_dim: 2}\n", ["--weights", "other"], "other: cannot be read: No such file or "),
            (
                "LSTM: {units: 3, input_dim: 2}\n",
                ["--keras-version", "2.0.8"],
                "ours.yaml: is a YAML file, and keras_version is for models of Keras\n",
            ),
        ],
        ids=["wrong", "no-shape", "no-weights", "no-others-weights", "version"],
    )
    def test_what_cannot_be_read_leaves_nothing(
        self, shell: Shell, text: str, options: list[str], message: str
    ) -> None:
        shell.write("ours.yaml", text)

        ran = shell("convert", "ours.yaml", "new.keras", *options)

        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(message)
        assert os.listdir(shell.folder) == ["ours.yaml"]


class TestCheck:
    def test_a_model_of_keras_gets_a_summary_and_its_report(self, shell: Shell) -> None:
        shutil.copy(FILES / "k224-cudnn_gru.h5", shell.folder / "old.h5")

        ran = shell("check", "old.h5")

        lines = ran.out.splitlines()
        assert (ran.code, ran.err) == (0, "")
        assert lines[:3] == [
            "old.h5: ok, a model of 2 layers, from (None, 4, 4) to (None, 4, 4)",
            "  file: old.h5, a whole model in HDF5",
            "  weights: old.h5, groups with the layers' names, 5 arrays, 189 numbers",
        ]
        assert "  decided: CuDNNGRU 'cu_dnngru_1': a GRU with sigmoid gates, reset_after" in lines

    def test_the_weights_of_an_architecture_may_be_elsewhere(self, shell: Shell) -> None:
        shutil.copy(FILES / "k208-gru.json", shell.folder / "gru.yaml")

        ran = shell("check", "gru.yaml")

        assert ran.code == 0
        assert ran.out.splitlines()[:3] == [
            "gru.yaml: ok, a model of 2 layers, from (None, 8, 5) to (None, 8, 2)",
            "  file: gru.yaml, a JSON text",
            "  weights: in another file",
        ]

    def test_files_of_both_kinds_are_checked_together(self, shell: Shell) -> None:
        shell.write("ours.yaml", "LSTM: {units: 0}\n")
        shell.write("fine.yaml", "LSTM: {units: 3}\n")
        shutil.copy(FILES / "k208-gru_weights.h5", shell.folder / "weights.h5")

        ran = shell("check", "ours.yaml", "fine.yaml", EMBED, "weights.h5")

        assert (ran.code, ran.out) == (1, "")
        assert ran.err.splitlines() == [
            "ours.yaml:1:15: LSTM.units: units must be a positive integer, found 0",
            "  1 | LSTM: {units: 0}",
            "    |               ^",
            "weights.h5: the file holds weights alone, no model",
            "  hint: give the text of to_json() as path, and this file as weights= or --weights",
        ]

    @pytest.mark.parametrize(
        ("file", "option", "message"),
        [
            (EMBED, ["--set", "a=3"], "is a model of Keras, and --set is for YAML files"),
            (
                "ours.yaml",
                ["--weights", EMBED],
                "is a YAML file, and --weights and --keras-version are for models of Keras",
            ),
            (
                "ours.yaml",
                ["--keras-version", "2.0.8"],
                "is a YAML file, and --weights and --keras-version are for models of Keras",
            ),
        ],
        ids=["set", "weights", "keras-version"],
    )
    def test_an_option_of_the_other_kind_is_refused(
        self, shell: Shell, file: str, option: list[str], message: str
    ) -> None:
        shell.write("ours.yaml", "LSTM: {units: 3}\n")

        ran = shell("check", file, *option)

        assert (ran.code, ran.out, ran.err) == (1, "", f"{file}: {message}\n")


def test_whole_processes_take_a_model_from_keras_to_a_table(tmp_path: Path) -> None:
    shutil.copy(FILES / "k3151-rnn_relu.keras", tmp_path / "old.keras")

    converted = fresh("convert", "old.keras", "model.yaml", folder=tmp_path)
    checked = fresh("check", "model.yaml", "old.keras", folder=tmp_path)
    shown = fresh("show", "model.yaml", folder=tmp_path)

    assert (converted.returncode, converted.stderr) == (0, "")
    assert converted.stdout.splitlines()[-2] == "written: model.yaml and model.safetensors"
    first, second = (line for line in checked.stdout.splitlines() if not line.startswith(" "))
    assert first.removeprefix("model.yaml: ok") == second.removeprefix("old.keras: ok")
    assert "SimpleRNN" in shown.stdout
    assert worst(read(tmp_path), "k3151-rnn_relu") <= 1


def test_a_stateful_model_goes_on_from_batch_to_batch(shell: Shell) -> None:
    """The states are no weights: both start from zeros, and each batch gives the numbers of its own."""
    shell("convert", str(FILES / "k122th-stateful.h5"), "model.yaml")
    model = read(shell.folder)

    assert model.stateful
    assert len(list(arrays("k122th-stateful"))) == 2
    assert worst(model, "k122th-stateful") <= 1
    assert all(torch.count_nonzero(state) for layer in model for state in layer.states)
