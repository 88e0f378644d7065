"""A `.keras` file: a zip archive, of which three entries are read and nothing is unpacked to disk."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from rnnspec.errors import ConfigError, Problem
from rnnspec.interop.keras.hdf5 import LEAST_BYTES, Group, read_group
from rnnspec.interop.keras.texts import DAMAGED, MAX_TEXT, check_size, parse_json

__all__ = ["ENTRIES", "MARK", "Archive", "read_archive"]

WEIGHTS = "model.weights.h5"
ENTRIES = ("config.json", "metadata.json", WEIGHTS)
MARK = "rnnspec_old_hard_sigmoid"
"""Where `to_keras` tells in metadata.json which weights it scaled; see `rnnspec.interop.keras.slope`."""
MAX_ENTRIES = 10_000
MAX_READ = 2**23
"""What is read at once, in bytes; the list of all entries is."""
MAX_GROWTH = 20
"""Unpacked, the weights have at most so many times their size in the archive; small ones may have `LEAST_BYTES`."""
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DISTRUST = "no Keras writes such a file: do not trust it"


@dataclass
class Archive:
    """What a `.keras` file holds.

    Attributes:
        config: The model's configuration.
        metadata: `keras_version` and `date_saved`.
        weights: The root of the file with the weights.
        others: Entries that are not read.
    """

    config: dict[str, Any]
    metadata: dict[str, Any]
    weights: Group
    others: list[str] = field(default_factory=list)


def read_archive(path: str | os.PathLike[str], file: str) -> Archive:
    """Reads a `.keras` file.

    Args:
        path: The file.
        file: Its name, for messages.

    Returns:
        What it holds.

    Raises:
        ConfigError: If it is damaged, lacks an entry, or holds what no Keras writes.
    """
    try:
        with _Opened(path) as opened, zipfile.ZipFile(opened) as archive:
            entries = _checked(archive, file)
            config = parse_json(_read(archive, entries["config.json"], file), file, "config.json")
            metadata = {}
            if "metadata.json" in entries:
                metadata = parse_json(_read(archive, entries["metadata.json"], file), file, "metadata.json")
            content = _read(archive, entries[WEIGHTS], file)
    except ConfigError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise ConfigError(Problem(f"the zip archive cannot be read: {error}", file=file, hint=DAMAGED)) from None
    weights = read_group(io.BytesIO(content), f"{file}/{WEIGHTS}", len(content))
    return Archive(config, metadata, weights, [name for name in entries if name not in ENTRIES])


def _checked(archive: zipfile.ZipFile, file: str) -> dict[str, zipfile.ZipInfo]:
    """The entries by name, if all of them are such as Keras writes."""
    found = archive.infolist()
    if len(found) > MAX_ENTRIES:
        raise ConfigError(Problem(f"the archive has {len(found)} entries, at most {MAX_ENTRIES} are read", file=file))
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in found:
        name = entry.filename
        if _leads_out(name):
            message = f"the archive has an entry {name!r:.80}, which leads out of it"
            raise ConfigError(Problem(message, file=file, hint=DISTRUST))
        if name in entries:
            raise ConfigError(Problem(f"the archive has two entries {name!r:.80}", file=file, hint=DAMAGED))
        entries[name] = entry
    for name in ("config.json", WEIGHTS):
        if name not in entries:
            hint = "a .keras file of Keras 3 or of tf.keras 2.12 and newer has config.json and model.weights.h5"
            raise ConfigError(Problem(f"the archive has no entry '{name}'", file=file, hint=hint))
    for name in ENTRIES[:2]:
        if name in entries:
            check_size(entries[name].file_size, file, name)
    return entries


class _Opened(io.FileIO):
    """A file that refuses to be read in large pieces: the list of entries has any size that the file claims."""

    def read(self, size: int | None = -1) -> bytes:
        """As for any file."""
        if size is not None and size > MAX_READ:
            raise zipfile.BadZipFile(f"the list of its entries has {size} bytes")
        return super().read(size)


def _leads_out(name: str) -> bool:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    return posix.is_absolute() or bool(windows.anchor) or ".." in posix.parts or ".." in windows.parts


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: str) -> bytes:
    """The content of an entry, if it is no bomb; its sizes are claims, of which none is believed."""
    packed_size = min(entry.compress_size, os.fstat(archive.fp.fileno()).st_size if archive.fp else 0)
    limit = max(LEAST_BYTES if entry.filename == WEIGHTS else MAX_TEXT, MAX_GROWTH * packed_size)
    if entry.file_size > limit:
        message = f"'{entry.filename}' has {entry.compress_size} bytes in the archive and {entry.file_size} unpacked"
        raise ConfigError(Problem(message, file=file, hint=DISTRUST))
    if entry.flag_bits & 1:
        raise ConfigError(Problem(f"'{entry.filename}' is encrypted", file=file, hint="decrypt the archive first"))
    if entry.compress_type not in PACKINGS:
        message = f"'{entry.filename}' is packed in a way ({entry.compress_type}) in which Keras never packs"
        raise ConfigError(Problem(message, file=file, hint="pack the archive anew, by deflate or not at all"))
    content = io.BytesIO()
    with archive.open(entry) as packed:
        # In pieces, as zipfile unpacks all that a piece holds, whatever size is claimed.
        while piece := packed.read(MAX_READ // 8):
            content.write(piece)
    return content.getvalue()
