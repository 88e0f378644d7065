"""The table of docs/torch.md is the one that the tests make."""

from __future__ import annotations

from pathlib import Path

import test_torch_compile
import test_torch_training
import test_torch_transforms
from transform_cases import ROWS

PAGE = Path(__file__).parent.parent / "docs" / "torch.md"
MODULES = [test_torch_transforms, test_torch_compile, test_torch_training]


def test_the_page_has_a_row_for_every_test_with_what_torchs_own_layer_does() -> None:
    rows = sorted(ROWS, key=lambda row: [module.__name__ for module in MODULES].index(row.test.partition(".")[0]))
    want = [
        f"| {row.transform} | yes | {row.torch_lstm.words if row.torch_lstm else 'yes'} | `{row.test}` |"
        for row in rows
    ]

    page = PAGE.read_text().splitlines()

    first = page.index("| transform | rnnspec | torch.nn.LSTM | test |") + 2
    assert page[first : first + len(want)] == want
    assert page[first + len(want)] == ""
