"""The C library under sanitizers; `make sanitize CALLS=100000` calls it more often."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import sanitizers

pytestmark = pytest.mark.slow


def test_random_calls_find_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not sanitizers.has_sanitizers(tmp_path):
        pytest.skip("the compiler has no sanitizers")
    monkeypatch.chdir(sanitizers.ROOT)

    command = sanitizers.build(tmp_path)
    done = subprocess.run([*command, "0", "3000"], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("no finding\n")
