"""The command line as a whole: exit codes, help, errors in words, interruptions."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_cases import Shell, fresh

import rnnspec
from rnnspec import cli
from rnnspec.errors import warn


def test_version(shell: Shell) -> None:
    ran = shell("--version")

    assert (ran.code, ran.out) == (0, f"rnnspec {rnnspec.__version__}\n")


@pytest.mark.parametrize("command", ["check", "show", "fmt", "train", "evaluate", "predict", "schema"])
def test_every_command_has_a_help_with_an_example(shell: Shell, command: str) -> None:
    ran = shell(command, "--help")

    assert ran.code == 0
    assert f"example:\n  rnnspec {command} " in ran.out
    assert f"    {command} " in shell("--help").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "rnnspec: error: the following arguments are required: COMMAND", id="no command"),
        pytest.param(["check"], "rnnspec check: error: the following arguments are required: FILE", id="no file"),
        pytest.param(["show", "a.yaml", "--nix"], "rnnspec: error: unrecognized arguments: --nix", id="unknown option"),
        pytest.param(
            ["show", "a.yaml", "--input-shape", "3,x"],
            "rnnspec show: error: argument --input-shape: expected sizes such as none,10,12, found '3,x'",
            id="no shape",
        ),
    ],
)
def test_wrong_usage_is_code_2(shell: Shell, arguments: list[str], message: str) -> None:
    ran = shell(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[-1] == message


def test_unknown_command_is_code_2(shell: Shell) -> None:
    ran = shell("chekc")

    assert ran.code == 2
    assert "invalid choice: 'chekc'" in ran.err


def test_problems_are_code_1_and_on_stderr(shell: Shell) -> None:
    shell.write("a.yaml", "LSTM: {units: 3, unit: 4}\n")

    ran = shell("check", "a.yaml")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[0].startswith("a.yaml:1:18: LSTM.unit: LSTM has no argument 'unit'")


def test_problems_as_json(shell: Shell) -> None:
    shell.write("a.yaml", "LSTM: {units: 0}\n")

    ran = shell("check", "a.yaml", "--json")

    assert (ran.code, ran.err) == (1, "")
    assert json.loads(ran.out) == {
        "ok": False,
        "problems": [
            {
                "message": "units must be a positive integer, found 0",
                "path": "LSTM.units",
                "hint": None,
                "file": "a.yaml",
                "line": 1,
                "column": 15,
            }
        ],
    }


def test_warnings_are_one_line_without_a_place_in_the_source(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> object:
        warn("this has no effect")
        return rnnspec.LSTMConfig(3)

    monkeypatch.setattr(cli.check, "load", load)

    ran = shell("check", "a.yaml")

    assert (ran.code, ran.err) == (0, "warning: this has no effect\n")


def test_other_warnings_are_treated_as_usual(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the user wants errors, they are errors."""

    def load(*_: object) -> None:
        warnings.warn("old", DeprecationWarning, stacklevel=1)

    monkeypatch.setattr(cli.check, "load", load)

    with pytest.raises(DeprecationWarning, match="old"):
        shell("check", "a.yaml")


