"""Initializers: how weights start. All of Keras 2.0's, under Polyaxon's and Keras's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from attrs import frozen

from rnnspec.config.base import Preset, TaggedConfig
from rnnspec.config.checks import DType, NonNegativeNumber, PositiveNumber, Seed
from rnnspec.config.tags import Registered, tagged
from rnnspec.errors import Problem
from rnnspec.registry import INITIALIZERS, Registry

__all__ = [
    "GLOROT_UNIFORM",
    "KERAS_UNIFORM",
    "ONES",
    "ORTHOGONAL",
    "ZEROS",
    "ConstantInitializerConfig",
    "GlorotNormalInitializerConfig",
    "GlorotUniformInitializerConfig",
    "HeNormalInitializerConfig",
    "HeUniformInitializerConfig",
    "IdentityInitializerConfig",
    "InitializerConfig",
    "InitializerLike",
    "LecunNormalInitializerConfig",
    "LecunUniformInitializerConfig",
    "NormalInitializerConfig",
    "OnesInitializerConfig",
    "OrthogonalInitializerConfig",
    "RegisteredInitializerConfig",
    "ScaledInitializerConfig",
    "TruncatedNormalInitializerConfig",
    "UniformInitializerConfig",
    "VarianceScalingInitializerConfig",
    "ZerosInitializerConfig",
]

UNIFORM_PRESET: Preset = ("Uniform", {"minval": -0.05, "maxval": 0.05})
NORMAL_PRESET: Preset = ("Normal", {"mean": 0.0, "stddev": 0.05})


class InitializerConfig(TaggedConfig):
    """The base of all initializers."""

    expected: ClassVar[str] = "an initializer"
    registry: ClassVar[Registry] = INITIALIZERS
    aliases: ClassVar[Mapping[str, Preset]] = {
        "zero": ("Zeros", {}),
        "zeros": ("Zeros", {}),
        "one": ("Ones", {}),
        "ones": ("Ones", {}),
        "constant": ("Constant", {}),
        "RandomUniform": UNIFORM_PRESET,
        "random_uniform": UNIFORM_PRESET,
        "uniform": UNIFORM_PRESET,
        "RandomNormal": NORMAL_PRESET,
        "random_normal": NORMAL_PRESET,
        "normal": NORMAL_PRESET,
        "truncated_normal": ("TruncatedNormal", {}),
        "variance_scaling": ("VarianceScaling", {}),
        "identity": ("Identity", {}),
        "orthogonal": ("Orthogonal", {}),
        "glorot_uniform": ("GlorotUniform", {}),
        "glorot_normal": ("GlorotNormal", {}),
        "he_uniform": ("HeUniform", {}),
        "he_normal": ("HeNormal", {}),
        "lecun_uniform": ("LecunUniform", {}),
        "lecun_normal": ("LecunNormal", {}),
    }

    @classmethod
    def from_users_tag(cls, tag: str, arguments: Mapping[str, Any]) -> TaggedConfig:
        """Makes the config of an initializer that a user registered."""
        return RegisteredInitializerConfig(tag, arguments)


InitializerLike = Annotated[InitializerConfig | str | Mapping[str, Any], tagged(InitializerConfig)]


class RegisteredInitializerConfig(Registered, InitializerConfig):
    """An initializer that a user registered with `rnnspec.register.initializer`; see `Registered`."""

    works_on_weight: ClassVar[bool] = True


@frozen(slots=False, eq=False, repr=False)
class ZerosInitializerConfig(InitializerConfig):
    """All zeros.

    Args:
        dtype: Accepted; the layer's dtype wins, and a different one is reported as a `ConfigWarning`.
    """

    identifier: ClassVar[str] = "Zeros"

    dtype: DType | None = None


@frozen(slots=False, eq=False, repr=False)
class OnesInitializerConfig(InitializerConfig):
    """All ones.

    Args:
        dtype: Accepted; the layer's dtype wins, and a different one is reported as a `ConfigWarning`.
    """

    identifier: ClassVar[str] = "Ones"

    dtype: DType | None = None


@frozen(slots=False, eq=False, repr=False)
class ConstantInitializerConfig(InitializerConfig):
    """One value everywhere.

    Args:
        value: The value.
        dtype: Accepted; the layer's dtype wins, and a different one is reported as a `ConfigWarning`.
    """

    identifier: ClassVar[str] = "Constant"

    value: float = 0.0
    dtype: DType | None = None


@frozen(slots=False, eq=False, repr=False)
class UniformInitializerConfig(InitializerConfig):
    """Evenly distributed values.

    The name `Uniform` has Polyaxon's defaults; `RandomUniform`, `random_uniform` and `uniform` have Keras's, -0.05 and
    0.05.

    Args:
        minval: Lower bound.
        maxval: Upper bound, not below `minval`.
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
        dtype: Accepted; the layer's dtype wins, and a different one is reported as a `ConfigWarning`.
    """

    identifier: ClassVar[str] = "Uniform"

    minval: float = 0.0
    maxval: float = 1.0
    seed: Seed = None
    dtype: DType | None = None

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that the bounds are in order."""
        low, high = values.get("minval"), values.get("maxval")
        if low is None or high is None or low <= high:
            return []
        return [Problem(f"maxval must not be below minval, found {high} and {low}", ("maxval",))]


