"""Files that are written at once or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

__all__ = ["write_bytes"]


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file at once: whoever reads it sees the old content or the new, never half of it.

    Args:
        path: The file; a link keeps pointing to it, and an existing file keeps its permissions.
        content: All of it.

    Raises:
        OSError: If it cannot be written; the old file is untouched.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
