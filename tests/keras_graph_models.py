"""Functional models that Keras 3 builds, on torch, beside the Sequential ones of `keras_models.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_models import FEATURES, SEQUENCES, STEPS, Make, keras, kl as layers

GRAPHS: dict[str, Make] = {}


def graph(make: Make) -> Make:
    """Puts a model into the table, under its function's name."""
    GRAPHS[make.__name__.replace("_", "-")] = make
    return make


def sequence(features: int = FEATURES, steps: int | None = STEPS) -> Any:
    return keras.Input((steps, features))


def ids() -> Any:
    return keras.Input((STEPS,), dtype="int32")


def model(make: Callable[[Any], Any], *inputs: Any, name: str | None = None) -> Any:
    """A functional model of one input, or of those that are given."""
    given = inputs or (sequence(),)
    return keras.Model(list(given) if len(given) > 1 else given[0], make(*given), name=name)


# Several inputs and outputs, shared layers


@graph
def two_inputs() -> Any:
    return model(
        lambda x, y: layers.Dense(2)(layers.Concatenate()([layers.LSTM(3)(x), layers.GRU(2)(y)])),
        sequence(),
        sequence(2),
    )


@graph
def states_as_outputs() -> Any:
    def make(x: Any) -> list[Any]:
        y, h, c = layers.LSTM(3, return_sequences=True, return_state=True)(x)
        return [layers.Dense(2)(y), h, c]

    return model(make)


@graph
def merges() -> Any:
    def make(x: Any, y: Any) -> list[Any]:
        two = [layers.LSTM(3)(x), layers.GRU(3)(y)]
        kinds = (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum)
        return [kind()(two) for kind in kinds] + [layers.Dot(axes=1)(two), layers.Dot(axes=1, normalize=True)(two)]

    return model(make, sequence(), sequence())


@graph
def operators() -> Any:
    return model(lambda x: layers.Dense(2)((layers.LSTM(FEATURES, **SEQUENCES)(x) + x) * x - x))


@graph
def shared_layer() -> Any:
    both = layers.LSTM(4)
    return model(
        lambda x, y: layers.Dense(1)(layers.Subtract()([both(x), both(y)])), sequence(), sequence(steps=STEPS - 1)
    )


@graph
def layer_after_itself() -> Any:
    both = layers.SimpleRNN(FEATURES, **SEQUENCES)
    return model(lambda x: layers.Dense(2)(both(both(both(x)))))


@graph
def input_as_output() -> Any:
    return model(lambda x: [layers.LSTM(3)(x), x])


@graph
def one_output_twice() -> Any:
    def make(x: Any) -> list[Any]:
        y = layers.LSTM(3)(x)
        return [y, y]

    return model(make)


@graph
def numbers_with_gaps() -> Any:
    def make(x: Any) -> list[Any]:
        last, first, middle = (layers.LSTM(4, **SEQUENCES) for _ in range(3))
        layers.LSTM(2)
        layers.LayerNormalization(center=False, scale=False)(x)
        return [layers.LSTM(3)(last(layers.Add()([middle(first(x)), x]))), layers.Dense(2)(first(x))]

    return model(make)


@graph
def attention_by_dots() -> Any:
    def make(x: Any, y: Any) -> Any:
        keys, queries = layers.LSTM(3, **SEQUENCES)(x), layers.GRU(3, **SEQUENCES)(y)
        weights = layers.Softmax()(layers.Dot(axes=(2, 2))([queries, keys]))
        return layers.Dense(2)(layers.Concatenate(axis=-1)([layers.Dot(axes=(2, 1))([weights, keys]), queries]))

    return model(make, sequence(steps=STEPS - 1), sequence(2))


# States that go from layer to layer


@graph
def encoder_decoder() -> Any:
    def make(x: Any, y: Any) -> Any:
        _, *states = layers.LSTM(5, return_state=True)(x)
        decoded = layers.LSTM(5, **SEQUENCES)(y, initial_state=states)
        return layers.Dense(4, activation="softmax")(decoded)

    return model(make, sequence(steps=None), sequence(3, steps=None))


