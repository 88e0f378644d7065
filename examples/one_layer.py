"""One layer from Python: built, called with a mask, asked for its states, its weights and its engine.

python examples/one_layer.py
"""

import torch

import rnnspec

# The same layer in three spellings: a config, YAML, and the torch module itself.
config = rnnspec.LSTMConfig(units=3, recurrent_initializer="orthogonal", recurrent_dropout=0.25)
same = rnnspec.loads("LSTM: {units: 3, recurrent_dropout: 0.25}")
print("the YAML means the same config:", config == same)

layer = rnnspec.build(config, input_shape=(None, None, 4), device="cpu", seed=7)
also = rnnspec.nn.LSTM(3, recurrent_dropout=0.25, input_shape=(None, 4), return_state=True)

# Two sequences of 5 and 3 steps: the last two steps of the second one are padding.
x = torch.randn(2, 5, 4)
mask = torch.tensor([[True, True, True, True, True], [True, True, True, False, False]])

layer.eval()  # no dropout from here on
output = layer(x, mask=mask)
alone = layer(x[1:, :3])
print("output", tuple(output.shape), "- padding changes nothing:", torch.allclose(output[1:], alone))

also.load_state_dict(layer.state_dict())
output, h, c = also.eval()(x, mask=mask)
print("states", tuple(h.shape), tuple(c.shape))

for name, weight in layer.named_parameters():
    print(f"{name:17} {tuple(weight.shape)}")
print("engine:", "; ".join(layer.plan(x, mask=mask).reasons))
