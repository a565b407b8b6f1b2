"""What lies over what: suite < env < --set; and ${NAME} from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from headgate.conf.documents import read_text
from headgate.conf.nodes import Entries, Listing, Node, Scalar, resolved
from headgate.conf.shapes import At
from headgate.conf.words import meant
from headgate.core.errors import Fault
from headgate.core.results import LAYERS

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}|$)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Keys whose own keys hold dots.
_DOTTED = ("spark.conf",)


def merged(base: Node | None, over: Node) -> Node:
    """A tree with another laid over it: maps key by key, all else whole."""
    if not isinstance(base, Entries) or not isinstance(over, Entries):
        return over
    keys = {key.text: (key, value) for key, value in base.entries}
    for key, value in over.entries:
        old = keys.get(key.text)
        keys[key.text] = (key, merged(old[1] if old else None, value))
    return Entries(base.file, base.line, tuple(keys.values()))


def filled(node: Node, at: At, environ: Mapping[str, str] | None) -> Node:
    """A tree with ${NAME} put in; without an environment they stay as they are."""
    if isinstance(node, Entries):
        pairs = ((key, filled(value, at.key(key.text), environ)) for key, value in node.entries)
        return replace(node, entries=tuple(pairs))
    if isinstance(node, Listing):
        items = (filled(item, at.item(place), environ) for place, item in enumerate(node.items))
        return replace(node, items=tuple(items))
    if isinstance(node, Scalar) and isinstance(node.value, str) and "${" in node.text:
        text = _filled_text(node, at, environ)
        if text is None:
            return node
        value = text if node.quoted or environ is None else resolved(text)
        return replace(node, value=value, filled=text)
    return node


def _filled_text(node: Scalar, at: At, environ: Mapping[str, str] | None) -> str | None:
    good = True

    def put(match: re.Match[str]) -> str:
        nonlocal good
        if match.group() == "$${":
            return "${"
        name = match[1]
        if match[2] and name.startswith("secret:") and len(name) > len("secret:"):
            return match.group()  # taken at the moment of use
        if not match[2] or not _NAME.fullmatch(name):
            good = False
            forms = "write ${NAME}, ${secret:name}, or $${ for the two signs themselves"
            at.note(node, f"'${{{name[:40]}{match[2]}' is not understood: {forms}")
        elif environ is not None and name not in environ:
            good = False
            at.note(node, f"the environment variable {name} is not set: export {name}=…")
        return environ.get(name, "") if environ is not None else match.group()

    text = _REFERENCE.sub(put, node.text)
    return text if good else None


@dataclass(frozen=True)
class Override:
    """One `--set`: what it changes ('suite', 'env' or a table), the keys inside, the value."""

    target: str
    keys: tuple[str, ...]
    value: Node

    @property
    def tree(self) -> Node:
        """The value under its keys."""
        tree = self.value
        for key in reversed(self.keys):
            name = Scalar(tree.file, 0, key, key, quoted=True)
            tree = Entries(tree.file, 0, ((name, tree),))
        return tree


def texts_of(given: Mapping[str, str] | Sequence[str]) -> list[str]:
    """What `--set` says, a text each.

    >>> texts_of({"lake": "/tmp/a"}), texts_of("lake=/tmp/a")
    (['lake=/tmp/a'], ['lake=/tmp/a'])
    """
    if isinstance(given, str):
        return [given]
    return [f"{k}={v}" for k, v in given.items()] if isinstance(given, Mapping) else list(given)


def overrides_of(
    given: Mapping[str, str] | Sequence[str],
    *,
    suite: Sequence[str],
    env: Sequence[str],
    tables: Sequence[str],
    faults: list[Fault],
) -> list[Override]:
    """What `--set` changes; faults are noted."""
    found: list[Override] = []
    for text in texts_of(given):
        path, equals, said = text.partition("=")
        path, shown = path.strip(), f"--set {path.strip()}"
        if not equals or not path or not all(path.split(".")):
            what = "is not written key.path=value"
            faults.append(Fault(f"--set {path[:60] or '…'}", 0, "", what))
            continue
        value = _value(said, shown, faults)
        if value is None:
            continue
        target = _target(path, suite=suite, env=env, tables=tables)
        if isinstance(target, str):
            faults.append(Fault(shown, 0, "", target))
        else:
            found.append(Override(target[0], target[1], value))
    return found


def _value(said: str, shown: str, faults: list[Fault]) -> Node | None:
    """A value of the command line: YAML, or a text as it stands where a ':' is in it."""
    if not said.strip():
        return Scalar(shown, 0, "", "", quoted=True)
    trial: list[Fault] = []
    node = read_text(said, shown, trial)
    if node is None or trial:
        if said.lstrip()[:1] in "{[\"'":
            whats = (re.sub(r" \(read up to .*?\)", "", fault.what) for fault in trial)
            faults.extend(Fault(shown, 0, "", what) for what in whats)
            return None
        return Scalar(shown, 0, said, said, quoted=True)
    if isinstance(node, Entries) and not said.lstrip().startswith("{"):
        return Scalar(shown, 0, said, said, quoted=True)
    return _unplaced(node)


def _unplaced(node: Node) -> Node:
    """A tree whose lines mean nothing."""
    if isinstance(node, Entries):
        pairs = ((replace(key, line=0), _unplaced(value)) for key, value in node.entries)
        return replace(node, line=0, entries=tuple(pairs))
    if isinstance(node, Listing):
        return replace(node, line=0, items=tuple(_unplaced(item) for item in node.items))
    return replace(node, line=0)


def _target(
    path: str, *, suite: Sequence[str], env: Sequence[str], tables: Sequence[str]
) -> tuple[str, tuple[str, ...]] | str:
    """What a path changes, and the keys inside; or what is wrong with it."""
    first, *rest = path.split(".")
    if first in LAYERS:
        table = ".".join((first, *rest[:1]))
        if table not in tables:
            return f"there is no table '{table}'{meant(table, tables)}"
        return (table, tuple(rest[1:])) if rest[1:] else f"names no key of {table}"
    if first in ("suite", "env") and rest:
        names = suite if first == "suite" else env
        if rest[0] not in names:
            return f"there is no key '{rest[0]}'{meant(rest[0], names)}"
        path, first, rest = path.partition(".")[2], rest[0], rest[1:]
        return ("suite" if names is suite else "env", _cut(path))
    if first in env and first not in suite:
        return "env", _cut(path)
    if first in suite:
        return "suite", _cut(path)
    known = (*env, *(name for name in suite if name not in env), *LAYERS)
    return f"there is no key '{first}'{meant(first, known)}"


def _cut(path: str) -> tuple[str, ...]:
    """A path at its dots, but for keys that hold dots themselves."""
    for dotted in _DOTTED:
        if path.startswith(f"{dotted}."):
            return (*dotted.split("."), path[len(dotted) + 1 :])
    return tuple(path.split("."))
