"""Arrays and attributes of an HDF5 file, read so that the file can lead nowhere else and cannot grow in memory."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from rnnspec.errors import ConfigError, Problem, WeightsError
from rnnspec.interop.keras.hdf5_bytes import largest_text
from rnnspec.interop.keras.texts import DAMAGED, MAX_TEXT

if TYPE_CHECKING:
    import h5py
    import numpy.typing as npt

__all__ = ["LEAST_BYTES", "Array", "Group", "read_group"]

MAX_NODES = 50_000
"""Groups and arrays in one file."""
MAX_LEVELS = 100
"""Groups inside each other."""
LEAST_BYTES = 2**26
"""The arrays of a file have at most as many bytes as it, or so many."""
READ = re.compile(r"(layer_names|weight_names)\d*|model_config|training_config|keras_version|backend|dtype|name")
"""The attributes that are read; no other changes a model."""


@dataclass
class Array:
    """An array that was found and not read yet.

    Attributes:
        name: Its path in the file.
        shape: Its shape.
        dtype: Its dtype's name; `bfloat16` where Keras says so beside.
        file: The file's name, for messages.
        dataset: Where the numbers are.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    file: str
    dataset: h5py.Dataset = field(repr=False)

    def read(self) -> npt.NDArray[Any]:
        """Reads the numbers.

        Returns:
            The array, float16, float32 or float64; float32 for bfloat16.

        Raises:
            WeightsError: If they are no floating numbers, or cannot be read.
        """
        if self.dtype not in ("bfloat16", "float16", "float32", "float64"):
            message = f"the array '{self.name}' has the dtype {self.dtype}, expected float16, float32 or float64"
            raise WeightsError(Problem(message, file=self.file, hint=DAMAGED))
        try:
            values = np.asarray(self.dataset[()])
        except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            message = f"the array '{self.name}' cannot be read: {_reason(error)}"
            raise WeightsError(Problem(message, file=self.file, hint=DAMAGED)) from None
        if self.dtype == "bfloat16":
            return (values.astype(np.uint16).astype(np.uint32) << 16).view(np.float32)
        return values.astype(values.dtype.newbyteorder("="))


@dataclass
class Group:
    """A group of an HDF5 file with all that is in it.

    Attributes:
        name: Its path in the file.
        attributes: Its attributes as texts, lists of texts, or numbers.
        groups: The groups inside, by name.
        arrays: The arrays inside, by name.
    """

    name: str
    attributes: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)

    def find(self, path: str) -> Array | None:
        """The array at a path from here, with slashes; None where there is none."""
        *groups, last = path.strip("/").split("/")
        group: Group | None = self
        for name in groups:
            group = group.groups.get(name) if group else None
        return group.arrays.get(last) if group else None

    def all_arrays(self) -> Iterator[Array]:
        """Every array in here and in the groups inside."""
        yield from self.arrays.values()
        for group in self.groups.values():
            yield from group.all_arrays()


def read_group(source: str | os.PathLike[str] | BinaryIO, file: str, size: int) -> Group:
    """Reads what is in an HDF5 file; the numbers of its arrays stay there.

    Args:
        source: The file, or its content.
        file: Its name, for messages.
        size: Its size in bytes.

    Returns:
        The root.

    Raises:
        ConfigError: If it is no HDF5 file, is damaged, leads to other files, or holds too much.
    """
    import h5py

    try:
        largest = largest_text(source, file)
        opened = h5py.File(Path(source) if isinstance(source, (str, os.PathLike)) else source, "r")
        return _Walk(file, size, largest).group(opened, "", 0)
    except ConfigError:
        raise
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        UnicodeError,
        OverflowError,
        AttributeError,
    ) as error:
        raise ConfigError(Problem(f"the HDF5 file cannot be read: {_reason(error)}", file=file, hint=DAMAGED)) from None