@frozen(slots=False, eq=False, repr=False)
class NormalInitializerConfig(InitializerConfig):
    """Normally distributed values.

    The name `Normal` has Polyaxon's defaults; `RandomNormal`, `random_normal` and `normal` have Keras's stddev, 0.05.

    Args:
        mean: Mean.
        stddev: Standard deviation, 0 or more.
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
        dtype: Accepted; the layer's dtype wins, and a different one is reported as a `ConfigWarning`.
    """

    identifier: ClassVar[str] = "Normal"

    mean: float = 0.0
    stddev: NonNegativeNumber = 1.0
    seed: Seed = None
    dtype: DType | None = None


@frozen(slots=False, eq=False, repr=False)
class TruncatedNormalInitializerConfig(InitializerConfig):
    """Normally distributed values; those beyond two standard deviations are drawn again.

    Args:
        mean: Mean.
        stddev: Standard deviation before the truncation, 0 or more.
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
        dtype: Accepted; the layer's dtype wins, and a different one is reported as a `ConfigWarning`.
    """

    identifier: ClassVar[str] = "TruncatedNormal"

    mean: float = 0.0
    stddev: NonNegativeNumber = 0.05
    seed: Seed = None
    dtype: DType | None = None


@frozen(slots=False, eq=False, repr=False)
class VarianceScalingInitializerConfig(InitializerConfig):
    """Values whose spread follows the size of the weight: their variance is `scale / n`.

    The normal distribution is truncated at two standard deviations and not corrected for it, as in Keras 2.0.8.

    Args:
        scale: Factor, positive.
        mode: What n is: the rows of the whole matrix (`fan_in`), its columns (`fan_out`), or their mean (`fan_avg`).
        distribution: `normal` or `uniform`.
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
        dtype: Accepted; the layer's dtype wins, and a different one is reported as a `ConfigWarning`.
    """

    identifier: ClassVar[str] = "VarianceScaling"

    scale: PositiveNumber = 1.0
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["normal", "uniform"] = "normal"
    seed: Seed = None
    dtype: DType | None = None


@frozen(slots=False, eq=False, repr=False)
class IdentityInitializerConfig(InitializerConfig):
    """The identity matrix; for square weights only (SimpleRNN's recurrent kernel).

    Args:
        gain: Factor.
    """

    identifier: ClassVar[str] = "Identity"

    gain: float = 1.0


@frozen(slots=False, eq=False, repr=False)
class OrthogonalInitializerConfig(InitializerConfig):
    """A matrix with orthonormal rows or columns, over the whole matrix of all gates (Saxe et al., 2014).

    Args:
        gain: Factor.
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
        dtype: Accepted; the layer's dtype wins, and a different one is reported as a `ConfigWarning`.
    """

    identifier: ClassVar[str] = "Orthogonal"

    gain: float = 1.0
    seed: Seed = None
    dtype: DType | None = None


@frozen(slots=False, eq=False, repr=False)
class ScaledInitializerConfig(InitializerConfig):
    """The base of initializers whose spread follows the size of the weight and has no further arguments.

    Args:
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
    """

    seed: Seed = None


class GlorotUniformInitializerConfig(ScaledInitializerConfig):
    """Evenly distributed up to sqrt(6 / (fan_in + fan_out)), over the whole matrix (Glorot and Bengio, 2010).

    Args:
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
    """

    identifier: ClassVar[str] = "GlorotUniform"


class GlorotNormalInitializerConfig(ScaledInitializerConfig):
    """Truncated normal with stddev sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    Args:
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
    """

    identifier: ClassVar[str] = "GlorotNormal"


class HeUniformInitializerConfig(ScaledInitializerConfig):
    """Evenly distributed up to sqrt(6 / fan_in) (He et al., 2015).

    Args:
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
    """

    identifier: ClassVar[str] = "HeUniform"


class HeNormalInitializerConfig(ScaledInitializerConfig):
    """Truncated normal with stddev sqrt(2 / fan_in) (He et al., 2015).

    Args:
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
    """

    identifier: ClassVar[str] = "HeNormal"


class LecunUniformInitializerConfig(ScaledInitializerConfig):
    """Evenly distributed up to sqrt(3 / fan_in) (LeCun et al., 1998).

    Args:
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
    """

    identifier: ClassVar[str] = "LecunUniform"


class LecunNormalInitializerConfig(ScaledInitializerConfig):
    """Truncated normal with stddev sqrt(1 / fan_in) (Klambauer et al., 2017).

    Args:
        seed: Makes the numbers reproducible on their own, whatever was drawn before.
    """

    identifier: ClassVar[str] = "LecunNormal"


# The defaults of the layers.
GLOROT_UNIFORM = GlorotUniformInitializerConfig()
ORTHOGONAL = OrthogonalInitializerConfig()
ZEROS = ZerosInitializerConfig()
ONES = OnesInitializerConfig()
KERAS_UNIFORM = UniformInitializerConfig(-0.05, 0.05)
