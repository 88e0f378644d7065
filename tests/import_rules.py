"""Which room of rnnspec may import which, and the two ways to check it: reading the source, and importing for real."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

GROUND = {"errors", "files", "merging", "registry", "shapes"}
LIBRARY = GROUND | {
    "config",
    "yaml",
    "yaml.load",
    "engines",
    "functional",
    "nn",
    "interop",
    "interop.keras",
    "factory",
    "describe",
}
# Rooms inside rooms, which stand on another floor.
INNER = ("yaml.load", "interop.keras")
# Every room and the rooms below it; a module counts to its longest match (`yaml.load` is a room of its own).
BELOW: dict[str, set[str]] = {
    "errors": set(),
    "files": GROUND,
    "merging": GROUND,
    "registry": GROUND,
    "shapes": GROUND,
    "config": GROUND,
    "yaml": GROUND,
    "yaml.load": GROUND | {"config", "yaml"},
    "engines": GROUND,
    "functional": GROUND | {"engines"},
    "nn": GROUND | {"engines"},
    "interop": GROUND | {"engines", "nn"},
    "factory": GROUND | {"config", "engines", "nn"},
    "describe": GROUND | {"config", "engines", "nn", "factory"},
    "interop.keras": GROUND | {"config", "yaml", "yaml.load", "engines", "nn", "factory", "describe", "interop"},
    "display": LIBRARY,
    # From here on everything public lies below, so `import rnnspec` leads downwards.
    "experiment": LIBRARY | {"", "display"},
    "cli": LIBRARY | {"", "display", "experiment"},
    "__main__": LIBRARY | {"", "display", "experiment", "cli"},
}
# What a config, a layer or a plan tells of itself is made further up, and loaded when it is asked for.
SANCTIONED = {
    ("rnnspec.config.base", "rnnspec.display.config_html"),
    ("rnnspec.config.base", "rnnspec.yaml.load"),
    ("rnnspec.engines.plan", "rnnspec.display.plan_html"),
    ("rnnspec.nn.given", "rnnspec.describe"),
    ("rnnspec.nn.given", "rnnspec.display.layer_html"),
}
# The libraries that a room stays free of, whatever it imports.
HEAVY = {"cattr", "cattrs", "h5py", "numpy", "pytorch_lightning", "ruamel", "torch"}
UNLOADED = {
    "": HEAVY | {"attr"},
    "errors": HEAVY | {"attr"},
    "files": HEAVY | {"attr"},
    "merging": HEAVY | {"attr"},
    "registry": HEAVY | {"attr"},
    "shapes": HEAVY | {"attr"},
    "config": HEAVY - {"cattr", "cattrs"},
    "yaml": HEAVY - {"ruamel"},
    "yaml.load": HEAVY - {"cattr", "cattrs", "ruamel"},
    "engines": {"cattr", "cattrs", "pytorch_lightning", "ruamel"},
    "functional": {"cattr", "cattrs", "pytorch_lightning", "ruamel"},
    "nn": {"cattr", "cattrs", "pytorch_lightning", "ruamel"},
    "interop": {"cattr", "cattrs", "pytorch_lightning", "ruamel"},
    "factory": {"pytorch_lightning"},
    "describe": {"pytorch_lightning"},
    "interop.keras": {"pytorch_lightning"},
    "cli": {"pytorch_lightning", "torch"},
}


def room_of(module: str) -> str:
    """The room of a module: `rnnspec.config.core` is in `config`; rnnspec itself is ``."""
    name = module.removeprefix("rnnspec").removeprefix(".")
    return next((inner for inner in INNER if name.startswith(inner)), name.partition(".")[0])


def modules(root: Path) -> dict[str, Path]:
    """Every module of the package under `root`, by its full name."""
    found = {}
    for path in sorted((root / "rnnspec").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: dict[str, Path], homes: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Yields the line and the module of every import of rnnspec in a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names if name.name.partition(".")[0] == "rnnspec")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "rnnspec":
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                # `from rnnspec import build` means the module that holds build.
                home = homes.get(name.name, "rnnspec") if node.module == "rnnspec" else str(node.module)
                yield node.lineno, inner if inner in known else home


def upward_imports(root: Path, homes: dict[str, str]) -> list[str]:
    """Reads the source: every import that does not lead downwards, as `file:line: room imports module`.

    Args:
        root: The folder that holds the package.
        homes: The lazy public names, each with its module.
    """
    known = modules(root)
    wrong = []
    for module, path in known.items():
        if module == "rnnspec":
            continue
        room = room_of(module)
        for line, target in imported(path, known, homes):
            if (module, target) in SANCTIONED:
                continue
            if room_of(target) != room and room_of(target) not in BELOW.get(room, set()):
                wrong.append(f"{path.relative_to(root)}:{line}: {room} imports {target}")
    return wrong


def loaded_by(names: list[str], root: Path = ROOT) -> set[str]:
    """Imports modules in a fresh process and tells which modules it then holds."""
    code = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(root), "COVERAGE_PROCESS_START": ""}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def loaded_wrongly(room: str, root: Path = ROOT) -> list[str]:
    """Imports a whole room in a fresh process: the libraries and rooms that got loaded and should not have been."""
    names = [name for name in modules(root) if room_of(name) == room]
    loaded = loaded_by(names, root)
    # `rnnspec.yaml` is also the package around `rnnspec.yaml.load`, and rnnspec the one around all.
    allowed = BELOW.get(room, set()) | {room, "", room.partition(".")[0]}
    rooms = {room_of(name) for name in loaded if name.partition(".")[0] == "rnnspec"}
    return sorted((loaded & UNLOADED.get(room, set())) | {f"rnnspec.{name}" for name in rooms - allowed})
