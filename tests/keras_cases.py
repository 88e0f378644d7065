"""The files that real Keras versions wrote, with the outputs of those: `tests/keras_files`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

FILES = Path(__file__).parent / "keras_files"
MODELS = sorted(path.stem for path in FILES.glob("*.npz"))


def sources(name: str) -> Iterator[tuple[Path, Path | None]]:
    """Every way to read a model: the file of the architecture, and that of the weights where it is another."""
    wholes = [path for path in (FILES / f"{name}.h5", FILES / f"{name}.keras") if path.exists()]
    yield from ((path, None) for path in wholes)
    weights = [path for path in (FILES / f"{name}_weights.h5", FILES / f"{name}.weights.h5") if path.exists()]
    texts = [path for path in (FILES / f"{name}.json", FILES / f"{name}.yaml") if path.exists()]
    yield from ((text, path) for text in texts for path in weights + wholes)
    if weights and not texts:
        raise AssertionError(f"{name} has weights and no architecture")


def arrays(name: str) -> Iterator[tuple[list[torch.Tensor], list[np.ndarray[Any, Any]]]]:
    """Inputs and outputs of a model, batch by batch: a stateful model has two, one after the other."""
    with np.load(FILES / f"{name}.npz") as stored:
        for suffix in ("", "_b0", "_b1"):
            inputs = [torch.as_tensor(stored[key]) for key in sorted(stored) if key[0] == "x" and _of(key, suffix)]
            outputs = [stored[key] for key in sorted(stored) if key[0] == "y" and _of(key, suffix)]
            if inputs:
                yield inputs, outputs


def _of(key: str, suffix: str) -> bool:
    return key[1:].removesuffix(suffix).isdigit() if suffix else key[1:].isdigit()


def worst(model: torch.nn.Module, name: str) -> float:
    """The largest difference to the stored outputs, in parts of what is allowed: 1e-5 + 1e-5 |y|."""
    found = []
    for inputs, outputs in arrays(name):
        with torch.no_grad():
            given = model(*inputs)
        given = list(given) if isinstance(given, (tuple, list)) else [given]
        assert [tuple(one.shape) for one in given] == [one.shape for one in outputs]
        pairs = zip(given, outputs, strict=True)
        found += [np.abs(one.numpy() - other) / (1e-5 + 1e-5 * np.abs(other)) for one, other in pairs]
    return max(float(difference.max()) for difference in found)
