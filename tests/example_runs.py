"""Runs the examples as a user does: each in a process of its own, where a warning is an error."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SECONDS = 60
"""What an example may take of one core."""


@contextmanager
def within_limit() -> Iterator[None]:
    """Fails where the processes that are started and end inside take longer than an example may.

    Not by the wall's clock: other tests run beside this one.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert 0 < seconds < SECONDS


def run_example(*arguments: str, folder: Path) -> list[str]:
    """Runs `python ARGUMENTS` in a folder; the example must succeed, say nothing on stderr, and be quick.

    Returns:
        The lines that it printed.
    """
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", *arguments]
    with within_limit():
        ran = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.splitlines()
