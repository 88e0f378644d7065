"""ruamel.yaml's syntax errors in plain words."""

from __future__ import annotations

import re
from typing import NamedTuple

from ruamel.yaml.error import MarkedYAMLError

from rnnspec.errors import Problem
from rnnspec.yaml.text import Text

__all__ = ["explain"]


class _Words(NamedTuple):
    """What to say where ruamel's text matches; `{found}` in it is the text at the error."""

    pattern: str
    message: str
    hint: str | None = None
    at_start: bool = False
    """Whether the caret belongs where the construct began (ruamel's context), not where reading stopped."""


_REFERENCE = re.compile(r"\$\{[^{}\r\n]*\}")
_QUOTE = "put the text in quotes"
_BACKSLASH = "use single quotes, or double the '\\'"
# The first match counts: the special cases of a message stand before the general one.
_TABLE = [
    _Words(
        "mapping values are not allowed",
        "this ':' cannot stand here",
        f"{_QUOTE}, or check the indentation and the line above",
    ),
    _Words("sequence entries are not allowed", "a list cannot begin in its key's line", "begin a new line before '-'"),
    _Words("mapping keys are not allowed", "'?' cannot stand here", _QUOTE),
    _Words("could not find expected ':'", "expected a ':' and a space after the key", at_start=True),
    _Words("quoted scalar: found unexpected", "the quoted text that begins here has no end", "close the quote", True),
    _Words("cannot start any token", "text cannot begin with {found}", _QUOTE),
    _Words("flow sequence: ", "expected ',' or ']' in the list, found {found}"),
    _Words("flow mapping: ", "expected ',' or '}' in the mapping, found {found}"),
    _Words("expected the node content", "expected a value, found {found}"),
    _Words("block (mapping|collection): .*<block mapping start>", "the indentation fits no line above"),
    _Words("block mapping: .*'-'", "a list cannot stand among the keys of a mapping"),
    _Words("block collection: .*'[?]'", "a key cannot stand among the items of a list"),
    _Words("block (mapping|collection): ", "expected the end of the line, found {found}"),
    _Words("unknown escape character", "this '\\' means nothing in double quotes", _BACKSLASH),
    _Words("expected escape sequence", "this '\\' in double quotes needs more digits", _BACKSLASH),
    _Words("scanning an alias", "a '*' here needs the name of an anchor", _QUOTE, True),
    _Words("scanning an anchor", "an '&' here needs a name", _QUOTE, True),
    _Words(
        "more indented follow up", "the blank line above has another indentation than this text", "remove its spaces"
    ),
    _Words("scanning a block scalar", "expected the end of the line after '|' or '>'"),
    _Words("tag", "the tag that begins here cannot be read", _QUOTE, True),
    _Words("directive|YAML document", "a line that begins with '%' cannot be read, expected '%YAML 1.2'"),
    _Words("expected '<document start>'", "the document has ended, expected nothing more, found {found}"),
    _Words("document end marker", "expected nothing after '...', found {found}"),
]


def explain(error: MarkedYAMLError, text: Text, flow: int | None) -> Problem:
    """Words a syntax error.

    Args:
        error: What ruamel.yaml raised.
        text: The text it was reading.
        flow: Where the innermost `{` or `[` stands that is open; None if there is none.

    Returns:
        The problem, located.
    """
    stopped = (error.problem_mark or error.context_mark).index
    began = (error.context_mark or error.problem_mark).index
    said = ": ".join(part for part in (error.context, error.problem) if part)
    if text.text.startswith("\t", stopped):
        return _tab(stopped, text)
    if flow is not None and "<stream end>" in said:
        kind, close = ("mapping", "}") if text.text[flow] == "{" else ("list", "]")
        return text.problem(f"the {kind} that begins here has no end", flow, hint=f"close it with '{close}'")
    reference = _REFERENCE.match(text.text, max(0, stopped - 1))
    if reference:
        quoted = f'write "{reference.group()}"'
        return text.problem("a reference inside {...} or [...] needs quotes", reference.start(), hint=quoted)
    words = next((words for words in _TABLE if re.search(words.pattern, said)), _Words("", f"this is not YAML: {said}"))
    message = words.message.replace("{found}", _found(stopped, text))
    hint = words.hint
    if "flow" in said and not words.at_start and text.line_of(began) < text.line_of(stopped):
        hint = f"it began in line {text.line_of(began)}"
    return text.problem(message, began if words.at_start else stopped, hint=hint)


def _found(index: int, text: Text) -> str:
    """What stands at a character, for a message."""
    line = re.split("[\r\n]", text.text[index : index + 20], maxsplit=1)[0].strip()
    return f"'{line}'" if line else "the end of the line"


def _tab(index: int, text: Text) -> Problem:
    others = len(re.findall(r"^[ ]*\t", text.text, re.MULTILINE))
    start = re.split("[\r\n]", text.text[:index])[-1]
    if start.strip():
        return text.problem("a tab cannot stand here, expected a space", index)
    hint = f"{others} lines begin with a tab" if others > 1 else None
    return text.problem("a tab cannot indent a line, expected spaces", index, hint=hint)
