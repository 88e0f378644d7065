"""Files that are wrong, written as in bad_input_cases.py: the layers that reshape, activate, or call a function."""

from __future__ import annotations

from bad_input_cases import Case

CASES: list[Case] = [
    (
        "mask into a layer that moves numbers",
        "- Masking: {input_shape: [5, 4]}\n- Permute: {dims: [2, 1]}",
        ["2:12: [1].Permute: cannot take a mask; one reached it from Masking ([0].Masking)"],
    ),
    (
        "target shape of another size",
        "- LSTM: {units: 6, input_shape: [5, 4]}\n- Reshape: {target_shape: [4, 2]}",
        [
            "2:12: [1].Reshape: target_shape (4, 2) takes 8 numbers a row, found 6 in (None, 6), the output of LSTM "
            "([0].LSTM)",
            "  hint: set return_sequences on LSTM ([0].LSTM)",
        ],
    ),
    (
        "two open sizes",
        "Reshape: {target_shape: [-1, 2, -1]}",
        ["1:25: Reshape.target_shape: target_shape takes one -1 at most, found (-1, 2, -1)"],
    ),
    (
        "axes counted from 0",
        "Permute: {dims: [1, 0]}",
        ["1:17: Permute.dims: dims must be a permutation of (1, 2), found (1, 0)"],
    ),
    (
        "slopes over an open time",
        "PReLU: {input_shape: [null, 4]}",
        [
            "1:8: PReLU: expected a known size at every axis that is not shared, found (None, None, 4), the model's "
            "input",
            "  hint: share the slopes along the axis: shared_axes: [1]",
        ],
    ),
    (
        "code for a function",
        'Lambda: {function: "lambda x: x ** 2"}',
        [
            "1:20: Lambda.function: function must be the name of a registered function, found 'lambda x: x ** 2'",
            "  hint: a config holds no code: write a function, register it with @rnnspec.register.function, give its "
            "name",
        ],
    ),
    (
        "unknown function",
        "Lambda: {function: duoble}",
        [
            "1:20: Lambda.function: unknown function 'duoble', expected one of double",
            "  hint: did you mean 'double'?",
        ],
    ),
    (
        "argument of a function",
        "Lambda: {function: double, arguments: {factor: 3}}",
        [
            "1:40: Lambda.arguments.factor: double has no argument 'factor'",
            "  hint: double takes no arguments",
        ],
    ),
]
