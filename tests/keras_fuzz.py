"""Tries damaged files of Keras in processes of their own, which may die or hang without harm to this one.

`python tests/keras_fuzz.py 0 30000` tries the cases 0 to 29999 and prints what came of them.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from keras_damage import KINDS, damaged

SECONDS = 30
"""A case that takes longer hangs."""
READY = "ready"
BYTES = 2**30
"""What a process may take beside what it has when it begins."""


def tried(path: Path, weights: Path | None) -> tuple[str, str]:
    """What comes of a file: `loaded`, `refused` with the message, or `failed` with what went wrong."""
    import rnnspec

    try:
        model: Any = rnnspec.from_keras(path, weights, device="cpu")
    except rnnspec.Error as error:
        text, named = (
            str(error),
            all(problem.file and _names(problem.file, path, weights) for problem in error.problems),
        )
        came = "refused"
    except Exception:
        return "failed", traceback.format_exc()
    else:
        text, came = str(model.report), "loaded"
        named = _names(text, path, weights)
    lines = text.splitlines()
    printable = text.replace("\n", "").isprintable()
    if not (named and printable and len(lines) < 500 and max(map(len, lines), default=0) < 1500):
        return "failed", f"a poor message: {text[:2000]!r}"
    return came, lines[0].replace(f"{path.parent}/", "")


def _names(text: str, path: Path, weights: Path | None) -> bool:
    return any(str(one) in text for one in (path, weights))


def say(line: str) -> None:
    """Prints a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def worker(first: int, last: int) -> None:
    """Tries cases and prints a line for each."""
    import torch

    import rnnspec

    rnnspec.from_keras  # noqa: B018  # loaded here, it takes no memory of the first case's
    torch.set_num_threads(1)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + BYTES,) * 2)
    say(READY)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, last):
            try:
                case = damaged(number, Path(folder))
            except (TypeError, ValueError, OSError, KeyError, RuntimeError) as error:  # h5py cannot write such a file
                say(json.dumps([number, "unwritten", repr(error), 0.0, 0]))
                continue
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            begin = time.perf_counter()
            came, told = tried(*case)
            seconds = time.perf_counter() - begin
            faulthandler.cancel_dump_traceback_later()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            say(json.dumps([number, came, f"{case[0].name}: {told}", seconds, peak]))
            for left in Path(folder).iterdir():
                left.unlink()


def run(first: int, last: int) -> list[list[Any]]:
    """Tries the cases from `first` to `last`, in a new process after one that died.

    Args:
        first: The first case.
        last: The one after the last.

    Returns:
        For each case its number, what came of it, what was told, the seconds, and the process's peak memory in KiB.
    """
    found: list[list[Any]] = []
    while first < last:
        command = [sys.executable, "-W", "error", __file__, "--worker", str(first), str(last)]
        here = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **here})
        ready, *written = ran.stdout.splitlines() or [""]
        if ready != READY:
            raise AssertionError(ran.stderr)
        lines = [json.loads(line) for line in written]
        found += lines
        first = lines[-1][0] + 1 if lines else first
        if ran.returncode:
            found.append([first, "died", f"exit code {ran.returncode}: {ran.stderr[-3000:]}", 0.0, 0])
            first += 1
    return found


def main(first: str, last: str) -> None:
    """Prints what came of many cases."""
    found = run(int(first), int(last))
    for kind in range(len(KINDS)):
        lines = [line for line in found if line[0] % len(KINDS) == kind]
        came = ", ".join(f"{count} {name}" for name, count in Counter(line[1] for line in lines).items())
        say(f"{KINDS[kind]}: {came}; the longest took {max(line[3] for line in lines):.2f} s")
    peaks = [line[4] // 1024 for line in found if line[4]]
    say(f"peak memory of the processes: {min(peaks)} to {max(peaks)} MiB")
    for number, came, told, seconds, _ in found:
        if came in ("failed", "died") or seconds > 2:
            say(f"--- {number} {came} {seconds:.1f} s\n{told}")


if __name__ == "__main__":
    if sys.argv[1] == "--worker":
        worker(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main(*sys.argv[1:])
