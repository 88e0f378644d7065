"""What the bytes of an HDF5 file tell before its library reads it: what the library would unpack without a limit."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rnnspec.errors import ConfigError, Problem
from rnnspec.interop.keras.kinds import HDF5_STARTS
from rnnspec.interop.keras.texts import DAMAGED
from rnnspec.yaml.text import HDF5

__all__ = ["largest_text"]

BLOCK = 2**24
# A heap of texts, with its size; and that of a group with many members, with the length of its filters.
_TEXTS = re.compile(rb"GCOL\x01\x00\x00\x00(.{8})", re.DOTALL)
_PACKED = re.compile(rb"FRHP\x00..(?!\x00\x00)..", re.DOTALL)
_LONGEST = 16
"""Of what is looked for here, and the head of a text in its heap."""


def largest_text(source: str | os.PathLike[str] | BinaryIO, file: str) -> int:
    """Looks at the heaps in a file.

    A list of texts is stored as places in a heap. The library reads all of them at once, and the same text may be meant
    a million times.

    Args:
        source: The file, or its content.
        file: Its name, for messages.

    Returns:
        The most bytes that one text in it may have.

    Raises:
        ConfigError: If it is of a kind that Keras never writes, and that cannot be looked at so.
    """
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as content:
            return largest_text(content, file)
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    heaps: dict[int, int] = {}
    start = 0
    for block in _blocks(source):
        if _PACKED.search(block) or (start == 0 and not _has_usual_widths(block)):
            message = "the HDF5 file is built in a way in which Keras never builds one"
            raise ConfigError(Problem(message, file=file, hint=DAMAGED))
        heaps |= {start + found.start(): int.from_bytes(found[1], "little") for found in _TEXTS.finditer(block)}
        start += len(block) - _LONGEST
    heaps = {place: length for place, length in heaps.items() if place + length <= size}
    if (
        not all(_can_be_read(source, place, length) for place, length in heaps.items())
        or sum(heaps.values()) > 2 * size
    ):
        raise ConfigError(Problem("the texts in the HDF5 file are damaged", file=file, hint=DAMAGED))
    source.seek(0)
    return max(heaps.values(), default=0)


def _can_be_read(content: BinaryIO, start: int, length: int) -> bool:
    """Whether the library comes to the end of a heap: a text that claims to have no size keeps it for ever."""
    place = start + _LONGEST
    while place + _LONGEST <= start + length:
        content.seek(place)
        head = content.read(_LONGEST)
        size = int.from_bytes(head[8:], "little")
        # What is free tells its size with this head, a text tells it without, in steps of eight.
        needed = size if head[:2] == b"\0\0" else _LONGEST + (size + 7) // 8 * 8
        if not 0 < needed <= length:
            return False
        place += needed
    return True


def _blocks(content: BinaryIO) -> Iterator[bytes]:
    """The file in pieces that overlap, so that none cuts a signature apart."""
    tail = b""
    while block := content.read(BLOCK):
        yield tail + block
        tail = (tail + block)[-_LONGEST:]


def _has_usual_widths(head: bytes) -> bool:
    """Whether sizes and places in the file have eight bytes."""
    for start in HDF5_STARTS:
        if head[start : start + len(HDF5)] == HDF5:
            widths = start + (13 if head[start + len(HDF5)] < 2 else 9)
            return head[widths : widths + 2] == b"\x08\x08"
    return True
