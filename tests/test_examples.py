"""The examples do what they say. The long ones are run in short."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_cases import Shell
from example_runs import EXAMPLES, run_example

from rnnspec import registry
from rnnspec.experiment.japanese_vowels import japanese_vowels


@pytest.fixture
def users_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells that an example registers are new to the test, and forgotten after it."""
    monkeypatch.setattr(registry.CELLS, "_added", {})
    monkeypatch.delitem(sys.modules, "examples.my_cells", raising=False)


@pytest.mark.parametrize("file", sorted(path.name for path in EXAMPLES.iterdir() if path.is_file()))
def test_every_example_is_named_in_a_test(file: str) -> None:
    """Notebooks are found by their ending."""
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("test_examples*.py"))

    stem, _, ending = file.partition(".")
    assert re.search(rf"\b{stem}\b", texts), f"no test runs {file}"
    assert ending in ("py", "yaml", "ipynb")


def test_one_layer_from_python(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "one_layer.py"))

    assert capsys.readouterr().out.splitlines() == [
        "the YAML means the same config: True",
        "output (2, 3) - padding changes nothing: True",
        "states (2, 3) (2, 3)",
        "kernel            (4, 12)",
        "recurrent_kernel  (3, 12)",
        "bias              (12,)",
        "engine: cpu, because it sweeps over the whole sequence in C, forward and backward",
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


def nearest_mean() -> float:
    """The accuracy of a classifier without a network: whose mean over all steps is the nearest."""
    data = japanese_vowels().standardized()
    train, test = (np.stack([x.mean(0) for x in part.x]) for part in (data.train, data.test))
    means = np.stack([train[np.equal(data.train.y, speaker)].mean(0) for speaker in range(9)])
    found = np.square(test[:, None] - means).sum(-1).argmin(1)
    return float(np.equal(found, data.test.y).mean())


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["-m", "rnnspec", "train", "japanese_vowels.yaml", "--quiet"], id="japanese_vowels"),
        pytest.param(
            ["-m", "rnnspec", "train", "peephole.yaml", "--import", "examples.my_cells", "--quiet"], id="peephole"
        ),
        pytest.param(["own_experiment.py"], id="own_experiment"),
    ],
)
def test_a_classifier_beats_the_nearest_mean(arguments: list[str], tmp_path: Path) -> None:
    paths = [str(EXAMPLES / word) if (EXAMPLES / word).is_file() else word for word in arguments]

    lines = run_example(*paths, folder=tmp_path)

    (accuracy,) = (float(line.split()[-1]) for line in lines if line.startswith("test accuracy "))
    assert accuracy > 0.95
    assert accuracy > nearest_mean() + 0.02
