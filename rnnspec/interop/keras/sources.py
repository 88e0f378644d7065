"""What a file of Keras is, told by its content, and what is in it: architecture, version, weights."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnspec.errors import ConfigError, Error, Problem
from rnnspec.interop.keras import archive, hdf5
from rnnspec.interop.keras.hdf5 import Group
from rnnspec.interop.keras.kinds import MAX_HEAD, MAX_TEXT, is_hdf5, is_zip
from rnnspec.interop.keras.texts import KINDS, check_size, parse_json, parse_yaml

__all__ = ["CONTAINERS", "Source", "StoredWeights", "open_source", "require_h5py"]

CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
"""What the group with the layers is called in files whose groups are numbered by class: since 2.13, and in 2.12."""


@dataclass
class StoredWeights:
    """The weights in a file.

    Attributes:
        root: The group that holds them.
        file: The file's name, for messages.
        named: Whether groups have the layers' names (`layer_names`, `weight_names`), else they are numbered by class.
        keras_version: The version that wrote them, if they tell.
        backend: The backend that wrote them, if they tell.
    """

    root: Group
    file: str
    named: bool
    keras_version: str | None = None
    backend: str | None = None

    @property
    def likely_backend(self) -> str | None:
        """Keras 1 does not tell its backend, but names of TensorFlow's variables end in `:0`, and Theano's do not."""
        if not self.named or (self.keras_version is not None and not self.keras_version.startswith("1.")):
            return self.backend
        names = [array.name for array in self.root.all_arrays()]
        return self.backend or (
            "tensorflow" if any(name.endswith(":0") for name in names) else "theano" if names else None
        )

    @property
    def layout(self) -> str:
        """The layout in words."""
        return "groups with the layers' names" if self.named else "groups numbered by class"


@dataclass
class Source:
    """What a file holds.

    Attributes:
        file: The file's name as the user gave it.
        kind: What it is, in words.
        config: The architecture: `class_name` and `config`; None in a file of weights.
        keras_version: The version that the file tells, and where; None where it tells none.
        backend: The backend that the file tells.
        weights: The weights; None in a text.
        left_out: What else is in the file and is not read, in words.
        marks: The layers that `to_keras` wrote with scaled weights, where the file tells of any.
    """

    file: str
    kind: str
    config: dict[str, Any] | None = None
    keras_version: tuple[str, str] | None = None
    backend: str | None = None
    weights: StoredWeights | None = None
    left_out: list[str] = field(default_factory=list)
    marks: Any = None


def open_source(path: str | os.PathLike[str]) -> Source:
    """Reads a file of Keras, whatever its name ends in.

    Args:
        path: The file.

    Returns:
        What it holds.

    Raises:
        ConfigError: If there is no such file, or it is none of Keras, or damaged.
    """
    file = os.fspath(path)
    try:
        size = os.stat(path).st_size
        with Path(path).open("rb") as opened:
            head = opened.read(MAX_HEAD)
    except OSError as error:
        raise ConfigError(Problem(f"the file cannot be read: {error.strerror}", file=file, hint=KINDS)) from None
    require_h5py("reading")
    if is_hdf5(head):
        return _hdf5_source(path, file, size)
    if is_zip(head):
        return _archive_source(path, file)
    if not head.strip():
        raise ConfigError(Problem("the file is empty", file=file, hint=KINDS))
    check_size(size, file, "the file")
    with Path(path).open("rb") as opened:
        return _text_source(opened.read(MAX_TEXT + 1), file)


def require_h5py(doing: str) -> None:
    """Asks for what files of Keras need.

    Args:
        doing: What is done, for the message: `reading`.

    Raises:
        Error: If h5py or NumPy is not installed.
    """
    try:
        import h5py  # noqa: F401
        import numpy  # noqa: F401
    except ImportError:
        message = f"{doing} files of Keras needs h5py and numpy, which are not installed"
        raise Error(Problem(message, hint="pip install 'rnnspec[keras]'")) from None


def _text_source(text: bytes, file: str) -> Source:
    if text.lstrip().startswith(b"{"):
        kind, config = "a JSON text", parse_json(text, file, "the file")
    else:
        kind, config = "a YAML text", parse_yaml(text, file)
    if not {"class_name", "config"} <= config.keys():
        message = f"{kind} without class_name and config is no model of Keras"
        raise ConfigError(Problem(message, file=file, hint=KINDS))
    version = config.get("keras_version")
    told = (version, f"by keras_version in {kind.removeprefix('a ')}") if isinstance(version, str) else None
    return Source(file, kind, config, told, _text(config.get("backend")))


def _archive_source(path: str | os.PathLike[str], file: str) -> Source:
    found = archive.read_archive(path, file)
    version = found.metadata.get("keras_version")
    told = (version, "by its metadata.json") if isinstance(version, str) else None
    weights = StoredWeights(found.weights, f"{file}/{archive.WEIGHTS}", named=False)
    left_out = [f"the entry '{name}' of the archive" for name in found.others]
    if "compile_config" in found.config:
        left_out.append("the training configuration (optimizer, loss, metrics)")
    if "optimizer" in found.weights.groups:
        left_out.append("the optimizer's variables")
    marks = found.metadata.get(archive.MARK)
    return Source(file, "a .keras archive", found.config, told, None, weights, left_out, marks)


def _hdf5_source(path: str | os.PathLike[str], file: str, size: int) -> Source:
    root = hdf5.read_group(path, file, size)
    weights = _stored(root, file)
    version = root.attributes.get("keras_version") or weights.keras_version
    told = (str(version), "by its attribute keras_version") if version else None
    source = Source(file, "a file of weights", None, told, weights.backend, weights)
    if "optimizer_weights" in root.groups or "optimizer" in root.groups:
        source.left_out.append("the optimizer's variables")
    if "training_config" in root.attributes:
        source.left_out.append("the training configuration (optimizer, loss, metrics)")
    config = root.attributes.get("model_config")
    if config is not None:
        source.kind = "a whole model in HDF5"
        source.config = parse_json(str(config), file, "the attribute model_config")
    return source


def _stored(root: Group, file: str) -> StoredWeights:
    """The weights in an HDF5 file of any kind."""
    for group in (root, root.groups.get("model_weights")):
        if group is not None and "layer_names" in group.attributes:
            facts = {**root.attributes, **group.attributes}
            return StoredWeights(group, file, True, _text(facts.get("keras_version")), _text(facts.get("backend")))
    if any(name in root.groups for name in CONTAINERS):
        return StoredWeights(root, file, False, None, None)
    hint = "a file of Keras has the attribute layer_names, or the group layers or _layer_checkpoint_dependencies"
    raise ConfigError(Problem("the HDF5 file holds no weights of Keras", file=file, hint=hint))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
