"""The `.keras` file: a zip archive of two texts and of an HDF5 file, in Keras 3's own layout."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from rnnspec.interop.keras.archive import ENTRIES, MARK
from rnnspec.interop.keras.writing.blocks import Group

__all__ = ["KERAS_VERSION", "archive_bytes"]

KERAS_VERSION = "3.15.1"
"""The version of Keras whose words the files have."""


def archive_bytes(config: Mapping[str, Any], groups: Sequence[Group], marks: Mapping[str, Sequence[str]]) -> bytes:
    """Makes the file.

    Args:
        config: The model's configuration.
        groups: What is stored.
        marks: The layers whose weights are scaled for their activations, which `from_keras` undoes.

    Returns:
        Its content.
    """
    metadata: dict[str, Any] = {"keras_version": KERAS_VERSION, "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S")}
    if marks:
        metadata[MARK] = {name: list(found) for name, found in marks.items()}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in zip(ENTRIES, (config, metadata), strict=False):
            archive.writestr(name, json.dumps(text))
        archive.writestr(ENTRIES[2], _weights(groups))
    return content.getvalue()


def _weights(groups: Sequence[Group]) -> bytes:
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for group in groups:
            variables = file.create_group(f"{group.path}/vars")
            variables.attrs["name"] = group.name
            for number, array in enumerate(group.arrays):
                variables[str(number)] = array
    return content.getvalue()
