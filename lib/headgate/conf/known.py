"""`known_at`: whether the inputs of a feature table keep what was known when."""

from __future__ import annotations

from collections.abc import Mapping

from headgate.conf.tables import Draft
from headgate.core.identifiers import columns_named
from headgate.core.known import untold
from headgate.core.spec import KNOWN_AT, VERSIONED, Clean, Features, Table
from headgate.core.steps import Columns

_LATER = VERSIONED[1:]  # what a version says of its end was not known when it came


def check_known_at(
    draft: Draft, table: Features, tables: Mapping[str, Table], columns: Mapping[str, Columns]
) -> None:
    """Note inputs whose rows do not tell what had arrived by then."""
    if table.known_at is None:
        return
    for source in dict.fromkeys(table.reads.values()):
        there = columns.get(source)
        what = untold(source, tables)
        if what is None and there is not None and KNOWN_AT not in there:
            what = f"a step of {source} leaves no '{KNOWN_AT}'"
        if what:
            draft.note(f"{what}: read one that is 'replace' or 'history'", "known_at")
    for name, feature in table.features.items():
        other = tables.get(table.reads[feature.of])
        if isinstance(other, Clean) and other.write == "history":
            for word in columns_named(feature.measure):
                if word.lower() in _LATER:
                    what = f"'{word}' says what came later, and 'known_at' asks what was known"
                    draft.note(what, "features", name, "measure")