@graph
def encoder_decoder_gru() -> Any:
    def make(x: Any, y: Any) -> Any:
        _, state = layers.GRU(5, return_state=True, reset_after=False, recurrent_activation="hard_sigmoid")(x)
        return layers.Dense(4)(layers.GRU(5, **SEQUENCES)(y, initial_state=state))

    return model(make, sequence(), sequence(3))


@graph
def bidirectional_encoder() -> Any:
    def make(x: Any, y: Any) -> Any:
        _, forward_h, forward_c, backward_h, backward_c = layers.Bidirectional(layers.LSTM(3, return_state=True))(x)
        states = [layers.Concatenate()([forward_h, backward_h]), layers.Concatenate()([forward_c, backward_c])]
        return layers.Dense(4)(layers.LSTM(6, **SEQUENCES)(y, initial_state=states))

    return model(make, sequence(), sequence(2))


@graph
def bidirectional_decoder() -> Any:
    def make(x: Any, y: Any) -> Any:
        _, *states = layers.Bidirectional(layers.GRU(3, return_state=True))(x)
        return layers.Dense(4)(layers.Bidirectional(layers.GRU(3, **SEQUENCES))(y, initial_state=states))

    return model(make, sequence(), sequence(2))


@graph
def masked_encoder_decoder() -> Any:
    """Keras 3 gives no mask to a layer that gets initial states."""

    def make(x: Any, y: Any) -> Any:
        _, *states = layers.LSTM(5, return_state=True)(layers.Embedding(11, 4, mask_zero=True)(x))
        embedded = layers.Embedding(11, 4, mask_zero=True)(y)
        return layers.Dense(4)(layers.LSTM(5, **SEQUENCES)(embedded, initial_state=states))

    return model(make, ids(), ids())


# Masks


@graph
def masked_embedding() -> Any:
    return model(lambda x: layers.Dense(2)(layers.LSTM(3)(layers.Embedding(11, 4, mask_zero=True)(x))), ids())


@graph
def masked_merges() -> Any:
    def make(x: Any) -> list[Any]:
        masked = layers.Masking(-1.0)(x)
        two = [layers.GRU(3, **SEQUENCES)(masked), layers.LSTM(3, **SEQUENCES)(masked)]
        return [layers.LSTM(2)(merge(two)) for merge in (layers.Add(), layers.Concatenate(), layers.Maximum())]

    return model(make)


@graph
def merges_of_two_masks() -> Any:
    def make(x: Any, y: Any) -> list[Any]:
        two = [layers.Masking(-1.0)(x), layers.Masking(-1.0)(layers.ZeroPadding1D((1, 0))(y))]
        kinds = (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum)
        return [kind()(two) for kind in kinds] + [layers.Multiply()([two[0], x]), layers.Maximum()([x, two[1]])]

    return model(make, sequence(), sequence(steps=STEPS - 1))


@graph
def masked_on_one_side() -> Any:
    def make(x: Any) -> list[Any]:
        two = [layers.GRU(3, **SEQUENCES)(layers.Masking(-1.0)(x)), layers.LSTM(3, **SEQUENCES)(x)]
        return [layers.LSTM(2)(merge(two)) for merge in (layers.Add(), layers.Concatenate())]

    return model(make)


@graph
def masked_bidirectional_and_mean() -> Any:
    def make(x: Any) -> Any:
        y = layers.Bidirectional(layers.GRU(3, **SEQUENCES), merge_mode="sum")(layers.Masking(-1.0)(x))
        return layers.GlobalAveragePooling1D()(layers.TimeDistributed(layers.Dense(3))(y))

    return model(make)


@graph
def masked_backwards() -> Any:
    return model(lambda x: layers.GRU(2)(layers.LSTM(3, go_backwards=True, **SEQUENCES)(layers.Masking(-1.0)(x))))


@graph
def mask_that_ends_at_a_convolution() -> Any:
    def make(x: Any) -> Any:
        embedded = layers.Embedding(11, 4, mask_zero=True)(x)
        convolved = layers.GlobalMaxPooling1D()(layers.Conv1D(3, 3)(embedded))
        return layers.Concatenate()([convolved, layers.LSTM(3)(embedded)])

    return model(make, ids())


