"""The columns that a SQL expression names, as far as its text tells without Spark."""

from __future__ import annotations

import re

from headgate.core.selects import Token, tokens

# Words that are part of SQL, of its types, or functions without brackets. A column of such a name
# is not looked for; that is better than to look for a column where none is meant.
_SQL = frozenset(
    re.findall(
        r"\w+",
        """
    all and any array as asc at between binary boolean both by case cast catalog char collate cross
    cube current current_catalog current_database current_date current_schema current_time
    current_timestamp current_user date dec decimal desc distinct div double else end epoch escape
    except exists extract false filter first float following for from full group grouping having
    ignore ilike in inner int integer interval into is join last lateral leading left like limit
    localtimestamp long map natural not null nulls numeric of on or order outer over overlay
    partition placing position preceding qualify range real regexp respect right rlike rollup row
    rows select session_user set short smallint some string struct substring symmetric system
    table then time timestamp timestamp_ltz timestamp_ntz tinyint to trailing true try_cast
    unbounded union unknown unnest user using values varchar variant void when where window with
    within without zone bigint byte
    year years yearofweek quarter quarters month months week weeks day days dayofmonth dayofweek
    dayofweek_iso dayofyear doy dow hour hours minute minutes second seconds millisecond
    milliseconds microsecond microseconds nanosecond nanoseconds century decade isoyear mon
    """,
    )
)
_BEYOND = frozenset(("select", "from", "lateral", "over"))  # more than an expression can tell


def columns_named(text: str) -> tuple[str, ...]:
    """The names that can be nothing but columns; none where the text goes beyond plain SQL.

    >>> columns_named("CAST(round(price * 1.2, 2) AS decimal(10,2)) > 0 AND kind IN ('a', 'b')")
    ('price', 'kind')
    >>> columns_named("exists(items, item -> item.price > 0)")
    ()
    """
    try:
        found = tokens(text)
    except ValueError:
        return ()
    marks = {token.text for token in found if token.kind == "mark"}
    if "->" in marks or _BEYOND & {token.word for token in found}:
        return ()
    named: list[str] = []
    type_at: int | None = None  # how deep the AS stands whose type or name is read now
    for before, token, after in zip([None, *found[:-1]], found, [*found[1:], None], strict=True):
        if type_at is not None and token.depth < type_at:
            type_at = None
        if token.word == "as" and type_at is None:
            type_at = token.depth
        if type_at is None and _is_column(before, token, after):
            named.append(token.name)
    return tuple(dict.fromkeys(named))


def _is_column(before: Token | None, token: Token, after: Token | None) -> bool:
    if not token.name or token.word in _SQL:
        return False
    if after is not None and (after.text in ("(", ".", "=>") or after.kind == "text"):
        return False
    if before is None:
        return True
    return before.text not in (".", ":", "::") and before.word != "collate"
