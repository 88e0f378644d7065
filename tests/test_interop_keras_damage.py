"""Real files of Keras with damage drawn at random: each is refused in words, or loads with a report."""

from __future__ import annotations

import sys

import pytest

if sys.platform != "linux":
    pytest.skip("what bounds and watches a process here is Linux's", allow_module_level=True)

from keras_fuzz import run


@pytest.mark.parametrize("count", [300, pytest.param(3_000, marks=pytest.mark.slow)])
def test_damaged_files_are_refused_or_load_with_a_report(count: int) -> None:
    found = run(0, count)

    assert [line for line in found if line[1] in ("failed", "died")] == []
    assert {"refused", "loaded"} <= {line[1] for line in found}
    assert max(line[3] for line in found) < 10  # seconds for one file
    assert len(found) == count