@graph
def mask_that_ends_in_a_sequential() -> Any:
    return keras.Sequential(
        [sequence(), layers.Masking(-1.0), layers.LSTM(3, **SEQUENCES), layers.Flatten(), layers.Dense(2)]
    )


# Models in models, and in wrappers


@graph
def nested_sequential() -> Any:
    inner = keras.Sequential([sequence(), layers.LSTM(3, **SEQUENCES), layers.GRU(3)], name="inner")
    return model(lambda x, y: layers.Add()([inner(x), inner(y)]), sequence(), sequence())


@graph
def nested_functional() -> Any:
    inner = model(lambda x: layers.Dense(2)(layers.GRU(3)(x)), name="inner")
    return model(lambda x, y: [inner(x), layers.Dense(2)(inner(y))], sequence(), sequence())


@graph
def nested_with_several_outputs() -> Any:
    inner = model(lambda x, y: [layers.LSTM(3)(x), layers.GRU(2)(y)], sequence(), sequence(2), name="inner")

    def make(x: Any, y: Any) -> list[Any]:
        one, other = inner([x, y])
        return [layers.Dense(1)(one), other]

    return model(make, sequence(), sequence(2))


@graph
def nested_and_masked() -> Any:
    inner = model(lambda x: layers.Dense(2)(layers.GRU(3)(x)), name="inner")
    return model(lambda x: inner(layers.Masking(-1.0)(x)))


@graph
def nested_three_deep() -> Any:
    first = model(lambda x: layers.LSTM(3, **SEQUENCES)(x))
    second = model(lambda x: layers.GRU(2, **SEQUENCES)(first(x)))
    return model(lambda x: layers.Dense(1)(second(x)))


@graph
def functional_in_a_sequential() -> Any:
    return keras.Sequential([model(lambda x: layers.LSTM(3, **SEQUENCES)(x)), layers.GRU(3), layers.Dense(2)])


@graph
def frozen_normalization_inside() -> Any:
    inner = keras.Sequential(
        [sequence(), layers.BatchNormalization(), layers.LSTM(3, **SEQUENCES), layers.BatchNormalization()]
    )
    inner.layers[0].trainable = False
    return model(lambda x: layers.LSTM(2)(inner(x)))


@graph
def model_at_every_step() -> Any:
    inner = keras.Sequential([sequence(), layers.LSTM(3), layers.Dense(2)])
    other = model(lambda x: layers.GRU(2)(x))
    x = keras.Input((3, STEPS, FEATURES))
    every = [layers.TimeDistributed(one)(x) for one in (inner, other, layers.Bidirectional(layers.LSTM(2)))]
    return keras.Model(x, layers.GRU(3)(layers.Concatenate()(every)))


# Cells


@graph
def cells() -> Any:
    return keras.Sequential(
        [
            sequence(),
            layers.RNN(layers.LSTMCell(3), return_sequences=True),
            layers.Bidirectional(layers.RNN(layers.GRUCell(3), return_sequences=True)),
            layers.RNN(layers.SimpleRNNCell(2)),
        ]
    )


@graph
def stacked_cells() -> Any:
    stacked = layers.StackedRNNCells([layers.GRUCell(3), layers.LSTMCell(4)])
    return keras.Sequential(
        [sequence(), layers.RNN(stacked, return_sequences=True), layers.RNN([layers.LSTMCell(3), layers.LSTMCell(4)])]
    )


@graph
def masked_stacked_cells() -> Any:
    stacked = layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)], return_sequences=True)
    return keras.Sequential([sequence(), layers.Masking(-1.0), stacked, layers.LSTM(2)])


# States that stay


@graph
def stateful() -> Any:
    x = keras.Input(batch_shape=(3, STEPS, FEATURES))
    y = layers.GRU(3, stateful=True)(layers.LSTM(3, stateful=True, **SEQUENCES)(x))
    return keras.Model(x, layers.Dense(2)(y))
