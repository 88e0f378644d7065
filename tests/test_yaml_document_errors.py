"""Texts that are no plain YAML: every message, with its place and its hint."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rnnspec.errors import ConfigError
from rnnspec.yaml.document import parse, read

QUOTE = "put the text in quotes"
COLON = f"{QUOTE}, or check the indentation and the line above"
BACKSLASH = "use single quotes, or double the '\\'"


def refusal(text: str | bytes) -> list[str]:
    """What is said, a line each, without the lines that show the source."""
    with pytest.raises(ConfigError) as error:
        parse(text)
    return [line for line in str(error.value).splitlines() if not line.startswith("  ") or line.startswith("  hint")]


SYNTAX = [
    ("two colons", "name: a: b", "1:8: this ':' cannot stand here", COLON),
    ("too deep", "a: 3\n  b: 1", "2:4: this ':' cannot stand here", COLON),
    ("colon after a name alone", "LSTM\n  units: 3", "2:8: this ':' cannot stand here", COLON),
    ("between levels", "a:\n  b: 1\n c: 2", "3:2: the indentation fits no line above", None),
    ("between levels of a list", "- a: 1\n b: 2", "2:2: the indentation fits no line above", None),
    ("key in a list", "- a\nb: 1", "2:1: a key cannot stand among the items of a list", None),
    ("item in a mapping", "a: 1\n- b", "2:1: a list cannot stand among the keys of a mapping", None),
    ("list beside its key", "a: - b", "1:4: a list cannot begin in its key's line", "begin a new line before '-'"),
    ("question mark", "a: ? b", "1:4: '?' cannot stand here", QUOTE),
    ("no space after the colon", "a: 1\nunits:3\nb: 2", "2:1: expected a ':' and a space after the key", None),
    ("open {", "a: {b: 1\n", "1:4: the mapping that begins here has no end", "close it with '}'"),
    ("open [ in {", "a: {b: &x [1, [2], c: d\n", "1:11: the list that begins here has no end", "close it with ']'"),
    ("open [", "a: [1,\n", "1:4: the list that begins here has no end", "close it with ']'"),
    (
        "{ open over lines",
        "a: {b: 1\nc: 2",
        "2:2: expected ',' or '}' in the mapping, found ': 2'",
        "it began in line 1",
    ),
    ("[ open over lines", "a: [1\nc: 2", "2:2: expected ',' or ']' in the list, found ': 2'", "it began in line 1"),
    ("wrong bracket", "a: [1, 2}", "1:9: expected ',' or ']' in the list, found '}'", None),
    ("bracket too many", "a: {b: 1}}", "1:10: expected the end of the line, found '}'", None),
    ("bracket too many at the root", "[a]]", "1:4: the document has ended, expected nothing more, found ']'", None),
    ("bracket alone", "a: ]", "1:4: expected a value, found ']'", None),
    ("comma too many", "a: [1,,2]", "1:7: expected a value, found ',2]'", None),
    ("open quote", "a: 'b\n", "1:4: the quoted text that begins here has no end", "close the quote"),
    ("quote over documents", 'a: "b\n---\n', "1:4: the quoted text that begins here has no end", "close the quote"),
    ("quote in a quote", "a: 'it's'", "1:8: expected the end of the line, found 's''", None),
    ("quote in a quote, list", "- 'it's'", "1:7: expected the end of the line, found 's''", None),
    ("backslash", 'a: "C:\\data"', "1:8: this '\\' means nothing in double quotes", BACKSLASH),
    ("short escape", 'a: "\\x4"', "1:7: this '\\' in double quotes needs more digits", BACKSLASH),
    ("impossible escape", 'a: "\\UFFFFFFFF"', "1:5: the number that begins here is too large", None),
    ("impossible version", f"%YAML 1.{'9' * 5000}\n---\na", "1:1: the number that begins here is too large", None),
    ("at sign", "a: @tanh", "1:4: text cannot begin with '@tanh'", QUOTE),
    ("backtick", "a: `x`", "1:4: text cannot begin with '`x`'", QUOTE),
    ("percent", "a: %x # c and more than twenty", "1:4: text cannot begin with '%x # c and more than'", QUOTE),
    ("star alone", "a: *", "1:4: a '*' here needs the name of an anchor", QUOTE),
    ("ampersand alone", "a: & b", "1:4: an '&' here needs a name", QUOTE),
    ("two anchors", "a: &x &y 1", "1:7: expected the end of the line, found '&y 1'", None),
    ("text after |", "a: |x\n y", "1:5: expected the end of the line after '|' or '>'", None),
    (
        "blank line after |",
        "a: |\n \n  x",
        "3:3: the blank line above has another indentation than this text",
        "remove its spaces",
    ),
    ("text indented less", "a: >\n    x\n  y", "3:3: expected the end of the line, found 'y'", None),
    ("tag handle", "a: !a!b c", "1:4: the tag that begins here cannot be read", QUOTE),
    ("open tag", "a: !<x c", "1:4: the tag that begins here cannot be read", QUOTE),
    ("text after ...", "a: 1\n... x", "2:5: expected nothing after '...', found 'x'", None),
    (
        "mapping after a mapping",
        "{a: 1}\nb: 2",
        "2:1: the document has ended, expected nothing more, found 'b: 2'",
        None,
    ),
    ("directive", "%YAML x\n---\n1", "1:7: a line that begins with '%' cannot be read, expected '%YAML 1.2'", None),
    ("YAML 2", "%YAML 2.0\n---\n1", "1:1: a line that begins with '%' cannot be read, expected '%YAML 1.2'", None),
    ("tab", "a:\n\tb: 1", "2:1: a tab cannot indent a line, expected spaces", None),
    ("tabs", "a:\n\tb: 1\n \tc: 1\n", "2:1: a tab cannot indent a line, expected spaces", "2 lines begin with a tab"),
    ("tab after a colon", "a:\t1", "1:3: a tab cannot stand here, expected a space", None),
    ("bare reference in {}", "a: {b: ${u}}", "1:8: a reference inside {...} or [...] needs quotes", 'write "${u}"'),
    ("bare reference in []", "a: [${u}]", "1:5: a reference inside {...} or [...] needs quotes", 'write "${u}"'),
    (
        "second document",
        "a: 1\n---\nb: 2",
        "2:1: a second document begins here, expected one in a file",
        "make it a file of its own",
    ),
]


@pytest.mark.parametrize(("text", "said", "hint"), [pytest.param(*case[1:], id=case[0]) for case in SYNTAX])
def test_syntax_errors_in_plain_words(text: str, said: str, hint: str | None) -> None:
    assert refusal(text) == ([said, f"  hint: {hint}"] if hint else [said])


MISTAKES = [
    ("duplicate", "a: 1\nb: 2\na: 3", "3:1: a: duplicate key 'a', the first one is in line 1", None),
    (
        "duplicate inside",
        "a:\n  - b: 1\n    'b': 2",
        "3:5: a[0].b: duplicate key 'b', the first one is in line 2",
        None,
    ),
    (
        "duplicate merge",
        "<<: {}\n<<: {}",
        "2:1: <<: duplicate key '<<', the first one is in line 1",
        "write '<<: [*a, *b]' to merge two mappings",
    ),
    ("tag", "a: !foo 3", "1:4: a: the tag '!foo' is not allowed here", "remove the tag"),
    ("tag !", "a: ! 3", "1:4: a: the tag '!' is not allowed here", "remove the tag"),
    (
        "python tag",
        "- !!python/object/apply:os.system [ls]",
        "1:3: [0]: the tag '!!python/object/apply:os.system' is not allowed here",
        "remove the tag",
    ),
    ("binary", "a: !!binary aGk=", "1:4: a: the tag '!!binary' is not allowed here", "remove the tag"),
    ("set", "a: !!set {b}", "1:4: a: the tag '!!set' is not allowed here", "remove the tag"),
    ("tag of a list on a mapping", "!!seq {a: 1}", "1:1: the tag '!!seq' is not allowed here", "remove the tag"),
    (
        "tag with a handle",
        "%TAG !e! tag:e,2000:\n---\na: !e!b 1",
        "3:4: a: the tag 'tag:e,2000:b' is not allowed here",
        "remove the tag",
    ),
    ("no int", "a: !!int 'x'", "1:4: a: 'x' is not what its tag '!!int' says", None),
    ("no bool", "a: !!bool 1", "1:4: a: '1' is not what its tag '!!bool' says", None),
    ("no null", "a: !!null x", "1:4: a: 'x' is not what its tag '!!null' says", None),
    ("number as a key", "k: {1: 2}", "1:5: k: a key must be text, found the number 1", "put it in quotes"),
    ("boolean as a key", "true: 2", "1:1: a key must be text, found the boolean true", "put it in quotes"),
    ("null as a key", ": 2", "1:1: a key must be text, found null", None),
    ("list as a key", "? [a]\n: 2", "1:3: a key must be text, found a list", None),
    ("Jinja", "k: {{ u }}", "1:5: k: a key must be text, found a mapping", "a variable is written ${name}"),
    ("unknown alias", "a: *x", "1:4: a: there is no anchor '&x' above this alias", "the anchors above are: none"),
    (
        "alias before its anchor",
        "a: &y 1\nb: *x\nc: &x 3",
        "2:4: b: there is no anchor '&x' above this alias",
        "the anchors above are: y",
    ),
    ("cycle", "a: &x {b: *x}", "1:11: a.b: the alias '*x' stands inside its own anchor", None),
    ("cycle by merge", "a: &x {<<: *x}", "1:12: a.<<: the alias '*x' stands inside its own anchor", None),
    ("merge of a number", "<<: 3", "1:5: <<: '<<' takes a mapping or a list of mappings, found the number 3", None),
    ("merge of null", "a:\n  <<:\n", "2:3: a.<<: '<<' takes a mapping or a list of mappings, found null", None),
    ("merge of texts", "<<: [{a: 1}, b]", "1:14: <<: '<<' takes a mapping or a list of mappings, found text 'b'", None),
    (
        "merge of an unknown alias",
        "<<: [*x]",
        "1:6: <<[0]: there is no anchor '&x' above this alias",
        "the anchors above are: none",
    ),
    ("too large", "a: -1e999", "1:4: a: the number -1e999 is too large", None),
    ("too many digits", f"k: 1{'0' * 1000}", "1:4: k: a number of 1001 characters is too long", None),
    ("half a character", '"\\ud800"', "1:1: an escape in this text names half a character", None),
    (
        "YAML 1.1",
        "# c\n%YAML 1.1\n---\na: no",
        "2:1: YAML 1.1 is not read, expected YAML 1.2",
        "remove the line with '%YAML'",
    ),
    (
        "BOM",
        "\ufeffa: 1",
        "1:1: the text begins with a byte order mark (BOM), expected UTF-8 without one",
        "save it as 'UTF-8', not as 'UTF-8 with BOM'",
    ),
    ("NUL", "a: x\0", "1:5: the control character U+0000 is not allowed in a text", None),
    ("controls", "a: \x1b[0m\x7f", "1:4: the control character U+001B is not allowed in a text, and 1 more", None),
    ("surrogate", "a: \ud800", "1:4: the control character U+D800 is not allowed in a text", None),
    ("empty", "", "the document is empty", None),
    ("only line ends", "\n \n", "the document is empty", None),
    ("only ---", "---\n", "the document is empty", None),
    ("only comments", "# a\n\n# b", "the document is empty except for comments", None),
]


@pytest.mark.parametrize(("text", "said", "hint"), [pytest.param(*case[1:], id=case[0]) for case in MISTAKES])
def test_mistakes_have_their_own_messages(text: str, said: str, hint: str | None) -> None:
    assert refusal(text) == ([said, f"  hint: {hint}"] if hint else [said])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param("a: größe".encode("utf-16"), "the text is in UTF-16, expected UTF-8", id="UTF-16"),
        pytest.param("a: größe".encode("utf-16-be"), "the text is in UTF-16, expected UTF-8", id="UTF-16 without BOM"),
        pytest.param("a: größe".encode("utf-32"), "the text is in UTF-32, expected UTF-8", id="UTF-32"),
        pytest.param("a: größe".encode("utf-32-le"), "the text is in UTF-32, expected UTF-8", id="UTF-32 without BOM"),
        pytest.param(
            "ä: 1\nname: größe".encode().replace("ö".encode(), b"\xf6"),
            "2:9: byte 0xF6 is not UTF-8, the text looks like Latin-1 (Windows-1252)",
            id="Latin-1",
        ),
    ],
)
def test_other_encodings_are_named(data: bytes, said: str) -> None:
    assert refusal(data) == [said, "  hint: save it as UTF-8"]


def test_the_wrong_byte_is_shown_as_the_letter_that_was_meant() -> None:
    with pytest.raises(ConfigError) as error:
        parse(b"a: 1\nname: gr\xf6\xdfe", "m.yaml")
    assert str(error.value).splitlines()[1:3] == ["  2 | name: größe", "    |         ^"]


def test_a_binary_file_is_no_text() -> None:
    assert refusal(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") == ["this is not text, expected YAML in UTF-8"]


def test_zeros_alone_are_control_characters() -> None:
    assert refusal(b"\0\0\0")[0] == "1:1: the control character U+0000 is not allowed in a text, and 2 more"


def test_mistakes_before_a_syntax_error_are_reported_too() -> None:
    assert refusal("\ufeffa: 1\na: !x 2\nb: [") == [
        "1:1: the text begins with a byte order mark (BOM), expected UTF-8 without one",
        "  hint: save it as 'UTF-8', not as 'UTF-8 with BOM'",
        "2:4: a: the tag '!x' is not allowed here",
        "  hint: remove the tag",
        "2:1: a: duplicate key 'a', the first one is in line 1",
        "3:4: the list that begins here has no end",
        "  hint: close it with ']'",
    ]


def test_every_duplicate_is_reported_at_every_level() -> None:
    assert refusal("a: {b: 1, b: 2, b: 3}\nc:\n- d: {e: 1, e: 2}\n  d: 4\na: 5\n") == [
        "1:11: a.b: duplicate key 'b', the first one is in line 1",
        "1:17: a.b: duplicate key 'b', the first one is in line 1",
        "3:13: c[0].d.e: duplicate key 'e', the first one is in line 3",
        "4:3: c[0].d: duplicate key 'd', the first one is in line 3",
        "5:1: a: duplicate key 'a', the first one is in line 1",
    ]


DEEP = "more than 50 lists and mappings inside one another"
BOMB = "\n".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[" * 2000, f"1:51: {DEEP}", id="brackets"),
        pytest.param("# {\n- " + "{a: " * 2000, f"2:203: {DEEP}", id="braces"),
        pytest.param("[\n" * 2000, f"51:1: {DEEP}", id="brackets over lines"),
        pytest.param("- " * 2000, f"1:101: {DEEP}", id="dashes"),
        pytest.param("\n".join(" " * level + "a:" for level in range(60)), f"51:51: {DEEP}", id="indentation"),
        pytest.param(
            "- &a " + "[" * 30 + "]" * 30 + "\n- " + "[" * 20 + "*a" + "]" * 20, f"2:23: {DEEP}", id="aliases"
        ),
        pytest.param(
            "- &a " + "[" * 40 + "]" * 40 + "\n- &b [*a]\n- " + "[" * 9 + "*b" + "]" * 9,
            f"3:12: {DEEP}",
            id="aliases of aliases",
        ),
        pytest.param(
            "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + BOMB,
            "6:12: more than 200,000 values with every alias written out",
            id="alias bomb",
        ),
        pytest.param(
            "a: &a {b: 1, c: 2, d: 3, e: 4}\n" + BOMB.replace("[", "{<<: [").replace("]", "]}"),
            "6:21: more than 200,000 values with every alias written out",
            id="merge bomb",
        ),
    ],
)
def test_bombs_are_refused_at_once(text: str, said: str) -> None:
    start = time.process_time()
    assert refusal(text) == [said]
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("text", ["[" * 50 + "]" * 50, "# " + "[" * 100 + "\na: 1", "a: [" + "[1], " * 100 + "]"])
def test_what_is_not_too_deep_is_read(text: str) -> None:
    parse(text)


def refusal_of_file(path: Path) -> str:
    with pytest.raises(ConfigError) as error:
        read(path)
    return str(error.value).replace(str(path.parent), "...")


@pytest.mark.parametrize("name", ["k208-embed.h5", "k305-embed.keras"])
def test_a_model_of_keras_is_told_where_it_is_read(name: str) -> None:
    assert refusal_of_file(Path(__file__).parent / "keras_files" / name) == (
        f".../{name}: this is an HDF5 file or an archive, as Keras writes models, expected a YAML file\n"
        "  hint: rnnspec.from_keras reads models of Keras, `rnnspec convert` makes YAML of them"
    )


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    assert refusal_of_file(path) == ".../huge.yaml: the file has more than 10 MB, too much for a config"


@pytest.mark.parametrize("name", ["modle.yaml", "model.yml"])
def test_a_missing_file_names_its_neighbour(name: str, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").touch()
    said = f".../{name}: there is no such file\n  hint: did you mean 'model.yaml'?"
    assert refusal_of_file(tmp_path / name) == said


def test_the_ending_alone_makes_no_neighbour(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").touch()
    assert refusal_of_file(tmp_path / "nix.yaml") == ".../nix.yaml: there is no such file"


def test_a_missing_folder_has_no_neighbour(tmp_path: Path) -> None:
    assert refusal_of_file(tmp_path / "no" / "model.yaml") == ".../model.yaml: there is no such file"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refusal_of_file(tmp_path) == f".../{tmp_path.name}: this is a folder, expected a YAML file"


def test_an_unreadable_path_says_why(tmp_path: Path) -> None:
    assert refusal_of_file(tmp_path / ("x" * 300)) == f".../{'x' * 300}: cannot be read: File name too long"
    assert refusal_of_file(tmp_path / "a\0b") == ".../a\0b: cannot be read: embedded null byte"
