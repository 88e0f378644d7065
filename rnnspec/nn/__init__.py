"""The torch modules: recurrent layers, the layers around them, containers. They take plain Python arguments."""

from rnnspec.nn.advanced_activations import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from rnnspec.nn.containers import Sequential
from rnnspec.nn.convolutional import Conv1D, Cropping1D, UpSampling1D, ZeroPadding1D
from rnnspec.nn.core import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Input,
    Masking,
    SpatialDropout1D,
    Unmasking,
)
from rnnspec.nn.embeddings import Embedding
from rnnspec.nn.functions import Lambda
from rnnspec.nn.graph import Graph
from rnnspec.nn.merge import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from rnnspec.nn.noise import AlphaDropout, GaussianDropout, GaussianNoise
from rnnspec.nn.normalization import BatchNormalization, LayerNormalization, Rescaling
from rnnspec.nn.one_step import GRUCell, LSTMCell, SimpleRNNCell
from rnnspec.nn.pooling import AveragePooling1D, GlobalAveragePooling1D, GlobalMaxPooling1D, MaxPooling1D
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
    "Add",
    "AlphaDropout",
    "Average",
    "AveragePooling1D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Cropping1D",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalMaxPooling1D",
    "Graph",
    "Input",
    "LSTMCell",
    "Lambda",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "Subtract",
    "ThresholdedReLU",
    "TimeDistributed",
    "Unmasking",
    "UpSampling1D",
    "ZeroPadding1D",
]
