"""Builds the C library of the engine `cpu`; everything else is said in setup.cfg.

The library needs a C compiler and nothing else: no headers of Python, no torch. Without a compiler the install goes on,
the wheel holds Python alone, and rnnspec runs its other engines.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Distribution, Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

SOURCES = Path("rnnspec/engines/cpu/src")
LIBRARY = Path("rnnspec/engines/cpu/_library.so")
FLAGS = [
    *("-std=gnu11", "-O3", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra"),
    # The loops of activations.h become vectors with these; never -ffast-math, for a NaN must stay one.
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),
]
INSTRUCTION_SETS = {
    "portable": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": [
        *("-mavx2", "-mfma", "-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mprefer-vector-width=512"),
    ],
}
ELEMENTS = {"f32": [], "f64": ["-DDOUBLE"]}


def compile_library(library: Path, objects: Path) -> None:
    """Compiles the sources, the sweep once for each instruction set and element type, and links them."""
    if platform.system() == "Windows":
        raise OSError("the C code is not for Windows")
    compiler = shlex.split(os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), "cc"))
    flags = [*FLAGS, *shlex.split(os.environ.get("CFLAGS", ""))]
    # The compiler's machine, not this one: a cross compiler knows no flags of ours.
    machine = subprocess.run([*compiler, "-dumpmachine"], check=True, stdout=subprocess.PIPE, text=True).stdout
    sets = INSTRUCTION_SETS if machine.startswith(("x86_64", "amd64")) else {"portable": []}
    jobs = [("main.c", "main", [])] + [
        ("isa.c", f"{element}_{name}", [f"-DSUFFIX={element}_{name}", *set_flags, *element_flags])
        for name, set_flags in sets.items()
        for element, element_flags in ELEMENTS.items()
    ]
    objects.mkdir(parents=True, exist_ok=True)
    library.parent.mkdir(parents=True, exist_ok=True)

    def run(job: tuple[str, str, list[str]]) -> str:
        source, name, more = job
        target = str(objects / f"{name}.o")
        subprocess.run([*compiler, *flags, *more, "-c", str(SOURCES / source), "-o", target], check=True)
        return target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = list(pool.map(run, jobs))
    subprocess.run([*compiler, *flags, "-shared", *made, "-o", str(library), "-lm", "-lpthread"], check=True)


class BuildLibrary(build_ext):
    """`build_ext` for a library that is no Python module."""

    has_library = False

    def run(self) -> None:
        """Builds the library in place or into the build folder; says so where it cannot."""
        target = LIBRARY if self.inplace else Path(self.build_lib) / LIBRARY
        # What an earlier build left would come along in a wheel that says it is for any platform.
        target.unlink(missing_ok=True)
        try:
            compile_library(target, Path(self.build_temp))
            self.has_library = True
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"rnnspec: no C library, the engine 'cpu' will not run: {error}")  # noqa: T201

    def get_outputs(self) -> list[str]:
        """What was built, for the wheel's record."""
        target = Path(self.build_lib) / LIBRARY
        return [str(target)] if target.exists() else []

    def get_output_mapping(self) -> dict[str, str]:
        """Nothing: an editable install builds in place."""
        return {}

    def get_source_files(self) -> list[str]:
        """What the sdist carries."""
        return sorted(str(path) for path in SOURCES.iterdir())


class Wheel(bdist_wheel):
    """A wheel for every Python; for one platform where it carries the library."""

    def get_tag(self) -> tuple[str, str, str]:
        """py3-none-PLATFORM, or py3-none-any without a library."""
        built = self.get_finalized_command("build_ext").has_library
        return "py3", "none", super().get_tag()[2] if built else "any"


class WithLibrary(Distribution):
    """A distribution that always runs `build_ext`."""

    def has_ext_modules(self) -> bool:
        """There is the library."""
        return True


if __name__ == "__main__":
    setup(
        cmdclass={"build_ext": BuildLibrary, "bdist_wheel": Wheel},
        distclass=WithLibrary,
        ext_modules=[Extension("rnnspec.engines.cpu._library", [str(SOURCES / "isa.c"), str(SOURCES / "main.c")])],
    )
