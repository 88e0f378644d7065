"""Files that are written at once or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

__all__ = ["write_bytes", "write_together"]


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file at once: whoever reads it sees the old content or the new, never half of it.

    Args:
        path: The file; a link keeps pointing to it, and an existing file keeps its permissions.
        content: All of it.

    Raises:
        OSError: If it cannot be written; the old file is untouched.
    """
    write_together({path: content})


def write_together(contents: Mapping[str | os.PathLike[str], bytes]) -> None:
    """Writes files that belong together: none has its name before all are on the disk.

    Args:
        contents: The content of each file.

    Raises:
        OSError: If one cannot be written; the old files are untouched.
    """
    written: list[tuple[Path, Path]] = []
    try:
        for path, content in contents.items():
            target = Path(os.path.realpath(path))
            temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            written.append((temporary, target))
            with open(temporary, "xb") as file:
                file.write(content)
            if target.exists():
                shutil.copymode(target, temporary)
        for temporary, target in written:
            os.replace(temporary, target)
    except BaseException:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)
        raise
