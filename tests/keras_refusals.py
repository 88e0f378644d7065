"""What `from_keras` says when it refuses a file."""

from __future__ import annotations

from pathlib import Path

import pytest

import rnnspec


def refusal(path: Path, weights: Path | None = None, kind: type[rnnspec.Error] = rnnspec.Error) -> str:
    with pytest.raises(kind) as caught:
        rnnspec.from_keras(path, weights, device="cpu")
    return str(caught.value).replace(f"{path.parent}/", "")
