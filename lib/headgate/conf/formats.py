"""The `format` of a feature table: how it is written, and what fits the table's own names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from headgate.conf.forms import COLUMN, COLUMNS, WHOLE, day, share
from headgate.conf.nodes import Entries
from headgate.conf.records import Key, Record, value_of
from headgate.conf.shapes import At, Mapped, Parsed, Text, Word
from headgate.conf.words import unknown
from headgate.core.formats import KINDS, MOST, NEEDS, OF_KEY, PAIRS, TAKES, Encode, Format, Split

Note = Callable[..., object]
FEATURE_NAME = Text("a feature")
_COLLECTS = re.compile(r"\s*(collect_set|collect_list|array_agg)\s*\(", re.IGNORECASE)
_OWN = frozenset(key for keys in TAKES.values() for key in keys)
_SHARE = 0.1  # of the entities that validate, and of those that test, where nothing is said


def _part(text: str) -> float | date:
    """A share of the entities, or a day.

    >>> _part("10%"), _part("2026-06-01")
    (0.1, datetime.date(2026, 6, 1))
    """
    return day(text) if re.match(r"\d{4}-", text) else share(text)


PART = Parsed("a share such as 10%, or a date", _part, {"type": ["string", "number"]})


def _split(values: dict[str, Any], node: Entries, at: At) -> Split:
    """Shares of the entities, or days from which on rows are of another part."""
    by_time = values.get("by") == "time"
    wanted, form = (date, "a date: from when on") if by_time else (float, "a share such as 10%")
    for name in ("validation", "test"):
        if name in values and not isinstance(values[name], wanted):
            at.key(name).note(node.get(name) or node, f"by {values['by']} it is {form}")
            return Split(by="entity")
    parts = [values[name] for name in ("validation", "test") if name in values]
    if by_time and not parts:
        at.note(node, "by time it needs a date: 'validation', 'test', or both")
    elif by_time and parts != sorted(set(parts)):
        at.note(node, "'test' has to come after 'validation'")
    elif not by_time and sum(parts) >= 1:
        at.note(node, "leaves nothing to train with")
    if not by_time and not parts:
        values = {**values, "validation": _SHARE, "test": _SHARE}
    return Split(**values)


ENCODE = Record(
    "a category",
    {
        "as": Key(
            Word(("onehot", "index"), others={"one_hot": "onehot", "one-hot": "onehot"}),
            "`onehot`: a number for each category, 0 or 1; `index`: the category's place",
            default="onehot",
            field="as_",
        ),
        "most": Key(
            WHOLE,
            "how many categories have a place of their own; later ones are `other`",
            default=str(MOST),
        ),
    },
    make=value_of(Encode),
    short="as",
)
SPLIT = Record(
    "split",
    {
        "by": Key(
            Word(("entity", "time")),
            "`entity`: by a hash of its key, the same for good; `time`: by `as_of`",
            required=True,
        ),
        "validation": Key(
            PART, "by entity a share, by time the first day", default="10% where none is named"
        ),
        "test": Key(
            PART, "by entity a share, by time the first day", default="10% where none is named"
        ),
    },
    make=_split,
)


def _format(values: dict[str, Any], node: Entries, at: At) -> Format:
    """The value, with the keys that its kind takes; others are told."""
    if node.get("kind") is not None and "kind" not in values:
        return Format()  # which keys it takes cannot be told
    kind = values.get("kind", "table")
    for key, _ in node.entries:
        if key.text in _OWN and key.text not in TAKES[kind]:
            kinds = " and ".join(one for one in KINDS if key.text in TAKES[one])
            at.key(key.text).note(key, f"is for the kind {kinds}, and this is '{kind}'")
    for needed in NEEDS.get(kind, ()):
        if node.get(needed) is None:
            at.note(node, f"key '{needed}' is missing: {FORMAT.keys[needed].about}")
    kept = {name: value for name, value in values.items() if name not in _OWN - {*TAKES[kind]}}
    return Format(**kept)


FORMAT = Record(
    "format",
    {
        "kind": Key(
            Word(KINDS, others={"labeled": "labelled"}), "the shape of the rows", default="table"
        ),
        "label": Key(COLUMN, "labelled: the label; it may be left out where there is one"),
        "columns": Key(COLUMNS, "vector, labelled: the features in it", default="all"),
        "user": Key(COLUMN, "ratings: the column of the key that names who rates"),
        "item": Key(COLUMN, "ratings: the column of the key that names what is rated"),
        "rating": Key(FEATURE_NAME, "ratings: the feature that says how much"),
        "src": Key(COLUMN, "graph: the column of the key where an edge begins"),
        "dst": Key(COLUMN, "graph: the column of the key where an edge ends"),
        "weight": Key(FEATURE_NAME, "graph: the feature that weighs an edge"),
        "items": Key(
            FEATURE_NAME, "baskets: the feature that collects, such as collect_set(product_id)"
        ),
        "encode": Key(
            Mapped(
                ENCODE,
                FEATURE_NAME,
                about="{feature: [category](#a-category)}, `onehot` or `index`",
            ),
            "vector, labelled: features that are categories, and how they become numbers",
        ),
        "weights": Key(
            Word(("balanced",)),
            "labelled: a column `weight` by which each label weighs as much as any other",
        ),
        "split": Key(SPLIT, "a column `split`: `train`, `validation` or `test`"),
    },
    make=_format,
)


def formatted(
    form: Format,
    keys: Sequence[str],
    features: Mapping[str, Mapping[str, Any]],
    labels: Sequence[str],
    note: Note,
) -> Format:
    """The format with what may be left out; what does not fit the table's names is noted."""
    form = _labelled(form, labels, note)
    known = (*features, *keys)
    for place, name in enumerate(form.columns):
        if name not in known:
            note(unknown("feature", name, features), "format", "columns", place)
    for name in form.encode:
        if name not in (form.columns or features):
            note(unknown("feature", name, form.columns or features), "format", "encode", name)
    for key in NEEDS.get(form.kind, ()):
        name = getattr(form, key)
        if name is None:
            continue
        if key in OF_KEY and name not in keys:
            note(unknown("column of the entity's key", name, keys), "format", key)
        elif key not in OF_KEY and name not in features:
            note(unknown("feature", name, features), "format", key)
    measured = features.get(form.items or "")
    if measured and not _COLLECTS.match(str(measured.get("measure"))):
        what = f"'{form.items}' collects nothing: its measure is to be collect_set(…)"
        note(what, "format", "items")
    _pair(form, keys, note)
    taken = {key.lower(): "entity.key" for key in keys}
    if form.kind == "table":
        taken |= {name.lower(): f"features.{name}" for name in features}
        taken |= {name.lower(): f"label.{name}" for name in labels}
    _apart(form, taken, note)
    if labels and form.kind not in ("table", "labelled"):
        note(f"the kind '{form.kind}' has no place for a label: 'labelled' has", "label")
    return form