def test_other_warnings_are_shown_as_usual(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("import warnings\nwarnings.warn('old', UserWarning)\n")
    (tmp_path / "a.yaml").write_text("LSTM: {units: 3}\n")

    ran = fresh("check", "a.yaml", "--import", "old", folder=tmp_path)

    assert ran.returncode == 0
    assert ran.stderr.splitlines()[0].endswith("old.py:2: UserWarning: old")


def test_ctrl_c_is_code_130(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.check, "load", interrupted)

    ran = shell("check", "a.yaml")

    assert (ran.code, ran.out, ran.err) == (130, "", "interrupted\n")


def test_a_reader_that_went_away_is_code_141_and_quiet(shell: Shell) -> None:
    code = (
        "import os, sys, rnnspec.cli\n"
        "read, write = os.pipe()\n"
        "os.close(read)\n"
        "os.dup2(write, 1)\n"
        "sys.exit(rnnspec.cli.main(['check', 'a.yaml']))\n"
    )
    shell.write("a.yaml", "LSTM: {units: 3}\n")

    ran = fresh(code=code, folder=shell.folder)

    assert (ran.returncode, ran.stderr) == (141, "")


def test_python_m_rnnspec_is_the_same_command(tmp_path: Path) -> None:
    ran = fresh("check", "nix.yaml", folder=tmp_path)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "nix.yaml: there is no such file\n"


class TestImports:
    CELL = "import rnnspec\n\n@rnnspec.register.layer('{name}')\ndef f(units): ...\n"

    def test_a_module_of_the_folder_can_register(self, shell: Shell) -> None:
        shell.write("ours_a.py", self.CELL.format(name="OursA"))
        shell.write("a.yaml", "OursA: {units: 3}\n")

        ran = shell("check", "a.yaml", "--import", "ours_a")

        assert (ran.code, ran.err) == (0, "")
        assert ran.out == "a.yaml: ok, a model of 1 layer, its input shape not known\n"
        assert str(shell.folder) not in sys.path

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            pytest.param(
                "ours_b",
                None,
                "cannot import 'ours_b': there is no such module\n"
                "  hint: the name of a module in this folder or of an installed one, without .py",
                id="missing",
            ),
            pytest.param(
                "ours_c", "import nix_nix\n",
                "{folder}/ours_c.py:1: cannot import 'ours_c': ModuleNotFoundError: No module named 'nix_nix'",
                id="imports what is missing",
            ),
            pytest.param(
                "ours_d", "x = (\n", "{folder}/ours_d.py:1: cannot import 'ours_d': '(' was never closed", id="syntax"
            ),
            pytest.param(
                "ours_e", "\n\n1 / 0\n",
                "{folder}/ours_e.py:3: cannot import 'ours_e': ZeroDivisionError: division by zero",
                id="fails",
            ),
            pytest.param(
                "ours_g", "import sys\nsys.exit(3)\n",
                "{folder}/ours_g.py:2: cannot import 'ours_g': SystemExit: 3",
                id="exits",
            ),
            pytest.param(
                "ours_f", "import rnnspec\n\n@rnnspec.register.layer\nclass LSTM: ...\n",
                "the layer 'LSTM' is built in and cannot be replaced\n  hint: choose another name",
                id="registers a name that is taken",
            ),
        ],
    )  # fmt: skip
    def test_mistakes_in_it_are_told_without_a_traceback(
        self, shell: Shell, name: str, text: str | None, message: str
    ) -> None:
        if text is not None:
            shell.write(f"{name}.py", text)

        ran = shell("check", "a.yaml", "--import", name)

        assert (ran.code, ran.out) == (1, "")
        assert ran.err == message.format(folder=shell.folder) + "\n"


def test_what_the_system_refuses_is_told_in_its_words(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "secret.npz")

    monkeypatch.setattr(cli.check, "load", refused)

    ran = shell("check", "a.yaml")

    assert (ran.code, ran.out, ran.err) == (1, "", "secret.npz: Permission denied\n")


def test_missing_packages_name_the_extra(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.write("a.yaml", "data: JapaneseVowels\nmodel: [GRU: {units: 9}]\n")
    _without(monkeypatch, "pytorch_lightning", "matplotlib")

    for ran in (shell("train", "a.yaml"), shell("predict", "runs/a-1")):
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == (
            "this command needs packages that are not installed: matplotlib, pytorch_lightning\n"
            "  hint: pip install 'rnnspec[train]'\n"
        )


def _without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    find: Callable[[str], object] = cli.options.importlib.util.find_spec
    monkeypatch.setattr(cli.options.importlib.util, "find_spec", lambda name: None if name in modules else find(name))
