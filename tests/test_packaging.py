"""The C library in wheels, sdists and editable installs, and an install without a compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = "rnnspec/engines/cpu/_library.so"
SOURCES = {path.name for path in (ROOT / LIBRARY).with_name("src").iterdir()}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux") or shutil.which("cc") is None, reason="needs Linux and cc"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what an sdist is made of, without a library."""
    copy = tmp_path_factory.mktemp("packaging") / "tree"
    copy.mkdir()
    for path in ROOT.iterdir():
        if path.is_file() and path.name[0] != ".":
            shutil.copy(path, copy)
    for folder in ("rnnspec", "benchmarks"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    return copy


def build(tree: Path, kind: str, before: str = "", **environment: str) -> Path:
    """Builds a `wheel`, an `editable` or an `sdist`, quickly: without optimisation; runs the code `before` it."""
    code = f"{before}\nfrom setuptools import build_meta as b; open('made', 'w').write(b.build_{kind}('dist'))"
    flags = {"CFLAGS": "-O0 -w", **environment}
    subprocess.run([sys.executable, "-c", code], cwd=tree, env=os.environ | flags, check=True)
    return tree / "dist" / (tree / "made").read_text()


def reason(folder: Path) -> str:
    """What `unavailable` says of the package in this folder."""
    code = "from rnnspec.engines.cpu import library; print(library.unavailable())"
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_wheel_carries_the_library_and_is_of_a_platform(tree: Path, tmp_path: Path) -> None:
    wheel = build(tree, "wheel")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)

    assert "-py3-none-linux_" in wheel.name
    assert LIBRARY in names
    assert not [name for name in names if name.endswith((".c", ".h"))]
    assert reason(tmp_path) == "None"


def test_without_a_compiler_a_wheel_is_of_any_platform_and_works(tree: Path, tmp_path: Path) -> None:
    # In the tree where another wheel was built: what is left of it must not come along.
    wheel = build(tree, "wheel", CC="false")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)

    assert wheel.name.endswith("-py3-none-any.whl")
    assert LIBRARY not in names
    assert "there was no C compiler" in reason(tmp_path)


def test_an_sdist_carries_the_sources_and_no_library(tree: Path) -> None:
    with tarfile.open(build(tree, "sdist")) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]

    assert {Path(name).name for name in names if "/src/" in name} == SOURCES
    assert LIBRARY not in names
    assert "benchmarks/__main__.py" in names


def test_an_editable_install_builds_in_place(tree: Path) -> None:
    build(tree, "editable")

    assert (tree / LIBRARY).exists()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_sources_compile_without_a_warning(tree: Path, compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler}")
    wheel = build(tree, "wheel", CC=compiler, CFLAGS="-Werror")

    assert "-py3-none-linux_" in wheel.name


def test_a_cross_compiler_gets_no_flags_of_this_machine(tree: Path) -> None:
    compiler = "aarch64-linux-gnu-gcc"
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler}")

    with zipfile.ZipFile(build(tree, "wheel", CC=compiler)) as archive:
        library = archive.read(LIBRARY)

    assert library[18:20] == b"\xb7\x00"  # ELF's number of the machine


def test_windows_gets_no_library(tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wheel = build(tree, "wheel", before="import platform; platform.system = lambda: 'Windows'")

    assert "the C code is not for Windows" in capfd.readouterr().out
    assert wheel.name.endswith("-py3-none-any.whl")
