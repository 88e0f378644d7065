"""Files are written at once or not at all, alone and together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnnspec.files import write_bytes, write_together


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"one")
    write_bytes(tmp_path / "a", b"two")

    assert (tmp_path / "a").read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a"]


def test_an_existing_file_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "a").chmod(0o640)

    write_bytes(tmp_path / "a", b"two")

    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_link_keeps_pointing_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "link").symlink_to("a")

    write_bytes(tmp_path / "link", b"two")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"two"


def test_files_that_belong_together_are_written_all(tmp_path: Path) -> None:
    write_together({tmp_path / "a": b"one", tmp_path / "b": b"two"})

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"one", "b": b"two"}


def test_where_one_cannot_be_written_none_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    with pytest.raises(FileNotFoundError):
        write_together({tmp_path / "a": b"one", tmp_path / "nowhere" / "b": b"two"})

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}
