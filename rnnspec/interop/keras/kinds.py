"""Whether a file is one of Keras, told by its content and quickly: neither h5py nor torch is loaded for it."""

from __future__ import annotations

import json
import os
import re

from rnnspec.yaml.text import HDF5, ZIP

__all__ = ["HDF5_STARTS", "MAX_HEAD", "MAX_TEXT", "is_hdf5", "is_keras_file", "is_zip"]

MAX_TEXT = 10_000_000
"""A larger text is refused, in bytes."""

# HDF5 lets other data stand before the file proper, in these sizes.
HDF5_STARTS = (0, 512, 1024, 2048)
MAX_HEAD = HDF5_STARTS[-1] + len(HDF5)
"""How many bytes tell the kind of a file that is no text."""

# What Keras writes beside class_name and config; our own `{class_name: LSTM, config: {...}}` has nothing beside them.
_BESIDE = ("keras_version", "backend", "module", "registered_name")
_YAML_KEY = re.compile(rb"^(\w+):", re.MULTILINE)


def is_hdf5(head: bytes) -> bool:
    """Whether a file that starts so is HDF5."""
    return any(head[start : start + len(HDF5)] == HDF5 for start in HDF5_STARTS)


def is_zip(head: bytes) -> bool:
    """Whether a file that starts so is a zip archive."""
    return head.startswith(ZIP)


def is_keras_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one that Keras writes, not one of ours: HDF5, a zip archive, or a text of `to_json`, `to_yaml`.

    Args:
        path: The file.

    Returns:
        Whether it is; False where it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_HEAD)
            if is_hdf5(content) or is_zip(content):
                return True
            content += file.read(MAX_TEXT)
    except (OSError, ValueError):  # a ValueError where the path holds a NUL
        return False
    keys = _keys(content)
    return {"class_name", "config"} <= keys and not keys.isdisjoint(_BESIDE)


def _keys(text: bytes) -> set[str]:
    """The keys of the mapping that a text holds."""
    if not text.lstrip().startswith(b"{"):
        return {key.decode() for key in _YAML_KEY.findall(text)}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return set()
    return set(data) if isinstance(data, dict) else set()
