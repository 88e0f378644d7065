"""Reads an HTML fragment as a browser would, and checks that it is well-formed and harmless."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

ALLOWED = {
    *("b", "bdi", "caption", "details", "div", "p", "pre", "span", "style", "summary"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr"),
}
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "quotes": "\"'`&lt;</td>",
    "long": "x" * 10_000,
    "right-to-left": "שלום \u202eabc",
    "emoji": "👨\u200d👩\u200d👧",
    "not for files": "a\x00\x1b[1m\ud800\uffff",
    "empty": "",
}


@dataclass
class Cell:
    """A cell of a table: its text, and the attributes of its tag."""

    text: str = ""
    attributes: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Table:
    """A table as a reader sees it."""

    caption: str = ""
    rows: list[list[Cell]] = field(default_factory=list)
    marked: set[str] = field(default_factory=set)

    def texts(self) -> list[list[str]]:
        """The texts of all rows."""
        return [[cell.text for cell in row] for row in self.rows]


class Page(HTMLParser):
    """A fragment that was read: its tables, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Table] = []
        self.text = ""
        self._open: list[str] = []
        self._tables: list[Table] = []
        self._marked = False
        html.encode("utf-8")
        self.feed(html)
        self.close()
        assert self._open == [], "not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Checks a tag, and opens it."""
        assert tag in ALLOWED, tag
        assert {name for name, _ in attrs} <= {"class", "scope", "title"}, attrs
        self._open.append(tag)
        if tag == "table":
            self._tables.append(Table())
            self.tables.append(self._tables[-1])
        elif tag == "tr":
            self._tables[-1].rows.append([])
        elif tag in ("td", "th"):
            assert tag == "td" or dict(attrs)["scope"] in ("row", "col")
            self._tables[-1].rows[-1].append(Cell(attributes=dict(attrs)))
        elif tag == "b" and self._open[-2:] == ["th", "b"]:
            assert attrs == [("class", "rnnspec-mark"), ("title", "not the default")]
            self._marked = True

    def handle_endtag(self, tag: str) -> None:
        """Closes the tag that was opened last."""
        assert self._open.pop() == tag
        if tag == "table":
            self._tables.pop()
        elif tag == "th" and self._marked:
            self._tables[-1].marked.add(self._tables[-1].rows[-1][-1].text)
            self._marked = False

    def handle_data(self, data: str) -> None:
        """Takes the text to where it stands; a mark and the style are no text."""
        if self._open[-1:] == ["style"] or (self._open[-1:] == ["b"] and "p" not in self._open):
            return
        self.text += data
        if "caption" in self._open:
            self._tables[-1].caption += data
        elif self._tables and self._tables[-1].rows and self._tables[-1].rows[-1]:
            cell = self._tables[-1].rows[-1][-1]
            cell.text = (cell.text + data).strip()
