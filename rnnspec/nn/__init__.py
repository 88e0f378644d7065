"""The torch modules: recurrent layers, the layers around them, containers. They take plain Python arguments."""

from rnnspec.nn.one_step import GRUCell, LSTMCell, SimpleRNNCell
from rnnspec.nn.recurrent import GRU, LSTM, RNN, SimpleRNN

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "SimpleRNN", "SimpleRNNCell"]
