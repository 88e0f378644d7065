"""Runs the command line as a user does, in this process or in a fresh one."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rnnspec.cli import main

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


@dataclass
class Shell:
    """A folder with files, and commands that run in it."""

    capture: pytest.CaptureFixture[str]
    folder: Path

    def write(self, name: str, text: str) -> str:
        """Writes a file of the folder; returns its name."""
        (self.folder / name).write_text(text)
        return name

    def __call__(self, *arguments: str) -> Ran:
        """Runs `rnnspec` with these arguments in this process."""
        self.capture.readouterr()
        code = main(arguments)
        return Ran(code, *self.capture.readouterr())


def fresh(*arguments: str, folder: Path, code: str = "") -> subprocess.CompletedProcess[str]:
    """Runs `python -m rnnspec` in a process of its own, or some code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "rnnspec"]
    return subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
