"""The torch modules: recurrent layers, the layers around them, containers. They take plain Python arguments."""

from rnnspec.nn.containers import Sequential
from rnnspec.nn.core import Activation, Dense, Dropout, Flatten, Input, Masking
from rnnspec.nn.embeddings import Embedding
from rnnspec.nn.one_step import GRUCell, LSTMCell, SimpleRNNCell
from rnnspec.nn.recurrent import GRU, LSTM, RNN, SimpleRNN
from rnnspec.nn.wrappers import Bidirectional, TimeDistributed

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "Input",
    "LSTMCell",
    "Masking",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "TimeDistributed",
]