def _labelled(form: Format, labels: Sequence[str], note: Note) -> Format:
    if form.label is not None and form.label not in labels:
        note(unknown("label", form.label, labels), "format", "label")
    if form.kind == "labelled" and form.label is None:
        if len(labels) == 1:
            return form.model_copy(update={"label": labels[0]})
        note("'labelled' needs a 'label'", "format")
    return form


def _pair(form: Format, keys: Sequence[str], note: Note) -> None:
    """A rating is of one user and one item, an edge of two ends: there is nothing else to it."""
    if form.kind not in PAIRS:
        return
    one, other = PAIRS[form.kind]
    named = (getattr(form, one), getattr(form, other))
    if None in named:
        return
    if named[0] == named[1]:
        note(f"is '{named[0]}', as '{one}' is: they are two columns of the key", "format", other)
    elif set(named) <= {*keys} and len(keys) != 2:
        more = next(key for key in keys if key not in named)
        note(f"has '{more}' beside {one} and {other}: a pair has one row", "entity", "key")


def _apart(form: Format, taken: Mapping[str, str], note: Note) -> None:
    """The columns that a format makes stand beside others: one name is for one of them."""
    for name in form.made:
        itself = name in ("src", "dst") and getattr(form, name) == name
        if name.lower() in taken and not itself:
            what = f"'{name}' is a column that its format makes: give it another name"
            note(what, *taken[name.lower()].split("."))
