"""The C library under sanitizers; `make sanitize CALLS=100000` calls it more often."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sanitizers

pytestmark = pytest.mark.slow


def test_random_calls_find_nothing(tmp_path: Path) -> None:
    if not sanitizers.has_sanitizers(tmp_path):
        pytest.skip("the compiler has no sanitizers")

    command = [sys.executable, sanitizers.__file__, "--calls", "3000", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("no finding\n")
