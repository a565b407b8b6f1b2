"""YAML text into trees: values, lines, syntax faults, bounds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headgate.conf.documents import MOST_BYTES, read_file, read_text
from headgate.conf.nodes import Entries, flow, from_python, resolved, to_python
from headgate.core.errors import Fault

SYNTAX = {
    "a:\n\t- b\n": "f:2 a: a tab stands here: indent with spaces",
    "a: `b`\n": "f:1 a: a value cannot begin with `: put it in quotes",
    "a: @b\n": "f:1 a: a value cannot begin with @: put it in quotes",
    "a: *b\n": "f:1 a: '*b' stands for nothing: quote a text that begins with *",
    "a: *\n": "f:1 a: a value that begins with * or & needs quotes",
    "a: b: c\n": "f:1: a second ':' in this line, or too much indentation: quote a text with ':'",
    "a: {b: c\nd: e\n": (
        "f:1 a: the '{' here is not closed by '}' (read up to line 2): a value with quotes,"
        " brackets or commas needs quotes around all of it"
    ),
    "a: [b in ('x')]\n": "",
    "a: {b: c in ('x', 'y')}\n": (
        "f:1 a: the '{' here is not closed by '}': a value with quotes, brackets or commas"
        " needs quotes around all of it"
    ),
    "a: 'b\n": "f:1 a: the quote opened here is not closed",
    "a: b\n c\n- d\n": (
        "f:3: this line is indented otherwise than those it belongs to, or a quote is missing"
    ),
    "a: b\nc\nd: e\n": "f:2: a ':' and a space are missing after this key",
    "a: b\n---\nc: d\n": "f:2: a second document begins here ('---'): one a file",
    "": "f: is empty",
    "# only a comment\n": "f: is empty",
    "a: !!python/name:os.system x\n": (
        "f:1 a: tags (!…) have no meaning here: quote a text with '!'"
    ),
    "a: &x [*x]\n": "f:1 a[0]: '*x' stands for nothing: quote a text that begins with *",
    "{{a}}: b\n": "f:1: a key has to be text: quote a text with { or [",
    "a: " + "[" * 500 + "]" * 500: "f:1: is nested more than 40 deep",
    "a: b\x00c\n": "f:1: holds a control character: is this a text file?",
    "a: 1\nb: 007\n": (
        "f:2 b: is '007' a number or a text? Write it without the zero, or in quotes"
    ),
    "a: 1\nb: 2\na: 3\n": "f:3 a: duplicate key 'a' (first in line 1)",
    "a: {b: f(1, 2), c: 3}\n": (
        'f:1 a.b: YAML\'s comma cuts this in two: put it in quotes: b: "f(1, 2)"'
    ),
    "a: [x, f(1, 2, 3)]\n": (
        'f:1 a[1]: YAML\'s comma cuts this in two: put it in quotes: "f(1, 2, 3)"'
    ),
    "a: {<<: 1}\n": "f:1 a: '<<' takes a map (an alias of one)",
}


@pytest.mark.parametrize("text", SYNTAX)
def test_syntax(text: str) -> None:
    faults: list[Fault] = []
    read_text(text, "f", faults)
    assert [str(fault) for fault in faults] == ([SYNTAX[text]] if SYNTAX[text] else [])


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for place in range(1, 12):
        inner = ", ".join([f"*a{place - 1}"] * 10)
        lines.append(f"a{place}: &a{place} [{inner}]")
    faults: list[Fault] = []
    assert read_text("\n".join(lines), "f", faults) is None
    assert faults[0].what == "holds more than 100,000 values (with aliases unfolded)"


def test_files_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\x89PNG\xff\xfe\x00")
    (tmp_path / "latin").write_bytes("größe: 1".encode("latin-1"))
    (tmp_path / "large").write_bytes(b"#" * (MOST_BYTES + 1))
    (tmp_path / "bom").write_bytes("a: größe".encode("utf-8-sig"))
    faults: list[Fault] = []
    for name in ("binary", "latin", "large", "absent", "."):
        assert read_file(tmp_path / name, name, faults) is None
    assert [str(fault) for fault in faults] == [
        "binary: is not text in UTF-8: save it as UTF-8",
        "latin: is not text in UTF-8: save it as UTF-8",
        "large: is larger than 4 MB",
        "absent: cannot be read: No such file or directory",
        ".: cannot be read: Is a directory",
    ]
    node = read_file(tmp_path / "bom", "bom", faults)
    assert node is not None
    assert to_python(node) == {"a": "größe"}


def test_values_of_yaml_1_2() -> None:
    texts = {
        "NO": "NO", "on": "on", "yes": "yes", "18:00": "18:00", "2026-01-01": "2026-01-01",
        "1_000": "1_000", "12": 12, "-3": -3, "+4": 4, "1.5": 1.5, ".5": 0.5, "1e3": 1000.0,
        "0x1F": 31, "0o17": 15, "true": True, "False": False, "~": None, "null": None, "": None,
        "tRue": "tRue", "1.2.3": "1.2.3", "-": "-", ".": ".", "9" * 70: "9" * 70,
    }  # fmt: skip
    assert {text: resolved(text) for text in texts} == texts


def test_lines_and_order() -> None:
    faults: list[Fault] = []
    node = read_text("# one\na:\n  - b\n  -\n    c: d\n'e': |\n  f\n", "f", faults)
    assert isinstance(node, Entries)
    assert [(key.text, key.line, value.line) for key, value in node.entries] == [
        ("a", 2, 3),
        ("e", 6, 6),
    ]
    assert to_python(node) == {"a": ("b", {"c": "d"}), "e": "f\n"}


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text("abc: ,'\"{}[]#-?", min_size=1, max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(PLAIN)
@example("0:")
@example(("(", None))
def test_what_is_written_on_one_line_reads_back_the_same(value: object) -> None:
    faults: list[Fault] = []
    text = flow(from_python({"a": value}, "f"))
    assert "\n" not in text
    node = read_text(text, "f", faults)
    assert node is not None
    assert (to_python(node), faults) == ({"a": value}, [])
