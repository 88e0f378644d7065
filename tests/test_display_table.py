"""Plain text tables."""

from __future__ import annotations

from rnnspec.display.table import text_table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    text = text_table(("layer", "parameters"), [("LSTM", "1,200"), ("a longer name", "3")], right=(1,))

    assert text.splitlines() == [
        "layer          parameters",
        "-------------  ----------",
        "LSTM                1,200",
        "a longer name           3",
    ]


def test_lines_have_no_trailing_spaces() -> None:
    assert text_table(("a", "b"), [("x", "")]).splitlines() == ["a  b", "-  -", "x"]
