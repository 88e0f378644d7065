"""The harness that runs the pages sees what is wrong on one."""

from __future__ import annotations

import pytest
from cli_cases import Shell
from pages import PageRun, blocks


def fenced(language: str, *lines: str) -> str:
    return "\n".join([f"```{language}", *lines, "```", ""])


def run(shell: Shell, page: str) -> PageRun:
    page_run = PageRun("page.md", shell)
    page_run.run(page)
    return page_run


def test_a_block_is_found_with_its_language_and_its_line() -> None:
    page = f"# Title\n\n{fenced('python', 'x = 1')}\n- a list\n\n    ```yaml\n    a: 1\n    ```\n"

    assert [(block.language, block.text, block.line) for block in blocks(page)] == [
        ("python", "x = 1\n", 4),
        ("yaml", "a: 1\n", 10),
    ]


def test_a_block_has_the_text_that_it_includes() -> None:
    (block,) = blocks(fenced("text", '--8<-- "setup.py"'))

    assert block.text.startswith('"""Builds the C library of the engine `cpu`')


def test_the_python_of_a_page_has_one_namespace(shell: Shell) -> None:
    page_run = run(shell, fenced("python", "x = 1") + fenced("python", "x += 1"))

    assert page_run.names["x"] == 2


def test_a_block_that_names_a_file_is_written_there(shell: Shell) -> None:
    run(shell, fenced("python", "# cells/mine.py", "raise SystemExit"))

    assert (shell.folder / "cells" / "mine.py").read_text() == "# cells/mine.py\nraise SystemExit\n"


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(fenced("python", "print(1)") + fenced("text", "1"), id="output"),
        pytest.param(fenced("python", "print(1, 2)") + fenced("text", "1..."), id="part of an output"),
        pytest.param(fenced("python", "x = 1  # 1", "x, 2  # (1, 2)", "x  # one"), id="value"),
        pytest.param(fenced("python", "import torch", "torch.ones(2, 3)  # (2, 3)"), id="shape"),
        pytest.param(fenced("yaml", "LSTM: {units: 3}"), id="yaml"),
        pytest.param(fenced("console", "$ rnnspec --version"), id="command"),
        pytest.param(fenced("console", "$ rnnspec fmt a.yaml", "a.yaml: ...", "$ echo $?", "1"), id="code"),
        pytest.param(fenced("console", "$ python -c 'print(6 * 7)'", "42"), id="another program"),
        pytest.param(fenced("bash", "make test"), id="what cannot be run"),
    ],
)
def test_a_right_page_passes(shell: Shell, page: str) -> None:
    run(shell, page)


@pytest.mark.parametrize(
    ("page", "message"),
    [
        pytest.param(
            fenced("python", "print(1)") + fenced("text", "2"),
            "page.md:2: the page shows\n2\n\nand there was\n1\n",
            id="output",
        ),
        pytest.param(
            fenced("python", "print(1)"), "page.md:2: the page shows\n\nand there was\n1\n", id="output not shown"
        ),
        pytest.param(fenced("python", "x = 1", "x + 1  # 3"), "page.md:3: found 2, told 3", id="value"),
        pytest.param(
            fenced("python", "import torch", "torch.ones(2)  # (3,)"),
            "page.md:3: found torch.Size([2]), told (3,)",
            id="shape",
        ),
        pytest.param(fenced("ruby", "puts 1"), "page.md:2: cannot run 'ruby'", id="language"),
        pytest.param(fenced("console", "$ rnnspec fmt a.yaml"), "page.md:2: the last code is 1", id="failure"),
        pytest.param(
            fenced("console", "$ rnnspec fmt a.yaml", "$ echo $?", "2"),
            "page.md:2: the code is 1, told 2",
            id="another code",
        ),
        pytest.param(
            fenced("console", "$ rnnspec fmt a.yaml", "$ rnnspec fmt b.yaml"),
            "page.md:2: the code is 1 before `rnnspec fmt b.yaml`",
            id="failure before another command",
        ),
    ],
)
def test_a_wrong_page_fails(shell: Shell, page: str, message: str) -> None:
    with pytest.raises(AssertionError) as caught:
        run(shell, page)

    assert str(caught.value) == message


def test_wrong_yaml_fails(shell: Shell) -> None:
    with pytest.raises(ValueError, match="unknown layer 'LSTN'"):
        run(shell, fenced("yaml", "LSTN: {units: 3}"))
