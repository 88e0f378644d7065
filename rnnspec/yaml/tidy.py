"""`rnnspec fmt`: the same YAML with tidy white space.

Only what stands between ruamel.yaml's tokens is written anew: indentation, spaces, blank lines. Tokens and comments
stay as they are, letter for letter. (ruamel's own round trip moves or loses comments, mostly those inside `{...}`.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.tokens import (
    AliasToken,
    AnchorToken,
    BlockEndToken,
    BlockEntryToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    FlowEntryToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
    KeyToken,
    ScalarToken,
    TagToken,
    Token,
    ValueToken,
)

from rnnspec.errors import Error, Problem
from rnnspec.yaml.document import parse

__all__ = ["format_text"]

_STEP = 2
_FLOW_STARTS = (FlowMappingStartToken, FlowSequenceStartToken)
_FLOW_ENDS = (FlowMappingEndToken, FlowSequenceEndToken)
_NAMES = (AliasToken, AnchorToken, TagToken)


def format_text(text: str, file: str | None = None) -> str:
    """Tidies a YAML document: two spaces a level, lists indented under their key, at most one blank line in a row.

    Args:
        text: The document.
        file: Its file, for messages.

    Returns:
        The document with the same data, tokens, comments and kind of line breaks. Tidying it again changes nothing.

    Raises:
        ConfigError: If it is not a YAML document.
        Error: If it could not be tidied without a change of its data; that would be a mistake of ours.
    """
    before = parse(text, file).data
    tidy = _Tidier(re.sub("\r\n|\r", "\n", text)).run()
    try:
        unchanged = repr(parse(tidy).data) == repr(before)
    except Error:
        unchanged = False
    if not unchanged:
        raise Error(Problem("this document cannot be tidied without changing it", file=file))
    return tidy.replace("\n", "\r\n") if "\r\n" in text else tidy


@dataclass
class _Block:
    """A list or mapping in block style that is open."""

    column: int
    """Where its items or keys stand now."""
    mapping: bool
    indentless: bool = False
    """Whether it is a list at the column of its mapping's keys, for whose end there is no token."""


