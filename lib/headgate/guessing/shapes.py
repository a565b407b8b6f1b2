"""What a clean table does to a draft's records, and the mart that they offer themselves for."""

from __future__ import annotations

import re
from collections import Counter

from headgate.guessing.samples import Draft, Drafted
from headgate.guessing.written import Cleaning, Marting

FEW = 12  # values of a text column by which rows are grouped
EACH = 3  # records for each of them
SUMS = 3  # columns that are added up
_ID = re.compile(
    r"(^|_)(id|key|uuid|guid|nr|no|number|num|code|sku)$|[a-z](Id|ID|Nr|No)$|^(id|ID|Nr)$"
)
_WITHIN = re.compile(r"line|pos|item|seq|row|zeile", re.IGNORECASE)
_LATEST = re.compile(r"updated|modified|changed|geaendert|aenderung", re.IGNORECASE)
_NOT_THE_DAY = re.compile(
    r"updat|modif|chang|birth|dob|valid|expir|due|until|deliver", re.IGNORECASE
)

_NO_SUM = re.compile(
    r"(^|_)(lat|lon|lng|latitude|longitude)|year|jahr|month|rate|ratio|share|percent|pct|avg|score"
    r"|unit_?price|einzelpreis|age$|line$|pos$",
    re.IGNORECASE,
)


def is_id(name: str) -> bool:
    """Whether a column tells records apart rather than describes them.

    >>> is_id("order_id"), is_id("BestellNr"), is_id("paid")
    (True, True, False)
    """
    return bool(_ID.search(name))


def cleaning_of(draft: Draft) -> Cleaning:
    """Steps and key, as the records of the samples have it."""
    rows = [(window, *record.values()) for window, record in draft.rows]
    twice = len(rows) - len(set(rows))
    trims = tuple(
        one.name for one in draft.columns
        if one.type == "string" and not one.guess.number and not one.personal
        and any(v != v.strip(" ") for _, r in draft.rows if (v := r[one.name]))
    )  # fmt: skip
    makes = {one.name: one.guess.made(one.name) for one in draft.columns if one.guess.number}
    latest = tuple(
        one.name for one in draft.columns if one.type == "timestamp" and _LATEST.search(one.name)
    )[:1]
    key, why = _key(draft, latest)
    return Cleaning(trims, makes, twice, key, latest if key else (), why)


def _key(draft: Draft, latest: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The columns that tell rows of a window apart; none where nothing speaks for any."""
    names = [one.name for one in draft.columns]
    ids = [
        one.name
        for one in draft.columns
        if is_id(one.name) and one.type in ("int", "bigint", "string")
    ]
    singular = re.sub(r"(?<!s)s$", "", draft.name).lower()
    ids.sort(
        key=lambda n: (
            not re.fullmatch(rf"id|({singular}_?(id|nr|no|number|code))", n.lower()),
            names.index(n),
        )
    )
    within = [name for name in names if _WITHIN.search(name) and name not in ids]
    tried = [(name,) for name in ids] + [(ids[0], other) for other in (*within, *ids[1:]) if ids]
    for key in tried:
        if _tells_apart(draft, key):
            return key, "no two records of a window agree in it"
        if latest and _tells_apart(draft, (*key, *latest)) and _seldom_twice(draft, key):
            return key, f"with {latest[0]}, no two records of a window agree in it"
    return (), ""


def _tells_apart(draft: Draft, names: tuple[str, ...]) -> bool:
    """Whether different records of a window differ in these columns, which are never empty."""
    rows = {(window, *record.items()): record for window, record in draft.rows}
    if len(rows) < 2 or any(not record[name] for record in rows.values() for name in names):
        return False
    keys = {(row[0], *(record[name] for name in names)) for row, record in rows.items()}
    return len(keys) == len(rows)


def _seldom_twice(draft: Draft, key: tuple[str, ...]) -> bool:
    counts = Counter((window, *(record[name] for name in key)) for window, record in draft.rows)
    return len(counts) >= 0.8 * sum(counts.values())


def mart_of(draft: Draft, cleaning: Cleaning) -> Marting | None:
    """Records by day and category, where a day and something to tell of it are obvious."""
    day = next((one for one in draft.columns if _is_day(draft, one)), None)
    sums = [one.name for one in draft.columns if _adds_up(one, cleaning)][:SUMS]
    category = next((one.name for one in draft.columns if _is_category(draft, one)), None)
    if day is None or not (sums or category):
        return None
    taken = {day.name, category, *sums}
    count = next(name for name in (draft.name, "records", "number_of_records") if name not in taken)
    return Marting(
        f"{draft.name}_by_{category or 'day'}".lower(), day.name, "day",
        (category,) if category else (),
        {count: "count(*)", **{name: f"sum({name})" for name in sums}},
    )  # fmt: skip


def _is_day(draft: Draft, one: Drafted) -> bool:
    """Whether a column says when something happened: it is never empty."""
    if one.type not in ("date", "timestamp") or one.personal or _NOT_THE_DAY.search(one.name):
        return False
    return all(record[one.name] not in (None, "", *one.guess.nulls) for _, record in draft.rows)


def _adds_up(one: Drafted, cleaning: Cleaning) -> bool:
    """Whether a sum of it says something: a number that is no id, no key, no place or share."""
    number = one.guess.number or one.type
    measured = number in ("int", "bigint", "double") or number.startswith("decimal")
    if not measured or is_id(one.name) or one.name in cleaning.key or one.personal:
        return False
    return not _NO_SUM.search(one.name)


def _is_category(draft: Draft, one: Drafted) -> bool:
    if one.type != "string" or one.personal or one.guess.number or one.guess.notes:
        return False
    values = [v.strip() for _, record in draft.rows if (v := record[one.name])]
    different = len(set(values))
    return 2 <= different <= FEW and len(values) >= EACH * different
