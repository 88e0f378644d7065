"""rnnspec: recurrent layers with Keras 2.0.8's exact behaviour, from YAML or Python to PyTorch modules.

The names below are loaded when they are first used (PEP 562): `import rnnspec` loads no torch, no ruamel and no cattrs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnspec import config as config, functional as functional, nn as nn
    from rnnspec.config import (
        ExperimentConfig as ExperimentConfig,
        GraphConfig as GraphConfig,
        GRUConfig as GRUConfig,
        LSTMConfig as LSTMConfig,
        RecurrentConfig as RecurrentConfig,
        RNNConfig as RNNConfig,
        SequentialConfig as SequentialConfig,
        SimpleRNNConfig as SimpleRNNConfig,
    )
    from rnnspec.config.convert import from_dict as from_dict
    from rnnspec.describe import config_of as config_of
    from rnnspec.display import plot as plot
    from rnnspec.engines.cells import Cell as Cell, ExtraWeight as ExtraWeight
    from rnnspec.engines.plan import use_engine as use_engine
    from rnnspec.errors import (
        ConfigError as ConfigError,
        ConfigWarning as ConfigWarning,
        DataError as DataError,
        DTypeError as DTypeError,
        EngineError as EngineError,
        Error as Error,
        MaskError as MaskError,
        ShapeError as ShapeError,
        StateError as StateError,
        WeightsError as WeightsError,
    )
    from rnnspec.factory import build as build
    from rnnspec.interop.keras.reading import from_keras as from_keras
    from rnnspec.interop.keras.writing.saving import to_keras as to_keras
    from rnnspec.interop.torch_reading import from_torch as from_torch
    from rnnspec.interop.torch_writing import to_torch as to_torch
    from rnnspec.interop.weights import load_weights as load_weights, save_weights as save_weights
    from rnnspec.nn.dropout import dropout_masks as dropout_masks
    from rnnspec.nn.recording import record as record
    from rnnspec.nn.truncated import tbptt as tbptt
    from rnnspec.registry import register as register
    from rnnspec.yaml.load import dump as dump, load as load, loads as loads

__version__ = "0.1.0"

# Every public name and the module that holds it; a submodule stands for itself. The block above is the twin that
# editors and type checkers read (`as` marks what is public there).
_MODULE_OF = {
    "Cell": "rnnspec.engines.cells",
    "ConfigError": "rnnspec.errors",
    "ConfigWarning": "rnnspec.errors",
    "DTypeError": "rnnspec.errors",
    "DataError": "rnnspec.errors",
    "EngineError": "rnnspec.errors",
    "Error": "rnnspec.errors",
    "ExperimentConfig": "rnnspec.config",
    "ExtraWeight": "rnnspec.engines.cells",
    "GRUConfig": "rnnspec.config",
    "GraphConfig": "rnnspec.config",
    "LSTMConfig": "rnnspec.config",
    "MaskError": "rnnspec.errors",
    "RNNConfig": "rnnspec.config",
    "RecurrentConfig": "rnnspec.config",
    "SequentialConfig": "rnnspec.config",
    "ShapeError": "rnnspec.errors",
    "SimpleRNNConfig": "rnnspec.config",
    "StateError": "rnnspec.errors",
    "WeightsError": "rnnspec.errors",
    "build": "rnnspec.factory",
    "config": "rnnspec.config",
    "config_of": "rnnspec.describe",
    "dropout_masks": "rnnspec.nn.dropout",
    "dump": "rnnspec.yaml.load",
    "from_dict": "rnnspec.config.convert",
    "from_keras": "rnnspec.interop.keras.reading",
    "from_torch": "rnnspec.interop.torch_reading",
    "functional": "rnnspec.functional",
    "load": "rnnspec.yaml.load",
    "load_weights": "rnnspec.interop.weights",
    "loads": "rnnspec.yaml.load",
    "nn": "rnnspec.nn",
    "plot": "rnnspec.display",
    "record": "rnnspec.nn.recording",
    "register": "rnnspec.registry",
    "save_weights": "rnnspec.interop.weights",
    "tbptt": "rnnspec.nn.truncated",
    "to_keras": "rnnspec.interop.keras.writing.saving",
    "to_torch": "rnnspec.interop.torch_writing",
    "use_engine": "rnnspec.engines.plan",
}

__all__ = [*_MODULE_OF, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'rnnspec' has no attribute '{name}'")
    # As `from module import name` does it: a name that the module lacks may be a module inside it.
    module = __import__(_MODULE_OF[name], fromlist=[name])
    found = module if module.__name__ == f"rnnspec.{name}" else getattr(module, name)
    # Kept, so that the next use costs no lookup here.
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
