"""Random calls of the C library under sanitizers: `python tests/sanitizers.py --calls 100000`.

The same on another machine's instructions, NEON for one, which qemu-user stands in for:

    CC=aarch64-linux-gnu-gcc ASAN_OPTIONS=detect_leaks=0 python tests/sanitizers.py \\
        --runner "qemu-aarch64 -L /usr/aarch64-linux-gnu"
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shlex
import subprocess
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
DRIVER = ROOT / "tests" / "sanitize" / "random_calls.c"
SANITIZERS = "address,undefined"


def flags_of(sanitizers: str) -> list[str]:
    """What the compiler is told; a finding ends the run."""
    return ["-O1", "-g", f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]


def compiler() -> list[str]:
    """The C compiler's command."""
    return shlex.split(os.environ.get("CC") or "cc")


def has_sanitizers(folder: Path, sanitizers: str = SANITIZERS) -> bool:
    """Whether the compiler makes a program with these sanitizers, and the machine runs it."""
    source, program = folder / "empty.c", folder / "empty"
    source.write_text("int main(void) { return 0; }\n")
    made = [*compiler(), *flags_of(sanitizers), str(source), "-o", str(program)]
    try:
        return all(subprocess.run(command, capture_output=True).returncode == 0 for command in (made, [str(program)]))
    except OSError:
        return False


def setup_module() -> ModuleType:
    """The module setup.py, which knows how the library is compiled.

    For a process of its own: setuptools puts a folder into `sys.path`, and breaks where a test takes it out again.
    """
    spec = importlib.util.spec_from_file_location("rnnspec_setup", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(folder: Path, sanitizers: str = SANITIZERS) -> list[str]:
    """Builds the library and the program that calls it.

    Args:
        folder: Where to.
        sanitizers: What `-fsanitize=` names.

    Returns:
        The program and the library: the command that runs it, but for the seed and the count of calls.
    """
    flags = flags_of(sanitizers)
    setup = setup_module()
    setup.FLAGS.extend(flags)
    # The code of AVX-512, its panels, tiles and chunks, in instructions that every machine has.
    setup.INSTRUCTION_SETS["avx512"] = ["-D__AVX512F__", "-Wno-psabi"]
    library, program = folder / "library.so", folder / "random_calls"
    setup.compile_library(library, folder / "objects")
    source = ["-std=gnu11", "-Wall", "-Wextra", "-rdynamic", f"-I{ROOT / setup.SOURCES}", str(DRIVER)]
    subprocess.run([*compiler(), *flags, *source, "-o", str(program), "-lm", "-lpthread", "-ldl"], check=True)
    return [str(program), str(library)]


def main() -> None:
    """Builds and runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "sanitizers", help="where it is built")
    parser.add_argument("--sanitizers", default=SANITIZERS, help="what -fsanitize= names; default: %(default)s")
    parser.add_argument("--runner", default="", help="what runs a program of another machine: qemu-aarch64 -L ...")
    words = parser.parse_args()
    os.chdir(ROOT)
    command = [*shlex.split(words.runner), *build(words.folder, words.sanitizers)]
    raise SystemExit(subprocess.run([*command, str(words.seed), str(words.calls)]).returncode)


if __name__ == "__main__":
    main()
