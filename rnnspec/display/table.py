"""Plain text tables, and the table of a model's layers."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["text_table"]


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Sets rows of texts in columns.

    Args:
        header: The columns' names.
        rows: The cells, as many in each row as in the header.
        right: The indices of the columns that are set flush right, numbers for instance.

    Returns:
        The lines, without a final newline.
    """
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    rule = ["-" * width for width in widths]

    def line(row: Sequence[str]) -> str:
        cells = (
            text.rjust(width) if i in right else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return "\n".join(line(row) for row in (header, rule, *rows))
