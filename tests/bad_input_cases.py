"""Files that are wrong: one kind of mistake each, with every message. What YAML itself refuses is in
test_yaml_document_errors.py.

A message is written as `line:column: path: words`, hints follow; `{LAYERS}` stands for the names of all
layers (see `LISTS` in test_bad_input_files.py).
"""

from __future__ import annotations

Case = tuple[str, str, list[str]]

CASES: list[Case] = [
    ("a number", "3", ["1:1: expected a layer, a list of layers, or a mapping with model, found 3"]),
    ("null", "null", ["1:1: expected a layer, a list of layers, or a mapping with model, found null"]),
    (
        "nothing but vars",
        "vars: {}",
        ["1:1: expected a layer, a list of layers, or a mapping with model, found an empty mapping"],
    ),
    (
        "two layers in one mapping",
        "LSTM: {units: 3}\nGRU: {units: 3}",
        ["1:1: a model is a mapping of one name to its arguments, found 2 keys: LSTM, GRU"],
    ),
    (
        "two layers in one item",
        "- LSTM: {units: 3}\n  Flatten:",
        ["1:3: [0]: a layer is a mapping of one name to its arguments, found 2 keys: LSTM, Flatten"],
    ),
    (
        "arguments that are not indented",
        "- LSTM:\n  units: 3\n  dropout: 0.5",
        [
            "1:3: [0]: a layer is a mapping of one name to its arguments, found 3 keys: LSTM, units, dropout",
            "  hint: indent units and dropout under LSTM",
        ],
    ),
    (
        "text over lines as a name",
        "LSTM:\n  units: 3\n  activation: |\n    tanh\n",
        [
            "3:15: LSTM.activation: unknown activation 'tanh\\n', expected one of {ACTIVATIONS}",
            "  hint: did you mean 'tanh'?",
        ],
    ),
    (
        "a list in a list",
        "- - LSTM: {units: 3}",
        ["1:3: [0]: a layer is a name, or a mapping of one name to its arguments, found a list"],
    ),
    (
        "an item without content",
        "- Flatten\n-",
        ["2:2: [1]: a layer is a name, or a mapping of one name to its arguments, found null"],
    ),
    ("an empty list", "model: []", ["1:8: model: a model needs at least one layer, found an empty list"]),
    (
        "unknown section",
        "model: Flatten\ntrian: {epochs: 3}",
        [
            "2:1: trian: experiment has no argument 'trian'",
            "  hint: did you mean 'train'? experiment takes model, data, loss, optimizer, metrics, train",
        ],
    ),
    ("experiment without a model", "train: {epochs: 3}", ["1:1: experiment needs the argument 'model'"]),
    (
        "graph",
        "graph: {layers: [Flatten]}",
        [
            "1:8: graph: a graph needs input_layers, or Input layers among its layers",
            "  hint: name the inputs: input_layers: x",
        ],
    ),
    (
        "unknown layer",
        "- LTSM: {units: 3}",
        ["1:3: [0].LTSM: unknown layer 'LTSM', expected one of {LAYERS}", "  hint: did you mean 'LSTM'?"],
    ),
    (
        "layer in small letters",
        "lstm: {units: 3}",
        ["1:1: lstm: unknown layer 'lstm', expected one of {LAYERS}", "  hint: did you mean 'LSTM'?"],
    ),
    (
        "unknown layer, nothing near",
        "Frobnicate: {}",
        ["1:1: Frobnicate: unknown layer 'Frobnicate', expected one of {LAYERS}"],
    ),
    (
        "keyword with class_name",
        "class_name: LSTM\nunits: 3",
        ["2:1: units: a model with class_name has only config beside it, found 'units'"],
    ),
    ("arguments that are a list", "LSTM: [units, 3]", ["1:7: LSTM: LSTM takes a mapping of arguments, found a list"]),
    ("arguments that are a number", "LSTM: 3", ["1:7: LSTM: LSTM takes a mapping of arguments, found 3"]),
    ("missing argument", "LSTM: {activation: tanh}", ["1:7: LSTM: LSTM needs the argument 'units'"]),
    (
        "missing arguments",
        "Embedding:",
        [
            "1:1: Embedding: Embedding needs the argument 'input_dim'",
            "1:1: Embedding: Embedding needs the argument 'output_dim'",
        ],
    ),
    (
        "unknown argument",
        "GRU: {unit: 3}",
        [
            "1:7: GRU.unit: GRU has no argument 'unit'",
            "  hint: did you mean 'units'? GRU takes {GRU}",
        ],
    ),
    (
        "argument of another layer",
        "GRU: {units: 3, unit_forget_bias: true}",
        [
            "1:17: GRU.unit_forget_bias: GRU has no argument 'unit_forget_bias'",
            "  hint: GRU takes {GRU}",
        ],
    ),
    (
        "Keras 2 spelled as Keras 1",
        "Dense: {units: 3, output_dim: 4}",
        [
            "1:19: Dense.output_dim: Dense has no argument 'output_dim'",
            "  hint: did you mean 'input_dim'? Dense takes {Dense}",
        ],
    ),
    ("float for an integer", "LSTM: {units: 7.9}", ["1:15: LSTM.units: units must be a positive integer, found 7.9"]),
    ("text for an integer", "LSTM: {units: '3'}", ["1:15: LSTM.units: units must be a positive integer, found '3'"]),
    (
        "boolean for an integer",
        "LSTM: {units: true}",
        ["1:15: LSTM.units: units must be a positive integer, found true"],
    ),
    ("zero units", "LSTM: {units: 0}", ["1:15: LSTM.units: units must be a positive integer, found 0"]),
    ("null units", "LSTM:\n  units:\n", ["2:3: LSTM.units: units must be a positive integer, found null"]),
    (
        "rate over 1",
        "LSTM: {units: 3, dropout: 1.5}",
        ["1:27: LSTM.dropout: dropout must be a number from 0 to 1, found 1.5"],
    ),
    (
        "rate as text",
        "LSTM: {units: 3, recurrent_dropout: 20%}",
        ["1:37: LSTM.recurrent_dropout: recurrent_dropout must be a number from 0 to 1, found '20%'"],
    ),
    ("nan", "LSTM: {units: 3, dropout: .nan}", ["1:27: LSTM.dropout: dropout must be a number from 0 to 1, found nan"]),
    (
        "infinity",
        "Masking: {mask_value: .inf}",
        ["1:23: Masking.mask_value: mask_value must be a finite number, found inf"],
    ),
    (
        "yes for true",
        "LSTM: {units: 3, use_bias: yes}",
        ["1:28: LSTM.use_bias: use_bias must be true or false, found 'yes'"],
    ),
    (
        "number for a boolean",
        "LSTM: {units: 3, stateful: 1}",
        ["1:28: LSTM.stateful: stateful must be true or false, found 1"],
    ),
    (
        "implementation",
        "LSTM: {units: 3, implementation: 3}",
        ["1:34: LSTM.implementation: implementation must be 0, 1 or 2, found 3"],
    ),
    (
        "dtype",
        "LSTM: {units: 3, dtype: float33}",
        [
            "1:25: LSTM.dtype: dtype must be float16, bfloat16, float32 or float64, found 'float33'",
            "  hint: did you mean 'float32'?",
        ],
    ),
    (
        "unknown activation",
        "LSTM: {units: 3, activation: tahn}",
        [
            "1:30: LSTM.activation: unknown activation 'tahn', expected one of {ACTIVATIONS}",
            "  hint: did you mean 'tanh'?",
        ],
    ),
    (
        "activation is a number",
        "Activation: {activation: 3}",
        ["1:26: Activation.activation: activation must be the name of an activation or null, found 3"],
    ),
    (
        "masked_start",
        "LSTM: {units: 3, masked_start: zero}",
        ["1:32: LSTM.masked_start: masked_start must be state or zeros, found 'zero'", "  hint: did you mean 'zeros'?"],
    ),
    ("name with a dot", "Flatten: {name: a.b}", ["1:17: Flatten.name: name must be a name without dots, found 'a.b'"]),
    (
        "shape with a zero",
        "LSTM: {units: 3, input_shape: [10, 0]}",
        ["1:36: LSTM.input_shape[1]: input_shape[1] must be a positive integer or null, found 0"],
    ),
    (
        "shape is a number",
        "LSTM: {units: 3, input_shape: 10}",
        ["1:31: LSTM.input_shape: input_shape must be a list of sizes, each a positive integer or null, found 10"],
    ),
    (
        "length without width",
        "LSTM: {units: 3, input_length: 10}",
        ["1:32: LSTM.input_length: input_length needs input_dim beside it"],
    ),
    (
        "weights are text",
        "LSTM: {units: 3, weights: file.npz}",
        ["1:27: LSTM.weights: weights must be a list of arrays, found 'file.npz'"],
    ),
    (
        "merge mode",
        "Bidirectional: {layer: {LSTM: {units: 3}}, merge_mode: max}",
        ["1:56: Bidirectional.merge_mode: merge_mode must be sum, mul, concat or ave, found 'max'"],
    ),
    (
        "inbound_nodes outside a graph",
        "- LSTM: {units: 3, inbound_nodes: x}",
        ["1:35: [0].LSTM.inbound_nodes: inbound_nodes is for layers of a graph only"],
    ),
    (
        "the same name twice",
        "- Flatten: {name: a}\n- Flatten: {name: a}",
        ["2:19: [1].Flatten.name: name must differ from layer to layer, found 'a' at layer 0 too"],
    ),
    (
        "unknown initializer",
        "LSTM: {units: 3, kernel_initializer: glorot}",
        [
            "1:38: LSTM.kernel_initializer: unknown initializer 'glorot', expected one of {INITIALIZERS}",
            "  hint: did you mean 'GlorotNormal'?",
        ],
    ),
    (
        "unknown argument of an initializer",
        "LSTM: {units: 3, kernel_initializer: {Orthogonal: {gian: 1}}}",
        [
            "1:52: LSTM.kernel_initializer.Orthogonal.gian: Orthogonal has no argument 'gian'",
            "  hint: did you mean 'gain'? Orthogonal takes gain, seed, dtype",
        ],
    ),
    (
        "wrong argument of an initializer",
        "LSTM: {units: 3, bias_initializer: {Constant: {value: a}}}",
        ["1:55: LSTM.bias_initializer.Constant.value: value must be a number, found 'a'"],
    ),
    (
        "initializer is a number",
        "LSTM: {units: 3, kernel_initializer: 0.5}",
        [
            "1:38: LSTM.kernel_initializer: an initializer is a name, or a mapping of one name to its "
            "arguments, found 0.5",
        ],
    ),
    (
        "regularizer in the place of a constraint",
        "LSTM: {units: 3, kernel_constraint: L2}",
        ["1:37: LSTM.kernel_constraint: unknown constraint 'L2', expected one of {CONSTRAINTS}"],
    ),
    (
        "constraint",
        "LSTM: {units: 3, kernel_constraint: {MaxNorm: {max_value: -1}}}",
        ["1:59: LSTM.kernel_constraint.MaxNorm.max_value: max_value must be a number of 0 or more, found -1"],
    ),
    (
        "regularizer",
        "Dense: {units: 3, kernel_regularizer: {L2: {l: big}}}",
        ["1:48: Dense.kernel_regularizer.L2.l: l must be a number, found 'big'"],
    ),
    (
        "Keras's form without its config",
        "LSTM: {units: 3, kernel_initializer: {class_name: Orthogonal, gain: 2}}",
        ["1:63: LSTM.kernel_initializer.gain: an initializer with class_name has only config beside it, found 'gain'"],
    ),
    ("wrapped layer missing", "Bidirectional: {}", ["1:16: Bidirectional: Bidirectional needs the argument 'layer'"]),
    (
        "wrapped layer wrong",
        "TimeDistributed: {layer: {Dense: {units: -1}}}",
        ["1:42: TimeDistributed.layer.Dense.units: units must be a positive integer, found -1"],
    ),
    (
        "wrapped layer that is not recurrent",
        "Bidirectional: {layer: Flatten}",
        ["1:24: Bidirectional.layer: Bidirectional takes a recurrent layer, found Flatten"],
    ),
    (
        "unknown cell",
        "RNN: {cell: Peephole, units: 3}",
        ["1:13: RNN.cell: unknown cell 'Peephole', expected one of GRU, LSTM, SimpleRNN"],
    ),
    (
        "no epochs",
        "model: Flatten\ntrain: {epochs: 0}",
        ["2:17: train.epochs: epochs must be a positive integer, found 0"],
    ),
    (
        "loss",
        "model: Flatten\nloss: crossentropy_of_some_kind",
        [
            "2:7: loss: unknown loss 'crossentropy_of_some_kind', expected one of {LOSSES}",
            "  hint: did you mean 'CrossEntropy'?",
        ],
    ),
    (
        "metric",
        "model: Flatten\nmetrics: [Acuracy]",
        [
            "2:11: metrics[0]: unknown metric 'Acuracy', expected one of {METRICS}",
            "  hint: did you mean 'Accuracy'?",
        ],
    ),
    (
        "metrics are text",
        "model: Flatten\nmetrics: Accuracy",
        ["2:10: metrics: metrics must be a list of metrics, found 'Accuracy'"],
    ),
    (
        "optimizer",
        "model: Flatten\noptimizer: {Adam: {lr: 0.1}}",
        [
            "2:20: optimizer.Adam.lr: Adam has no argument 'lr'",
            "  hint: Adam takes learning_rate, beta_1, beta_2, epsilon, weight_decay, amsgrad",
        ],
    ),
    (
        "data",
        "model: Flatten\ndata: JapanesVowels",
        [
            "2:7: data: unknown data set 'JapanesVowels', expected one of HKCanCor, JapaneseVowels",
            "  hint: did you mean 'JapaneseVowels'?",
        ],
    ),
    (
        "layers that do not fit",
        "- LSTM: {units: 3, input_shape: [10, 4]}\n- LSTM: {units: 3}",
        [
            "2:9: [1].LSTM: expected an input of rank 3, (batch, time, features), found (None, 3), the "
            "output of LSTM ([0].LSTM)",
            "  hint: set return_sequences on LSTM ([0].LSTM)",
        ],
    ),
    (
        "another width declared",
        "- LSTM: {units: 3, input_shape: [10, 4]}\n- Dense: {units: 3, input_dim: 4}",
        ["2:10: [1].Dense: Dense declares the input shape (None, 4), but LSTM ([0].LSTM) gives (None, 3)"],
    ),
    (
        "stateful without a batch size",
        "LSTM: {units: 3, input_shape: [10, 4], stateful: true}",
        [
            "1:50: LSTM.stateful: stateful=True needs a fixed batch size",
            "  hint: give batch_input_shape, the batch first, to the first layer of the model",
        ],
    ),
    (
        "unrolled over an open time",
        "LSTM: {units: 3, input_shape: [null, 4], unroll: true}",
        ["1:50: LSTM.unroll: unroll=True needs two timesteps or more, found a free number of them"],
    ),
    (
        "mask into a layer that cannot take one",
        "- Embedding: {input_dim: 9, output_dim: 4, input_length: 5, mask_zero: true}\n- Flatten",
        ["2:3: [1].Flatten: cannot take a mask; one reached it from Embedding ([0].Embedding)"],
    ),
    (
        "states into a layer",
        "- LSTM: {units: 3, return_state: true, input_shape: [10, 4]}\n- Dense: {units: 3}",
        [
            "1:9: [0].LSTM: LSTM returns several tensors (return_state), so no layer can follow it, found Dense "
            "([1].Dense)",
        ],
    ),
    (
        "the abstract layer",
        "Recurrent: {input_shape: [10, 4]}",
        ["1:1: Recurrent: Recurrent is abstract and cannot be built", "  hint: use SimpleRNN, LSTM or GRU"],
    ),
    (
        "classes of the data",
        "model:\n  - LSTM: {units: 8}\n  - Dense: {units: 8}\ndata: JapaneseVowels",
        [
            "3:12: model[1].Dense: Dense gives (None, 8), expected 9 numbers at the end, one for each class of "
            "JapaneseVowels",
        ],
    ),
]
