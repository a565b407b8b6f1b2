"""YAML text into a tree with line numbers: YAML 1.2 values, no duplicate keys, bounded size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from headgate.conf.nodes import Entries, Listing, Node, Scalar, resolved
from headgate.core.errors import Fault

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is ten times as fast
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
CUT = "YAML's comma cuts this in two"
MOST_BYTES = 4_000_000
MOST_NODES = 100_000  # after aliases are unfolded
DEEPEST = 40


class _StopError(Exception):
    """A fault after which the rest of the file says nothing."""

    def __init__(self, line: int, path: str, what: str) -> None:
        super().__init__(what)
        self.line, self.path, self.what = line, path, what


def read_file(path: Path, shown: str, faults: list[Fault]) -> Node | None:
    """The tree of one file; None, and a fault, where it cannot be read."""
    text = text_of(path, shown, faults)
    return None if text is None else read_text(text, shown, faults)


def text_of(path: Path, shown: str, faults: list[Fault]) -> str | None:
    """The text of a file; None, and a fault, where there is none."""
    try:
        if path.stat().st_size > MOST_BYTES:
            faults.append(Fault(shown, 0, "", f"is larger than {MOST_BYTES // 1_000_000} MB"))
            return None
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        faults.append(Fault(shown, 0, "", "is not text in UTF-8: save it as UTF-8"))
    except OSError as error:
        faults.append(Fault(shown, 0, "", f"cannot be read: {error.strerror or 'I/O error'}"))
    return None


def read_text(text: str, shown: str, faults: list[Fault]) -> Node | None:
    """The tree of one YAML text; None, and a fault, where there is none."""
    composer = _Composer(shown, faults)
    try:
        return composer.document(yaml.parse(text, Loader=_PARSER))
    except _StopError as stop:
        faults.append(Fault(shown, stop.line, stop.path, stop.what))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, max(error.position, 0)) + 1
        faults.append(Fault(shown, line, "", "holds a control character: is this a text file?"))
    except yaml.MarkedYAMLError as error:
        faults.append(_syntax(error, text, shown, composer))
    return None


def _syntax(error: yaml.MarkedYAMLError, text: str, shown: str, composer: _Composer) -> Fault:
    """A syntax error in words that say what to do."""
    mark, problem = error.problem_mark or error.context_mark, error.problem or "not YAML"
    lines = text.splitlines()
    row = mark.line if mark else 0
    rest = lines[row][mark.column :] if mark and row < len(lines) else ""
    opened = error.context_mark.line + 1 if error.context_mark else 0
    if "cannot start any token" in problem and rest.startswith("\t"):
        what = "a tab stands here: indent with spaces"
    elif "cannot start any token" in problem:
        what = f"a value cannot begin with {rest[:1]}: put it in quotes"
    elif "mapping values are not allowed" in problem:
        what = "a second ':' in this line, or too much indentation: quote a text with ':'"
    elif "flow" in (error.context or "") and composer.flow:
        opening, bracket = composer.flow[-1]
        seen = f" (read up to line {row + 1})" if opening != row + 1 else ""
        row, closing = opening - 1, "}" if bracket == "{" else "]"
        what = (
            f"the '{bracket}' here is not closed by '{closing}'{seen}:"
            " a value with quotes, brackets or commas needs quotes around all of it"
        )
    elif "quoted scalar" in (error.context or ""):
        row = opened - 1
        what = "the quote opened here is not closed"
    elif "expected ':'" in problem:
        row = opened - 1 if opened else row
        what = "a ':' and a space are missing after this key"
    elif "expected key" in problem or "block" in (error.context or ""):
        what = "this line is indented otherwise than those it belongs to, or a quote is missing"
    elif "alias" in (error.context or "") or "anchor" in (error.context or ""):
        what = "a value that begins with * or & needs quotes"
    else:
        what = f"not YAML: {problem}"
    return Fault(shown, row + 1, composer.path, what)


def _unclosed(text: str) -> int:
    """How many brackets a text leaves open."""
    return sum(text.count(c) for c in "([{") - sum(text.count(c) for c in ")]}")


@dataclass
class _Composer:
    """Builds the tree from the parser's events."""

    file: str
    faults: list[Fault]
    anchors: dict[str, tuple[Node, int]] = field(default_factory=dict)
    made: int = 0
    path: str = ""
    flow: list[tuple[int, str]] = field(default_factory=list)  # open brackets, with their lines

    def document(self, events: Iterator[Any]) -> Node:
        """The only document of a text."""
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                mark: Any = event.start_mark
                if root is not None:
                    line = mark.line + 1
                    raise _StopError(line, "", "a second document begins here ('---'): one a file")
                root = self.node(next(events), events, 0)
        if root is None:
            raise _StopError(0, "", "is empty")
        return root

    def node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        """The value that begins with an event."""
        line = event.start_mark.line + 1
        if depth > DEEPEST:
            raise _StopError(line, "", f"is nested more than {DEEPEST} deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, line)
        before = self.made
        self._count(1, line)
        if event.tag is not None and not (
            isinstance(event, yaml.ScalarEvent) and event.tag in _TEXT_TAGS
        ):
            raise _StopError(
                line, self.path, "tags (!…) have no meaning here: quote a text with '!'"
            )
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._listing(event, events, line, depth)
        else:
            node = self._entries(event, events, line, depth)
        if event.anchor:
            self.anchors[event.anchor] = (node, self.made - before)
        return node

    def _count(self, nodes: int, line: int) -> None:
        self.made += nodes
        if self.made > MOST_NODES:
            raise _StopError(
                line, "", f"holds more than {MOST_NODES:,} values (with aliases unfolded)"
            )

    def _alias(self, event: Any, line: int) -> Node:
        if event.anchor not in self.anchors:
            what = f"'*{event.anchor}' stands for nothing: quote a text that begins with *"
            raise _StopError(line, self.path, what)
        node, size = self.anchors[event.anchor]
        self._count(size, line)
        return node

    def _scalar(self, event: Any, line: int) -> Scalar:
        text = str(event.value)
        if event.style or event.tag:
            return Scalar(self.file, line, text, text, quoted=True)
        value = resolved(text)
        if isinstance(value, int | float) and re.match(r"[-+]?0[0-9]", text):
            what = f"is '{text}' a number or a text? Write it without the zero, or in quotes"
            self.faults.append(Fault(self.file, line, self.path, what))
        return Scalar(self.file, line, value, text)

    def _listing(self, start: Any, events: Iterator[Any], line: int, depth: int) -> Listing:
        items: list[Node] = []
        outer = self.path
        self._open(start, line, "[")
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                self._close(start)
                break
            self.path = f"{outer}[{len(items)}]"
            items.append(self.node(event, events, depth + 1))
        self.path = outer
        return Listing(self.file, line, tuple(self._rejoined(items) if start.flow_style else items))

    def _open(self, start: Any, line: int, bracket: str) -> None:
        if start.flow_style:
            self.flow.append((line, bracket))

    def _close(self, start: Any) -> None:
        if start.flow_style:
            self.flow.pop()

    def _rejoined(self, items: list[Node]) -> list[Node]:
        """Items that a comma inside brackets cut in two, put together again, with a fault."""
        whole: list[Node] = []
        for item in items:
            last = whole[-1] if whole else None
            if last is not None and _cut(last) and isinstance(item, Scalar):
                whole[-1] = self._joined(last, item)
            else:
                whole.append(item)
        for place, item in enumerate(whole):
            if isinstance(item, _Joined):
                self._tell_cut(item, f"{self.path}[{place}]", f'"{item.text}"')
        return whole

    def _entries(self, start: Any, events: Iterator[Any], line: int, depth: int) -> Entries:
        pairs: list[tuple[Scalar, Node]] = []
        outer = self.path
        self._open(start, line, "{")
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                self._close(start)
                break
            key = self.node(event, events, depth + 1)
            if not isinstance(key, Scalar):
                raise _StopError(key.line, outer, "a key has to be text: quote a text with { or [")
            self.path = f"{outer}.{key.text}" if outer else key.text
            value = self.node(next(events), events, depth + 1)
            last = pairs[-1] if pairs else None
            empty = isinstance(value, Scalar) and value.empty
            if start.flow_style and empty and last and _cut(last[1]):
                pairs[-1] = (last[0], self._joined(last[1], key))
            else:
                pairs.append((key, value))
            self.path = outer
        for key, value in pairs:
            if isinstance(value, _Joined):
                path = f"{outer}.{key.text}" if outer else key.text
                self._tell_cut(value, path, f'{key.text}: "{value.text}"')
        return Entries(self.file, line, self._unique(pairs))

    def _joined(self, first: Node, second: Scalar) -> Scalar:
        text = f"{first.text if isinstance(first, Scalar) else ''}, {second.text}"
        return _Joined(first.file, first.line, text, text)

    def _tell_cut(self, node: Scalar, path: str, fix: str) -> None:
        what = f"{CUT}: put it in quotes: {fix}"
        self.faults.append(Fault(self.file, node.line, path, what))

    def _unique(self, pairs: list[tuple[Scalar, Node]]) -> tuple[tuple[Scalar, Node], ...]:
        """The pairs with merged ones (`<<`) unfolded; a key that comes twice is a fault."""
        own: dict[str, tuple[Scalar, Node]] = {}
        merged: list[tuple[Scalar, Node]] = []
        for key, value in pairs:
            if key.text == "<<" and not key.quoted:
                sources = value.items if isinstance(value, Listing) else (value,)
                for source in sources:
                    if not isinstance(source, Entries):
                        raise _StopError(key.line, self.path, "'<<' takes a map (an alias of one)")
                    merged.extend(source.entries)
            elif key.text in own:
                path = f"{self.path}.{key.text}" if self.path else key.text
                first = own[key.text][0].line
                what = f"duplicate key '{key.text}' (first in line {first})"
                self.faults.append(Fault(self.file, key.line, path, what))
            else:
                own[key.text] = (key, value)
        for key, value in merged:
            own.setdefault(key.text, (key, value))
        return tuple(own.values())


@dataclass(frozen=True)
class _Joined(Scalar):
    """Two or more scalars that a comma had cut."""


def _cut(node: Node | None) -> bool:
    return isinstance(node, Scalar) and not node.quoted and _unclosed(node.text) > 0