@dataclass
class _Tidier:
    text: str
    blocks: list[_Block] = field(default_factory=list)
    flow: int = 0
    """How many `{` and `[` are open."""
    begins_entry: bool = False
    """Whether the next real token begins a key or an item of the innermost block."""
    previous: Token | None = None
    end: int = 0
    """Where the previous real token ended."""
    columns: dict[int, int] = field(default_factory=dict)
    """From present to tidy column, of the blocks that were open at the previous token."""
    written: list[str] = field(default_factory=list)

    def run(self) -> str:
        for token in YAML(typ="safe", pure=True).scan(self.text):
            self._enter(token)
            if token.end_mark.index > token.start_mark.index:
                self._write(token)
        self._write_gap(self.text[self.end :], None)
        # A line end would belong to the data of a text after `|` that has none.
        open_text = _is_block_scalar(self.previous) and not self.text.endswith("\n")
        return "".join(self.written).lstrip("\n") + ("" if open_text else "\n")

    def _enter(self, token: Token) -> None:
        """Keeps track of the open blocks."""
        column = token.start_mark.column
        if isinstance(token, BlockMappingStartToken | BlockSequenceStartToken):
            self.blocks.append(_Block(column, isinstance(token, BlockMappingStartToken)))
        elif isinstance(token, BlockEndToken):
            if self.blocks.pop().indentless:
                self.blocks.pop()
        elif isinstance(token, KeyToken) and not self.flow:
            if self.blocks[-1].indentless:
                self.blocks.pop()
            self.begins_entry = True
        elif isinstance(token, BlockEntryToken):
            if self.blocks[-1].mapping:
                self.blocks.append(_Block(column, mapping=False, indentless=True))
            self.begins_entry = True

    def _write(self, token: Token) -> None:
        start, end = token.start_mark.index, token.end_mark.index
        gap = self.text[self.end : start]
        if "\n" in gap or self.previous is None:
            self._write_gap(gap, token)
        else:
            self.written.append(self._space(gap, token))
        text = self.text[start:end]
        if _is_block_scalar(token):
            text, tidy = self._block_scalar(text)
        else:
            tidy = self._continued(text)
        self.written.append(tidy)
        self.flow += isinstance(token, _FLOW_STARTS) - isinstance(token, _FLOW_ENDS)
        self.begins_entry = False
        self.previous, self.end = token, start + len(text)
        self.columns = {block.column: _STEP * depth for depth, block in enumerate(self.blocks)}

    def _space(self, gap: str, token: Token) -> str:
        """The space between two tokens of a line."""
        previous = self.previous
        if isinstance(token, FlowEntryToken | FlowMappingEndToken | FlowSequenceEndToken):
            # `{a: }` would be another key without its space.
            return " " if isinstance(previous, ValueToken) or (gap and isinstance(previous, _NAMES)) else ""
        if isinstance(token, ValueToken):
            return " " if isinstance(previous, (*_NAMES, KeyToken, BlockEntryToken, FlowEntryToken)) else ""
        return "" if isinstance(previous, _FLOW_STARTS) else " "

    def _indent(self, token: Token) -> int:
        """The tidy column of a token that begins a line."""
        depth = len(self.blocks)
        if self.flow:
            level = self.flow - isinstance(token, _FLOW_ENDS)
            return _STEP * (max(depth, depth + level - 1) if depth else level)
        entry = self.begins_entry or isinstance(token, ValueToken)
        return _STEP * (depth - 1 if entry else depth)

    def _write_gap(self, gap: str, token: Token | None) -> None:
        """Writes line ends, blank lines and comments before a token; None is the end of the text."""
        first, *lines = gap.split("\n")
        if self.previous is None:
            first, lines = "", [first, *lines]
        comment = first.strip()
        self.written.append(f" {comment}" if comment else "")
        blank = False
        for line in lines[:-1] if token else lines:
            comment = line.strip()
            if comment:
                indent = self._comment_indent(_width(line), token)
                self.written.append("\n" * (1 + blank) + " " * indent + comment)
            blank = not comment
        if token:
            self.written.append("\n" * (1 + blank) + " " * self._indent(token))

    def _comment_indent(self, present: int, token: Token | None) -> int:
        """The tidy column of a comment line before a token: that of the token or the block that it stands in."""
        if token and (self.flow or present == token.start_mark.column):
            return self._indent(token)
        around = [column for column in self.columns if column <= present]
        return self.columns[max(around)] if around else 0

    def _continued(self, text: str) -> str:
        """A plain or quoted text; where it has several lines, they are indented anew."""
        first, *lines = text.split("\n")
        indent = "\n" + " " * _STEP * max(1, len(self.blocks))
        return first + "".join(indent + line.strip(" \t") if line.strip() else "\n" for line in lines)

    def _block_scalar(self, text: str) -> tuple[str, str]:
        """A text after `|` or `>`: as it is, without what does not count at its end, and with another indentation."""
        header, *lines = text.split("\n")
        signs = header.partition("#")[0]
        digit = re.search("[1-9]", signs)
        present = shift = 0
        if self.blocks and digit:
            present = self.blocks[-1].column + int(digit.group())
            shift = _STEP * (len(self.blocks) - 1) - self.blocks[-1].column
        elif self.blocks:
            present = next((_width(line) for line in lines if line.strip(" ")), max(map(len, lines), default=0))
            shift = _STEP * len(self.blocks) - present
        if "+" in signs and text.endswith("\n"):
            lines.pop()
        while "+" not in signs and lines and len(lines[-1]) <= present and not lines[-1].strip(" "):
            lines.pop()
        moved = [" " * (_width(line) + shift) + line.lstrip(" ") if len(line) > present else "" for line in lines]
        return "\n".join([header, *lines]), "\n".join([header.rstrip(), *moved])


def _is_block_scalar(token: Token | None) -> bool:
    return isinstance(token, ScalarToken) and token.style in ("|", ">")


def _width(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
