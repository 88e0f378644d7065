"""Which Keras wrote a model, and what follows from it for the meaning of names and of absent arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rnnspec.errors import ConfigError, Problem
from rnnspec.interop.keras.parts import GATES

__all__ = ["Dialect", "dialect_of", "parse_version"]


# Keys of a layer's configuration that one generation of Keras alone writes.
FIRST = {"inner_activation", "inner_init", "consume_less", "W_regularizer", "nb_filter", "forget_bias_init"}
SECOND = {"implementation", "time_major", "batch_input_shape"}
THIRD = {"batch_shape"}

GIVE_VERSION = "give it: from_keras(..., keras_version='2.2.4'), or --keras-version 2.2.4"


@dataclass(frozen=True)
class Dialect:
    """The Keras that wrote a model.

    Attributes:
        file: The file's name, for messages.
        generation: 1, 2 or 3; None where nothing tells.
        version: The version as numbers, `(2, 2, 4)`; None where only the layout tells.
        text: The version as it is written, `2.2.4-tf`; `1`, `2` or `3` by the layout.
        source: Where it comes from, in words.
        backend: The backend, where it is known.
    """

    file: str
    generation: int | None
    version: tuple[int, int, int] | None
    text: str | None
    source: str
    backend: str | None = None

    def ask(self, what: str, why: str) -> ConfigError:
        """The error where a version is needed and nothing tells it.

        Args:
            what: What cannot be decided.
            why: How it differs between versions.

        Returns:
            The error.
        """
        message = f"the file does not tell which Keras wrote it, so {what} is not known: {why}"
        return ConfigError(Problem(message, file=self.file, hint=GIVE_VERSION))

    @property
    def hard_sigmoid(self) -> str:
        """Our name of what this Keras calls `hard_sigmoid`."""
        if self.generation is None:
            raise self.ask("hard_sigmoid", "clip(0.2 x + 0.5, 0, 1) before Keras 3, relu6(x + 3) / 6 since")
        return "hard_sigmoid_keras3" if self.generation == 3 else "hard_sigmoid"

    @property
    def masked_start(self) -> str | None:
        """What a masked step before the first valid one emits; None where the version must tell, and does not."""
        if self.backend == "theano" or self.generation == 3:
            return "zeros"
        if self.generation == 1:
            return "state"
        if self.version is None:
            return None
        return "zeros" if self.version >= (2, 2, 5) else "state"

    @property
    def bidirectional_zeros(self) -> bool:
        """Whether Bidirectional layers with return_sequences emit zeros at masked steps: since TensorFlow 1.14."""
        if self.generation != 2:
            return self.generation == 3
        return (self.version or (0,)) >= ((2, 2, 4) if str(self.text).endswith("-tf") else (2, 4, 0))

    @property
    def implementation(self) -> int:
        """How many dropout masks a recurrent layer of Keras 3 draws: one a gate since 3.8 (1), else one for all (2)."""
        return 2 if self.version is not None and self.version < (3, 8) else 1

    def absent(self, name: str) -> Any:
        """What an argument of a recurrent layer is that the file does not give: the writer's default.

        Args:
            name: `recurrent_activation` or `reset_after`.

        Returns:
            The value, in the file's words.

        Raises:
            ConfigError: If versions differ in it, and the file does not tell its own.
        """
        later = self.generation == 3 or (self.version is not None and self.version >= (2, 4, 0))
        if name == "reset_after":
            known = later or self.generation == 1 or self.version is not None
            value: Any = later
        else:
            later = later or (self.version is not None and self.version >= (2, 3, 0))
            known = later or self.generation == 1 or (self.version is not None and not str(self.text).endswith("-tf"))
            value = "sigmoid" if later else "hard_sigmoid"
        if not known:
            raise self.ask(f"the default of {name}", "it changed with Keras 2.3 and TensorFlow 2")
        return value


def parse_version(text: Any, file: str) -> tuple[int, int, int]:
    """Reads a version.

    Args:
        text: `2.2.4`, `2.2.4-tf`, `3`.
        file: The file's name, for messages.

    Returns:
        Its numbers.

    Raises:
        ConfigError: If it is none from 1 to 3.
    """
    found = re.match(r"(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?", text) if isinstance(text, str) else None
    if found is None or found[1] not in ("1", "2", "3"):
        message = f"the version of Keras must be one from 1.0 to 3, such as '2.2.4', found {text!r:.60}"
        raise ConfigError(Problem(message, file=file, hint="from_keras(..., keras_version='2.2.4') says another one"))
    major, minor, patch = (int(part or 0) for part in found.groups())
    return major, minor, patch


def dialect_of(
    config: Mapping[str, Any], file: str, told: tuple[str, str] | None, given: str | None, backend: str | None
) -> Dialect:
    """Decides which Keras wrote a model.

    Args:
        config: Its configuration.
        file: The file's name, for messages.
        told: The version that the file tells, and where; None where it tells none.
        given: The version that the user gives; it wins.
        backend: The backend, where it is known.

    Returns:
        The dialect.

    Raises:
        ConfigError: If a version is none.
    """
    if given is not None:
        told = (given, "given as keras_version")
    if told is not None:
        text, source = told
        version = parse_version(text, file)
        return Dialect(file, version[0], version, text, source, backend)
    found = set(_generations(config))
    generation = found.pop() if len(found) == 1 else None
    return Dialect(
        file,
        generation,
        None,
        None if generation is None else str(generation),
        "by the layout of the configuration",
        backend,
    )


def _generations(config: Any) -> Iterator[int]:
    """The generations of Keras that keys in a configuration speak for."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            arguments = value.get("config")
            keys = set(arguments) if isinstance(arguments, dict) else set()
            recurrent = value.get("class_name") in [*GATES]  # it may be anything, what has no hash too
            if keys & FIRST or (recurrent and "output_dim" in keys):
                yield 1
            elif keys & SECOND:
                yield 2
            elif keys & THIRD or value.get("class_name") in ("__keras_tensor__", "DTypePolicy"):
                yield 3
