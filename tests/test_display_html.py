"""HTML fragments: escaped, cut, well-formed, never an error."""

from __future__ import annotations

from typing import Any

import pytest
from html_cases import HOSTILE, Page

from rnnspec.display.html import Item, Row, arguments, fragment, never_raises, own_repr, table, text, title, words


class Broken:
    """An object that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(HOSTILE["script"], HOSTILE["script"], id="script"),
        pytest.param(HOSTILE["quotes"], HOSTILE["quotes"], id="quotes"),
        pytest.param(HOSTILE["long"], f"{'x' * 240}… (10,000 letters)", id="long"),
        pytest.param("x" * 240, "x" * 240, id="just as long"),
        pytest.param(HOSTILE["right-to-left"], "שלום \\u202eabc", id="right-to-left"),
        pytest.param(HOSTILE["emoji"], HOSTILE["emoji"], id="emoji"),
        pytest.param(HOSTILE["not for files"], "a\\u0000\\u001b[1m\\ud800\\uffff", id="not for files"),
        pytest.param("a\nb\tc", "a\nb\tc", id="white space"),
    ],
)
def test_any_text_is_escaped_and_cut(value: str, shown: str) -> None:
    assert Page(text(value)).text == shown


def test_a_title_is_cut_sooner() -> None:
    assert Page(title("x" * 81)).text == f"{'x' * 80}… (81 letters)"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param("relu", "relu", id="text"),
        pytest.param(" ", "' '", id="blank text"),
        pytest.param(None, "None", id="None"),
        pytest.param((None, 10), "(None, 10)", id="tuple"),
        pytest.param((3,), "(3,)", id="one in a tuple"),
        pytest.param([1, "a"], "[1, a]", id="list"),
        pytest.param(list(range(9)), "[0, 1, 2, 3, 4, 5, 6, 7, …]", id="long list"),
        pytest.param(list(range(8)), "[0, 1, 2, 3, 4, 5, 6, 7]", id="list just as long"),
        pytest.param({"a": {"b": 1}}, "{a: {b: 1}}", id="mapping"),
        pytest.param(len, "len", id="function"),
        pytest.param(Broken(), "Broken", id="broken"),
        pytest.param([Broken()], "[Broken]", id="broken in a list"),
        pytest.param(1e-7, "1e-07", id="number"),
    ],
)
def test_a_value_is_said_in_a_few_words(value: Any, said: str) -> None:
    assert words(value) == said


def test_an_array_is_said_by_its_shape() -> None:
    np = pytest.importorskip("numpy")

    assert words([np.zeros((2, 3))]) == "[array of shape (2, 3)]"


def test_a_table_has_a_caption_headers_and_marked_rows() -> None:
    html = table("c", ("name", "size"), [Row(("a", "1"), changed=True), Row(("b", "2"))], (1,), Row(("all", "3")))
    (read,) = Page(html).tables

    assert read.caption == "c"
    assert read.texts() == [["name", "size"], ["a", "1"], ["b", "2"], ["all", "3"]]
    assert read.marked == {"a"}
    assert [cell.attributes.get("scope") for cell in read.rows[0]] == ["col", "col"]
    assert [cell.attributes.get("scope") for cell in read.rows[1]] == ["row", None]
    assert {row[1].attributes.get("class") for row in read.rows} == {"rnnspec-number"}


def test_arguments_that_have_their_defaults_are_folded_away() -> None:
    items = [Item("units", "3", "", changed=True), Item("dropout", "0.0", "0.0", changed=False)]
    page = Page(arguments("LSTM", items))
    shown, folded = page.tables

    assert shown.texts() == [["argument", "value", "default"], ["units", "3", ""]]
    assert shown.marked == {"units"}
    assert shown.caption == "LSTM ( not the default)"
    assert folded.texts() == [["argument", "value"], ["dropout", "0.0"]]
    assert "1 argument with the default value" in page.text


@pytest.mark.parametrize("count", [0, 2])
def test_a_thing_with_nothing_but_defaults_says_so(count: int) -> None:
    page = Page(arguments("Zeros", [Item("dtype", "None", "None", changed=False)] * count))

    assert page.text.split("\n")[0] == "Zeros"
    assert ("2 arguments with the default value" in page.text) == bool(count)


def test_what_cannot_be_drawn_is_shown_by_its_repr_and_that_by_its_class() -> None:
    @never_raises
    def draw(thing: object) -> str:
        raise ValueError(thing)

    assert Page(draw("<b>")).text.strip() == "'<b>'"
    assert Page(draw(Broken())).text.strip() == "Broken"
    assert own_repr(Broken()) == "Broken"


def test_a_fragment_has_no_script_no_link_and_styles_nothing_but_itself() -> None:
    html = fragment("<p>a</p>")
    style = html[html.index("<style>") + 7 : html.index("</style>")]
    selectors = [
        one.strip() for rule in style.split("}")[:-1] for one in rule.partition("{")[0].split(",") if one.strip()
    ]

    assert Page(html).text.strip() == "a"
    assert all(selector.startswith(".rnnspec-html") for selector in selectors)
    assert "url(" not in style
    assert "@import" not in style
