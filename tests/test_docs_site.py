"""The documentation site: it builds without a warning, fetches nothing, and has every public name."""

from __future__ import annotations

import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import rnnspec
from rnnspec import cli

ROOT = Path(__file__).resolve().parent.parent
# What a browser fetches by itself when it opens a page.
FETCHED = re.compile(r"""<(?:script|img|iframe)[^>]*\ssrc="?(https?:[^\s">]+)|<link[^>]*\shref="?(https?:[^\s">]+)""")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning fails the build, but not under `--quiet`, which hears none."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


def inventory(site: Path) -> set[str]:
    """The names that the reference documents."""
    _, _, packed = (site / "objects.inv").read_bytes().partition(b"zlib.\n")
    return {line.split(" ")[0] for line in zlib.decompress(packed).decode().splitlines()}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([f"rnnspec.{name}" for name in rnnspec.__all__ if name != "__version__"], id="rnnspec"),
        pytest.param([f"rnnspec.nn.{name}" for name in rnnspec.nn.__all__], id="rnnspec.nn"),
        pytest.param([f"rnnspec.config.{name}" for name in rnnspec.config.__all__], id="rnnspec.config"),
    ],
)
def test_the_reference_has_every_public_name(site: Path, names: list[str]) -> None:
    assert sorted({*names} - inventory(site)) == []


def test_the_reference_has_the_help_of_every_command(site: Path) -> None:
    page = (site / "reference" / "command-line.html").read_text()

    commands = [name for name, module in vars(cli).items() if hasattr(module, "add_to")]
    assert len(commands) > 4
    assert sorted(re.findall(r"usage: rnnspec (\w+)", page)) == sorted(commands)


def test_a_page_fetches_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))

    assert len(pages) > 10
    assert {found for page in pages for found in FETCHED.findall(page.read_text())} == set()


def test_the_examples_are_part_of_the_site(site: Path) -> None:
    assert (site / "examples" / "my_cells.py").read_bytes() == (ROOT / "examples" / "my_cells.py").read_bytes()


def test_a_docstrings_example_is_shown_as_code(site: Path) -> None:
    shown = [page.name for page in site.rglob("*.html") if '<details class="example"' in page.read_text()]

    assert shown == []  # a section `Example:` is prose; `Examples:` it is called