class _Walk:
    """Goes through a file once, and counts what it finds."""

    def __init__(self, file: str, size: int, largest: int) -> None:
        self.file = file
        self.bytes_left = max(LEAST_BYTES, size)
        self.text_left = MAX_TEXT
        self.largest = largest
        self.seen: set[int] = set()

    def refuse(self, message: str, hint: str = DAMAGED) -> ConfigError:
        return ConfigError(Problem(message, file=self.file, hint=hint))

    def group(self, found: Any, name: str, level: int) -> Group:
        import h5py

        if level > MAX_LEVELS:
            raise self.refuse(f"more than {MAX_LEVELS} groups stand inside each other, at '{name}'")
        self.once(found, name)
        group = Group(name, self.attributes(found, name))
        for key in found:
            path = f"{name}/{key}".lstrip("/")
            link = found.get(key, getlink=True)
            if not isinstance(link, h5py.HardLink):
                kind = "an external link" if isinstance(link, h5py.ExternalLink) else "a soft link"
                raise self.refuse(f"'{path}' is {kind}, which Keras never writes; links are not followed")
            item = found[key]
            if isinstance(item, h5py.Group):
                group.groups[key] = self.group(item, path, level + 1)
            elif isinstance(item, h5py.Dataset):
                group.arrays[key] = self.array(item, path)
            else:
                raise self.refuse(f"'{path}' is neither a group nor an array")
        return group

    def once(self, found: Any, name: str) -> None:
        """Refuses a group or an array that was there before: groups may stand inside themselves."""
        import h5py

        address = h5py.h5o.get_info(found.id).addr
        if address in self.seen:
            raise self.refuse(f"'{name}' stands in the file under another name too, which Keras never writes")
        self.seen.add(address)
        if len(self.seen) > MAX_NODES:
            raise self.refuse(f"the file has more than {MAX_NODES} groups and arrays")

    def array(self, found: h5py.Dataset, name: str) -> Array:
        self.once(found, name)
        creation = found.id.get_create_plist()
        if creation.get_external_count() or found.is_virtual:
            raise self.refuse(f"the numbers of '{name}' lie in another file, which is not opened")
        if creation.get_nfilters():
            # What is packed may grow a thousandfold for each filter, whatever shape it declares.
            packer = creation.get_filter(0)[3].decode("utf-8", "replace") or "a filter"
            hint = "unpack it first: h5repack -f NONE packed.h5 plain.h5"
            raise self.refuse(f"'{name}' is packed by {packer:.40}, which Keras never does", hint)
        if found.shape is None:
            raise self.refuse(f"the array '{name}' is empty")
        self.bytes_left -= max(_count(found.shape), _count(found.chunks or ())) * found.dtype.itemsize
        if self.bytes_left < 0:
            raise self.refuse(f"the arrays have far more numbers than the file has room for, at '{name}'")
        said = self.attributes(found, name).get("dtype")
        return Array(name, tuple(found.shape), "bfloat16" if said == "bfloat16" else found.dtype.name, self.file, found)

    def spend(self, size: int) -> None:
        self.text_left -= size
        if self.text_left < 0:
            raise self.refuse(f"the attributes of the file have more than {MAX_TEXT} bytes")

    def attributes(self, found: Any, name: str) -> dict[str, Any]:
        """The attributes that Keras writes: texts, and lists of texts that may be cut into numbered pieces."""
        import h5py

        attributes: dict[str, Any] = {}
        for key in filter(READ.fullmatch, found.attrs):
            kind = found.attrs.get_id(key)
            count = _count(kind.shape or ())
            # Lists of any length that are no texts are not read: damage to their type makes the library crash.
            if kind.dtype.kind not in "OSUif" or (kind.dtype.kind == "O" and not h5py.check_string_dtype(kind.dtype)):
                continue
            if kind.dtype.kind == "O" and count * self.largest > LEAST_BYTES * 2:
                raise self.refuse(
                    f"the attribute {key} of '{name or '/'}' has {count} texts, which may be too long to read"
                )
            self.spend(count * kind.dtype.itemsize)
            attributes[key] = _plain(found.attrs[key])
            if kind.dtype.kind == "O":
                texts = attributes[key] if isinstance(attributes[key], list) else [attributes[key]]
                self.spend(sum(len(text) for text in texts if isinstance(text, str)))
        return _joined(attributes)


def _count(shape: Sequence[int]) -> int:
    """How many numbers a shape holds, which may be more than a machine can count."""
    return math.prod(int(length) for length in shape)


def _plain(value: Any) -> Any:
    """An attribute's value with bytes as text and arrays as lists."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value.tolist()] if value.ndim else _plain(value.item())
    return value.item() if isinstance(value, np.generic) else value


def _joined(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Long lists stand in pieces: `layer_names0`, `layer_names1`, ..."""
    joined = dict(attributes)
    for name in ("layer_names", "weight_names"):
        pieces = {int(key[len(name) :]): value for key, value in attributes.items() if re.fullmatch(name + r"\d+", key)}
        if pieces and name not in joined:
            joined[name] = [item for number in sorted(pieces) for item in pieces[number]]
    return joined


def _reason(error: Exception) -> str:
    """The first sentence of what the library says, for a message."""
    return (str(error).partition("\n")[0] or type(error).__name__).rstrip(".")
