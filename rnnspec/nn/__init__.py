"""The torch modules: recurrent layers, the layers around them, containers. They take plain Python arguments."""

from rnnspec.nn.advanced_activations import ELU, LeakyReLU, PReLU, ThresholdedReLU
from rnnspec.nn.containers import Sequential
from rnnspec.nn.core import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Input,
    Masking,
    SpatialDropout1D,
)
from rnnspec.nn.embeddings import Embedding
from rnnspec.nn.functions import Lambda
from rnnspec.nn.one_step import GRUCell, LSTMCell, SimpleRNNCell
from rnnspec.nn.recurrent import GRU, LSTM, RNN, SimpleRNN
from rnnspec.nn.reshaping import Flatten, Permute, RepeatVector, Reshape
from rnnspec.nn.wrappers import Bidirectional, TimeDistributed

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "Input",
    "LSTMCell",
    "Lambda",
    "LeakyReLU",
    "Masking",
    "PReLU",
    "Permute",
    "RepeatVector",
    "Reshape",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "SpatialDropout1D",
    "ThresholdedReLU",
    "TimeDistributed",
]
