"""Runs the examples as a user does: each in a process of its own, where a warning is an error."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SECONDS = 60
"""What an example may take of one core."""


def run_example(*arguments: str, folder: Path) -> list[str]:
    """Runs `python ARGUMENTS` in a folder; the example must succeed, say nothing on stderr, and be quick.

    Returns:
        The lines that it printed.
    """
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", *arguments]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (ran.returncode, ran.stderr) == (0, "")
    # Not the wall's clock: other tests run beside this one.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < SECONDS
    return ran.stdout.splitlines()
