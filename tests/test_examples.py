"""The examples do what they say. The long ones are run in short."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from cli_cases import Shell

from rnnspec import registry

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture
def users_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells that an example registers are forgotten after the test."""
    monkeypatch.setattr(registry.CELLS, "_added", {})


def test_one_layer_from_python(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "one_layer.py"))

    assert capsys.readouterr().out.splitlines() == [
        "the YAML means the same config: True",
        "output (2, 3) - padding changes nothing: True",
        "states (2, 3) (2, 3)",
        "kernel            (4, 12)",
        "recurrent_kernel  (3, 12)",
        "bias              (12,)",
        "engine: steps, because it runs every cell on every device; "
        "not scan, because the call is neither compiled nor exported",
    ]


def test_a_script_of_ones_own_trains_with_a_plain_loop(capsys: pytest.CaptureFixture[str]) -> None:
    accuracy = runpy.run_path(str(EXAMPLES / "own_experiment.py"))["main"](epochs=2)

    assert accuracy > 0.85  # 15 epochs reach 0.97; a guess would be right in 0.11
    assert capsys.readouterr().out.splitlines()[-1] == f"test accuracy {accuracy:.4f}"


def test_the_classifier_learns_its_speakers(shell: Shell) -> None:
    ran = shell("train", str(EXAMPLES / "japanese_vowels.yaml"), "--set", "train.epochs=2")

    accuracy = float(ran.out.splitlines()[-2].removeprefix("test accuracy "))
    assert accuracy > 0.85
    assert shell("predict", "runs/japanese_vowels-1").err.startswith(f"accuracy {accuracy:.4f} (")


@pytest.mark.usefixtures("users_cells")
def test_a_cell_of_ones_own_is_used_from_yaml(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES.parent)

    ran = shell("show", str(EXAMPLES / "peephole.yaml"), "--import", "examples.my_cells")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[2] == "Bidirectional(RNN)  (None, 128)       39,808  steps"


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
@pytest.mark.usefixtures("users_cells")
def test_an_examples_file_is_tidy(shell: Shell, file: Path) -> None:
    assert shell("fmt", "--check", str(file)).code == 0
