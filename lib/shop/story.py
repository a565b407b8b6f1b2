"""What was planted in the raw files, and what has to become of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

SOURCES = ("orders", "order_lines", "customers", "products", "returns", "countries")
CLEAN = ("orders", "order_lines", "customers", "products", "returns")

# What becomes of each kind of mess, by the table that meets it.
OUTCOMES: Mapping[str, str] = {
    "malformed": "quarantined by ingest",
    "truncated": "the cut record is quarantined by ingest; what followed it is missing",
    "bad_customer_id": "quarantined by ingest: not a bigint",
    "bad_quantity": "quarantined by ingest: not an int",
    "bad_date": "quarantined by ingest: not a date",
    "no_customer": "quarantined by clean.orders",
    "negative_quantity": "quarantined by clean.order_lines",
    "no_price": "quarantined by clean.order_lines",
    "born_in_the_future": "quarantined by clean.customers",
    "zero_refund": "quarantined by clean.returns",
    "bad_refund": "quarantined by clean.returns: not a decimal",
    "zero_quantity": "filtered by clean.order_lines: empty line",
    "cancelled_line": "filtered by clean.order_lines: cancelled",
    "test_order": "filtered by clean.orders: test order",
    "exact_duplicate": "deduplicated by clean, all columns equal",
    "near_duplicate": "deduplicated by clean, the newest of its key wins",
    "price_error": "the gate of clean.order_lines closes: mean(unit_price) is ten times the usual",
    "unknown_customer": "goes through; counts as 'unknown' in marts.sales_by_segment",
    "unknown_country": "goes through with a warning of clean.order_lines",
    "odd_country": "mended by clean.order_lines",
    "no_country": "null, goes through",
    "not_listed_yet": "goes through with a warning of clean.order_lines, until the new price list",
    "odd_email": "goes through with a warning of clean.customers",
    "new_column": "the new column channel is kept in _rescued, and used by clean.orders",
    "embedded_newline": "one record over two lines, read as one",
    "cancelled": "an order that was cancelled before the export",
    "status_update": "an order of an earlier day, told again with its new status",
    "changed": "a corrected row, newer than the one it replaces",
    "added": "a row that the first dump of that day did not have",
    "removed": "a row that the first dump had and the correction has not",
}
AT_INGEST = ("malformed", "bad_customer_id", "bad_quantity", "bad_date")
FILTERED = {"orders": ("test_order",), "order_lines": ("zero_quantity", "cancelled_line")}
REJECTED = {
    "orders": ("no_customer",),
    "order_lines": ("negative_quantity", "no_price"),
    "customers": ("born_in_the_future",),
    "returns": ("zero_refund", "bad_refund"),
}
DUPLICATES = ("exact_duplicate", "near_duplicate")


@dataclass(frozen=True)
class FileFacts:
    """One raw file: how many records it holds, and how many of them have which flaw."""

    path: str  # below the raw zone
    source: str
    window: str
    records: int
    kinds: tuple[tuple[str, int], ...] = ()

    def count(self, *kinds: str) -> int:
        """How many flaws of these kinds it holds."""
        return sum(number for kind, number in self.kinds if kind in kinds)


@dataclass(frozen=True)
class Arrival:
    """Files that come later; `after` is the day on whose evening they are there."""

    name: str
    after: int
    pass_number: int  # arrivals with one number can be run together; the initial files are 1
    says: str
    files: tuple[FileFacts, ...]


@dataclass(frozen=True)
class Fate:
    """What one run of a table over a window has to count."""

    table: str
    window: str
    read: int
    written: int
    quarantined: int = 0
    deduplicated: int = 0
    filtered: int = 0
    withheld: int = 0
    blocked: bool = False


@dataclass(frozen=True)
class Planted:
    """One kind of mess in one file."""

    kind: str
    path: str
    window: str
    rows: int
    outcome: str


@dataclass(frozen=True)
class Story:
    """All that was planted, in the order in which it comes to light."""

    rows: int
    days: int
    seed: int
    start: date
    files: tuple[FileFacts, ...]  # the initial ones
    arrivals: tuple[Arrival, ...]

    def arrival(self, name: str) -> Arrival:
        """The arrival of that name."""
        for one in self.arrivals:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.arrivals)
        raise KeyError(f"no arrival is called {name!r}; there are: {known}")

    def passes(self) -> tuple[tuple[Arrival, ...], ...]:
        """The arrivals as the demo takes them: each group, then a run. The first run is before."""
        numbers = sorted({one.pass_number for one in self.arrivals})
        return tuple(
            tuple(one for one in self.arrivals if one.pass_number == number) for number in numbers
        )

    def present(self, arrived: int | None = None) -> tuple[FileFacts, ...]:
        """The files that are there after so many arrivals (all, when left out)."""
        files = {file.path: file for file in self.files}
        for one in self.arrivals[:arrived]:
            files.update((file.path, file) for file in one.files)
        return tuple(files[path] for path in sorted(files))

    def planted(self, *kinds: str) -> tuple[Planted, ...]:
        """The mess of these kinds (of all, when left out), file by file, later ones after."""
        later = (file for one in self.arrivals for file in one.files)
        return tuple(
            Planted(kind, file.path, file.window, number, OUTCOMES[kind])
            for file in (*self.files, *later)
            for kind, number in file.kinds
            if not kinds or kind in kinds
        )

    def fates(self, arrived: int | None = None) -> tuple[Fate, ...]:
        """What each window of `ingested` and `clean` counts when run over what is there then."""
        return tuple(_fates(self.present(arrived)))

    def fate(self, table: str, window: str, arrived: int | None = None) -> Fate:
        """The counts of one table and window."""
        for one in self.fates(arrived):
            if (one.table, one.window) == (table, window):
                return one
        raise KeyError(f"{table} {window} has no files")


def _fates(files: tuple[FileFacts, ...]) -> Iterable[Fate]:
    for source in SOURCES:
        windows = sorted({file.window for file in files if file.source == source})
        for window in windows:
            here = [f for f in files if (f.source, f.window) == (source, window)]
            records = sum(file.records for file in here)
            unreadable = _sum(here, AT_INGEST)
            accepted = records - unreadable
            yield Fate(f"ingested.{source}", window, records, accepted, unreadable)
            if source in CLEAN:
                yield _clean_fate(source, window, accepted, here)


def _clean_fate(source: str, window: str, read: int, files: list[FileFacts]) -> Fate:
    filtered = _sum(files, FILTERED.get(source, ()))
    quarantined = _sum(files, REJECTED.get(source, ()))
    deduplicated = _sum(files, DUPLICATES)
    rest = read - filtered - quarantined - deduplicated
    blocked = _sum(files, ("price_error",)) > 0
    return Fate(
        f"clean.{source}",
        window,
        read,
        written=0 if blocked else rest,
        quarantined=quarantined,
        deduplicated=deduplicated,
        filtered=filtered,
        withheld=rest if blocked else 0,
        blocked=blocked,
    )


def _sum(files: list[FileFacts], kinds: tuple[str, ...]) -> int:
    return sum(file.count(*kinds) for file in files)
