"""`rnnspec check`, `show` and `fmt`: what they say of right and wrong files."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from cli_cases import Shell, fresh
from instruction_sets import limited_to

EXPERIMENT = "data: JapaneseVowels\nmodel:\n  - GRU: {units: 4}\n  - Dense: {units: 9}\n"
LAYER = "LSTM: {units: 3}\n"
STACK = "- LSTM: {units: 8, input_shape: [null, 12], return_sequences: true}\n- LSTM: {units: 3}\n"


class TestCheck:
    @pytest.mark.parametrize(
        ("text", "summary"),
        [
            (LAYER, "a model of 1 layer, its input shape not known"),
            (STACK, "a model of 2 layers, from (None, None, 12) to (None, 3)"),
            (EXPERIMENT, "an experiment of 2 layers, from (None, None, 12) to (None, 9)"),
        ],
        ids=["layer", "stack", "experiment"],
    )
    def test_a_right_file_is_summed_up(self, shell: Shell, text: str, summary: str) -> None:
        shell.write("a.yaml", text)

        ran = shell("check", "a.yaml")

        assert (ran.code, ran.out, ran.err) == (0, f"a.yaml: ok, {summary}\n", "")
        assert json.loads(shell("check", "a.yaml", "--json").out) == {"ok": True, "files": {"a.yaml": summary}}

    def test_the_input_shape_can_be_given(self, shell: Shell) -> None:
        shell.write("a.yaml", LAYER)

        ran = shell("check", "a.yaml", "--input-shape", "none, 5,2")

        assert ran.out == "a.yaml: ok, a model of 1 layer, from (None, 5, 2) to (None, 3)\n"

    def test_an_output_shape_can_be_unknown(self, shell: Shell) -> None:
        shell.write("ours_check.py", "import rnnspec\n\n@rnnspec.register.layer\ndef Ours(): ...\n")
        shell.write("a.yaml", "- LSTM: {units: 3, input_dim: 2}\n- Ours\n")

        ran = shell("check", "a.yaml", "--import", "ours_check")

        assert ran.out == "a.yaml: ok, a model of 2 layers, from (None, None, 2) to not known\n"

    def test_all_problems_of_all_files_are_told(self, shell: Shell) -> None:
        shell.write("a.yaml", "LSTM: {units: 0, dropout: 2}\n")
        shell.write("b.yaml", LAYER)
        shell.write("c.yaml", "- LSTM: {units: 3, input_dim: 2}\n- LSTM: {units: 3}\n")

        ran = shell("check", "a.yaml", "b.yaml", "c.yaml", "missing-file.yaml")

        assert (ran.code, ran.out) == (1, "")
        assert ran.err.splitlines() == [
            "a.yaml:1:15: LSTM.units: units must be a positive integer, found 0",
            "  1 | LSTM: {units: 0, dropout: 2}",
            "    |               ^",
            "a.yaml:1:27: LSTM.dropout: dropout must be a number from 0 to 1, found 2",
            "  1 | LSTM: {units: 0, dropout: 2}",
            "    |                           ^",
            "c.yaml:2:9: [1].LSTM: expected an input of rank 3, (batch, time, features), found (None, 3), "
            "the output of LSTM ([0].LSTM)",
            "  2 | - LSTM: {units: 3}",
            "    |         ^",
            "  hint: set return_sequences on LSTM ([0].LSTM)",
            "missing-file.yaml: there is no such file",
        ]

    def test_values_can_be_set(self, shell: Shell) -> None:
        shell.write("a.yaml", STACK)

        ran = shell("check", "a.yaml", "--set", "1.LSTM.units=7", "--set", "0.LSTM.input_shape=[5, 2]")

        assert ran.out == "a.yaml: ok, a model of 2 layers, from (None, 5, 2) to (None, 7)\n"

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("LSTM.units=x", "LSTM.units: units must be a positive integer, found 'x', from the override LSTM.units=x"),
            ("LSTM.units", "an override must be PATH=VALUE, found 'LSTM.units'"),
        ],
    )
    def test_a_wrong_setting_is_told(self, shell: Shell, setting: str, message: str) -> None:
        shell.write("a.yaml", LAYER)

        ran = shell("check", "a.yaml", "--set", setting)

        assert (ran.code, ran.out, ran.err) == (1, "", message + "\n")

    def test_a_folder_is_told(self, shell: Shell) -> None:
        ran = shell("check", ".")

        assert (ran.code, ran.err) == (1, ".: this is a folder, expected a YAML file\n")

    def test_fifty_layers_are_checked_fast_and_without_torch(self, tmp_path: Path) -> None:
        """0.4 s on an idle machine; the bound leaves room for a busy one."""
        layer = (
            "  - LSTM:\n      units: 3\n      activation: tanh\n      kernel_initializer: {Orthogonal: {gain: 0.5}}\n"
            "      kernel_regularizer: {L1L2: {l1: 0.1}}\n      dropout: 0.2\n      return_sequences: true\n"
        )
        (tmp_path / "a.yaml").write_text("data: JapaneseVowels\nmodel:\n" + 49 * layer + "  - Dense: {units: 9}\n")
        code = (
            "import sys, rnnspec.cli\nassert rnnspec.cli.main(['check', 'a.yaml']) == 0\n"
            "print(sorted({'torch', 'numpy', 'pytorch_lightning'} & set(sys.modules)))\n"
        )
        start = time.perf_counter()

        ran = fresh(code=code, folder=tmp_path)

        assert time.perf_counter() - start < 4
        assert ran.stdout.splitlines() == [
            "a.yaml: ok, an experiment of 50 layers, from (None, None, 12) to (None, None, 9)",
            "[]",
        ]


class TestShow:
    def test_a_model_is_a_table(self, shell: Shell) -> None:
        shell.write("a.yaml", EXPERIMENT)

        with limited_to("portable"):
            ran = shell("show", "a.yaml")

        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines() == [
            "layer  output shape  parameters  engine",
            "-----  ------------  ----------  ------",
            "GRU    (None, 4)            204  cpu",
            "Dense  (None, 9)             45",
            "total                       249",
            "engine cpu, because it sweeps over the whole sequence in C, forward and backward",
            "engine cpu: instruction set portable, threads 1",
        ]

    def test_a_model_as_json(self, shell: Shell) -> None:
        shell.write("a.yaml", LAYER)

        changed = ["--set", "LSTM.trainable=false", "--set", "LSTM.checkpoint_every=2"]
        with limited_to("portable"):
            ran = shell("show", "a.yaml", "--json", "--input-shape", "none,5,2", *changed)

        assert json.loads(ran.out) == {
            "ok": True,
            "file": "a.yaml",
            "layers": [
                {
                    "layer": "LSTM",
                    "output_shape": [None, 3],
                    "parameters": 72,
                    "trainable": 0,
                    "engine": "cpu",
                    "why": [
                        "cpu, because it sweeps over the whole sequence in C, forward and backward",
                    ],
                    "settings": {"instruction_set": "portable", "threads": 1, "checkpoint_every": 2},
                }
            ],
        }

    def test_without_an_input_shape_it_says_what_to_do(self, shell: Shell) -> None:
        shell.write("a.yaml", LAYER)

        ran = shell("show", "a.yaml")

        assert (ran.code, ran.out) == (1, "")
        assert ran.err.splitlines() == [
            "a.yaml:1:7: LSTM: the shape of its input is not known",
            "  1 | LSTM: {units: 3}",
            "    |       ^",
            "  hint: give input_shape or batch_input_shape to this first layer, or an input_shape for the model",
        ]


UNTIDY = "# a model\n-   LSTM:   {units: 3} # three\n- Flatten\n"
TIDY = "# a model\n- LSTM: {units: 3} # three\n- Flatten\n"


class TestFmt:
    def test_files_are_tidied_in_place(self, shell: Shell) -> None:
        shell.write("a.yaml", UNTIDY)
        shell.write("b.yaml", TIDY)

        ran = shell("fmt", "a.yaml", "b.yaml")

        assert (ran.code, ran.out, ran.err) == (0, "a.yaml: changed\n", "")
        assert (shell.folder / "a.yaml").read_text() == (shell.folder / "b.yaml").read_text() == TIDY

    @pytest.mark.parametrize(("text", "code", "out"), [(UNTIDY, 1, "a.yaml: would change\n"), (TIDY, 0, "")])
    def test_check_changes_nothing(self, shell: Shell, text: str, code: int, out: str) -> None:
        shell.write("a.yaml", text)

        ran = shell("fmt", "--check", "a.yaml")

        assert (ran.code, ran.out, ran.err) == (code, out, "")
        assert (shell.folder / "a.yaml").read_text() == text

    @pytest.mark.parametrize(("flags", "ok"), [(["--check"], False), ([], True)])
    def test_changes_as_json(self, shell: Shell, flags: list[str], ok: bool) -> None:
        shell.write("a.yaml", UNTIDY)

        assert json.loads(shell("fmt", "a.yaml", "--json", *flags).out) == {"ok": ok, "changed": ["a.yaml"]}

    def test_broken_files_are_told_and_left_alone(self, shell: Shell) -> None:
        shell.write("a.yaml", "LSTM: {units: 3\n")
        shell.write("b.yaml", UNTIDY)

        ran = shell("fmt", "a.yaml", "missing-file.yaml", "b.yaml")

        assert (ran.code, ran.out) == (1, "")
        assert ran.err.splitlines()[0] == "a.yaml:1:7: the mapping that begins here has no end"
        assert ran.err.splitlines()[-1] == "missing-file.yaml: there is no such file"
        assert (shell.folder / "a.yaml").read_text() == "LSTM: {units: 3\n"
        assert (shell.folder / "b.yaml").read_text() == TIDY
