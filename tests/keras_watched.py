"""Reads files of Keras in a process that is watched: what it opens, runs and imports, its memory and its time.

`python tests/keras_watched.py` takes a JSON list of `[path, weights, secret]` and prints a line for each file.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BYTES = 2**30
"""What reading a file may take, in addresses: past that, the process gets no memory."""
SECONDS = 60
IN_OPEN = 0x20
# What Python tells of all it does that may matter: anything but these is nothing that a file could ask for.
TELLING = ("open", "exec", "compile", "import", "subprocess.", "os.", "socket.", "marshal.", "pickle.", "ctypes.",
           "shutil.", "tempfile.", "mmap.", "code.", "urllib.")  # fmt: skip
HARMLESS = "os.scandir"  # ruamel.yaml looks for plug-ins in its own folder


@dataclass
class Outcome:
    """What came of a file.

    Attributes:
        came: `loaded`, `refused`, or `failed` with another error than ours.
        told: The report, the message, or the traceback.
        events: What Python did meanwhile beside opening the given files.
        peeked: Whether the secret was opened, by whatever library.
        seconds: How long it took, in the processor's time.
        mebibytes: By how much the peak of the resident memory grew.
    """

    came: str
    told: str
    events: list[str]
    peeked: bool
    seconds: float
    mebibytes: int


def watched(cases: list[tuple[Path, Path | None, Path]]) -> list[Outcome]:
    """Reads files, each in a process of its own with bounded memory and time.

    Args:
        cases: The file, that of the weights, and a file that must not be opened.

    Returns:
        What came of each.
    """
    given = json.dumps([[str(one and one.resolve()) if one else None for one in case] for case in cases])
    here = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    ran = subprocess.run(
        [sys.executable, "-W", "error", __file__],
        input=given,
        capture_output=True,
        text=True,
        env={**os.environ, **here},
    )
    assert ran.returncode == 0, ran.stderr
    return [Outcome(**json.loads(line)) for line in ran.stdout.splitlines()]


def peak() -> int:
    """The peak of the resident memory, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


class Alarm:
    """Tells whether a file was opened, by Python or by a library."""

    def __init__(self, path: str) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.queue = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self.queue, path.encode(), IN_OPEN) >= 0, os.strerror(ctypes.get_errno())

    def rang(self) -> bool:
        """Whether it was opened since the last call."""
        try:
            return bool(os.read(self.queue, 4096))
        except BlockingIOError:
            return False


def read(path: str, weights: str | None, secret: str) -> dict[str, Any]:
    """Reads one file in this process, and tells what it did."""
    import rnnspec

    alarm, events, allowed, looking = Alarm(secret), [], {path, weights}, True

    def listen(event: str, arguments: tuple[Any, ...]) -> None:
        known = event == "open" and str(arguments[0]) in allowed and arguments[1] in ("rb", "r")
        if looking and event.startswith(TELLING) and event != HARMLESS and not known:
            events.append(f"{event} {arguments!r:.200}")

    before, begin = peak(), time.process_time()
    sys.addaudithook(listen)
    try:
        told, came = str(rnnspec.from_keras(path, weights, device="cpu").report), "loaded"
    except rnnspec.Error as error:
        told, came = str(error), "refused"
    except Exception:
        told, came = traceback.format_exc(), "failed"
    looking = False
    peeked, seconds = alarm.rang(), time.process_time() - begin
    with Path(secret).open():
        assert alarm.rang()
    return {
        "came": came, "told": told, "events": events, "peeked": peeked, "seconds": seconds, "mebibytes": peak() - before
    }  # fmt: skip


def prepare() -> None:
    """Reads harmless files with the same layers: what is imported and compiled at first use is no file's doing."""
    import torch
    from keras_cases import FILES
    from keras_hostile_files import INPUT, described, layer

    import rnnspec

    torch.set_num_threads(1)
    for name in ("k208-seq2seq.h5", "k3151-seq2seq.keras", "tf215-bn.keras"):
        rnnspec.from_keras(FILES / name, device="cpu")
    rnnspec.loads("Dense: {units: 3}")
    longer = (
        layer("ZeroPadding1D", padding=1),
        layer("UpSampling1D", size=2),
        layer("Flatten"),
        layer("RepeatVector", n=2),
    )
    with tempfile.TemporaryDirectory() as folder:
        path, _ = described(Path(folder), INPUT, layer("Masking", mask_value=0.0))
        rnnspec.from_keras(path, device="cpu")
        path, _ = described(Path(folder), INPUT, *longer)
        rnnspec.from_keras(path, device="cpu")


def main() -> None:
    """Reads the files that are named on the standard input, each in a fork that has all loaded."""
    prepare()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    for path, weights, secret in json.load(sys.stdin):
        sys.stdout.flush()
        if child := os.fork():
            assert os.waitpid(child, 0)[1] == 0, path
            continue
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + BYTES,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        sys.stdout.write(json.dumps(read(path, weights, secret)) + "\n")
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
