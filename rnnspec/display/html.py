"""HTML fragments for notebooks: tables, escaped text, and a style that holds in light and dark.

A fragment has no script, no id and no file of its own. Text has the colour that is around it (JupyterLab's and VS
Code's own where they say it), and lines and shades are half transparent, so that they show on any ground: which theme
a notebook has need not be guessed, and the system's may well be another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from html import escape
from itertools import islice
from typing import Any, TypeVar

__all__ = [
    "Item",
    "Row",
    "arguments",
    "details",
    "fragment",
    "never_raises",
    "own_repr",
    "table",
    "text",
    "title",
    "words",
]

Thing = TypeVar("Thing")

MAX_TEXT = 240
"""Letters of a text that are shown; more are cut."""
MAX_TITLE = 80
"""Letters of a title that are shown."""
MAX_ITEMS = 8
"""Items of a list that are shown."""
MARK = '<b class="rnnspec-mark" title="not the default">&#9679;</b> '
_LEGEND = f'<span class="rnnspec-legend">({MARK}not the default)</span>'

# Controls, what no file can hold, and the marks that turn the direction of what comes after them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
# Twice the class: a notebook's own rules for tables are less specific then, without `!important`.
_ROOT = ".rnnspec-html.rnnspec-html"
_STYLE = f"""<style>
{_ROOT} {{
  color: var(--jp-content-font-color1, var(--vscode-editor-foreground, inherit));
  font-size: 13px; line-height: 1.45; max-width: 100%; overflow-x: auto;
}}
{_ROOT} table {{
  border-collapse: collapse; margin: 0 0 .7em; width: auto; background: none; color: inherit; font-size: inherit;
  border: 0; max-width: 100%;
}}
{_ROOT} caption {{
  caption-side: top; text-align: left; padding: .2em 0 .35em; font-weight: 600; color: inherit; background: none;
  white-space: nowrap;
}}
{_ROOT} tr, {_ROOT} tbody tr:nth-child(odd), {_ROOT} tbody tr:hover {{ background: none; }}
{_ROOT} th, {_ROOT} td {{
  text-align: left; vertical-align: top; padding: .2em 1.1em .2em .2em; background: none; color: inherit;
  border: 0; border-bottom: 1px solid rgba(128, 128, 128, .3); font-weight: 400; max-width: 46em;
  overflow-wrap: anywhere; white-space: normal;
}}
{_ROOT} th {{ white-space: nowrap; }}
{_ROOT} thead th {{ font-weight: 600; border-bottom: 1px solid rgba(128, 128, 128, .7); }}
{_ROOT} tfoot td, {_ROOT} tfoot th {{ font-weight: 600; border-bottom: 0; }}
{_ROOT} .rnnspec-number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
{_ROOT} .rnnspec-changed th, {_ROOT} .rnnspec-changed td {{ background: rgba(64, 140, 255, .13); }}
{_ROOT} .rnnspec-changed > th, {_ROOT} .rnnspec-changed > td:nth-child(2) {{ font-weight: 600; }}
{_ROOT} td .rnnspec-changed th, {_ROOT} td .rnnspec-changed td {{ background: none; }}
{_ROOT} .rnnspec-mark {{ color: #2f80ed; }}
{_ROOT} .rnnspec-legend {{ font-weight: 400; opacity: .75; padding-left: .6em; }}
{_ROOT} p {{ margin: 0 0 .7em; }}
{_ROOT} details {{ margin: 0 0 .7em; }}
{_ROOT} summary {{ cursor: pointer; padding: .1em 0; }}
{_ROOT} pre {{ margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; background: none; color: inherit; }}
{_ROOT} td > table, {_ROOT} td > details {{ margin: 0; font-weight: 400; }}
</style>"""


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        cells: HTML of the cells; the first one is the row's header.
        changed: Whether it is marked as different from the default.
    """

    cells: tuple[str, ...]
    changed: bool = False


@dataclass(frozen=True)
class Item:
    """An argument as it is shown.

    Attributes:
        name: Its name.
        value: HTML of its value.
        default: Its default in words; nothing where there is none.
        changed: Whether it differs from the default, or has none.
    """

    name: str
    value: str
    default: str
    changed: bool


def text(value: str, limit: int = MAX_TEXT) -> str:
    """Writes any text as HTML.

    Args:
        value: The text; it may hold anything.
        limit: How many letters are shown.

    Returns:
        The text, escaped, cut, on its own as to the direction of writing, without letters that no file can hold.
    """
    cut = f"{value[:limit]}… ({len(value):,} letters)" if len(value) > limit else value
    return f"<bdi>{escape(_UNPRINTABLE.sub(_code, cut))}</bdi>"


def title(value: str) -> str:
    """Writes a text as the title of a table, which stays in one line."""
    return text(value, MAX_TITLE)


def _code(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


def words(value: Any) -> str:
    """Says an argument's value in a few words.

    Args:
        value: Anything; an object whose `repr` raises is called by its class.

    Returns:
        Plain text, not escaped.
    """
    if isinstance(value, str):
        return value if value.strip() else repr(value)
    if isinstance(value, Mapping):
        return "{" + _list(f"{words(key)}: {words(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{_list(map(words, value))}]"
    if type(value) is tuple:
        return f"({_list(map(words, value))}{',' if len(value) == 1 else ''})"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"array of shape {tuple(value.shape)}"
    name = getattr(value, "__name__", None) or getattr(value, "words", None)
    return name if isinstance(name, str) else own_repr(value)


def _list(items: Iterable[str]) -> str:
    shown = list(islice(items, MAX_ITEMS + 1))
    return ", ".join([*shown[:MAX_ITEMS], "…"] if len(shown) > MAX_ITEMS else shown)


def own_repr(thing: Any) -> str:
    """The `repr` of an object, or the name of its class if that raises."""
    try:
        return repr(thing)
    except Exception:
        return type(thing).__name__


def table(
    caption: str, header: Sequence[str], rows: Sequence[Row], numbers: Container[int] = (), foot: Row | None = None
) -> str:
    """Writes a table.

    Args:
        caption: HTML of its caption; none if empty.
        header: The columns' names; none for a table of facts.
        rows: The rows.
        numbers: The indices of the columns that are set flush right.
        foot: A last row with totals.

    Returns:
        The HTML.
    """

    def cells(row: Row) -> str:
        first, *others = row.cells
        mark = MARK if row.changed else ""
        inner = "".join(f"<td{_flush(index in numbers)}>{cell}</td>" for index, cell in enumerate(others, start=1))
        return f'<th scope="row"{_flush(0 in numbers)}>{mark}{first}</th>{inner}'

    changed = ' class="rnnspec-changed"'
    head = "".join(f'<th scope="col"{_flush(index in numbers)}>{name}</th>' for index, name in enumerate(header))
    lines = [
        "<table>",
        f"<caption>{caption}</caption>" if caption else "",
        f"<thead><tr>{head}</tr></thead>" if header else "",
        "<tbody>",
        *(f"<tr{changed if row.changed else ''}>{cells(row)}</tr>" for row in rows),
        "</tbody>",
        f"<tfoot><tr>{cells(foot)}</tr></tfoot>" if foot else "",
        "</table>",
    ]
    return "\n".join(line for line in lines if line)


def _flush(right: bool) -> str:
    return ' class="rnnspec-number"' if right else ""


def details(summary: str, body: str) -> str:
    """Writes what is shown when it is asked for."""
    return f"<details><summary>{summary}</summary>\n{body}\n</details>"


def arguments(caption: str, items: Sequence[Item]) -> str:
    """Writes the arguments of a config or a layer: those that differ from their defaults, and folded away the others.

    Args:
        caption: HTML of the caption.
        items: The arguments.

    Returns:
        The HTML.
    """
    changed = [Row((text(one.name), one.value, text(one.default)), changed=True) for one in items if one.changed]
    others = [Row((text(one.name), one.value)) for one in items if not one.changed]
    header = ("argument", "value", "default")
    parts = [table(f"{caption} {_LEGEND}", header, changed) if changed else f"<p><b>{caption}</b></p>"]
    if others:
        count = f"{len(others)} argument{'s' if len(others) > 1 else ''} with the default value"
        parts.append(details(count, table("", ("argument", "value"), others)))
    return "\n".join(parts)


def fragment(*parts: str) -> str:
    """Puts the parts together, with the style."""
    return "\n".join([f'<div class="rnnspec-html">{_STYLE}', *parts, "</div>"])


def never_raises(draw: Callable[[Thing], str]) -> Callable[[Thing], str]:
    """Shows the plain `repr` of what cannot be drawn: a notebook must show something, whatever the object holds."""

    @wraps(draw)
    def drawn(thing: Thing) -> str:
        try:
            return draw(thing)
        except Exception:
            return fragment(f"<pre>{text(own_repr(thing), 10_000)}</pre>")

    return drawn
