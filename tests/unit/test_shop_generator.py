"""The retail suite's raw dumps: the same for the same seed, and as messy as the story says."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

import shop
from shop.generate import CATCH_UP, arrive, generate
from shop.steps import international_phone
from shop.story import OUTCOMES, Story

ROWS, DAYS, SEED = 6000, 14, 7
FEW = 600
Cells = dict[str, str]


@dataclass(frozen=True)
class Told:
    """A story and its raw zone, with all that arrived."""

    story: Story
    raw: Path
    first: dict[str, bytes]  # the files before anything arrived

    def bytes(self, path: str) -> bytes:
        return (self.raw / path).read_bytes()

    def table(self, source: str, day: int, *, first: bool = False) -> list[Cells]:
        """All records of a source's CSV files of one day that have as many cells as the header."""
        window = f"2026-11-{day:02d}"
        kept = self.first if first else contents(self.raw)
        found: list[Cells] = []
        for path in sorted(kept):
            if path.startswith(f"{source}/{window}/"):
                header, *rows = records(kept[path])
                found += [dict(zip(header, r, strict=True)) for r in rows if len(r) == len(header)]
        return found

    def lines(self, source: str, day: int) -> list[str]:
        return self.bytes(f"{source}/2026-11-{day:02d}/{source}.jsonl").decode().splitlines()

    def planted(self, kind: str, source: str, day: int) -> int:
        """How many of a kind are said to be in the files that are there at the end."""
        window = f"2026-11-{day:02d}"
        files = self.story.present()
        return sum(f.count(kind) for f in files if (f.source, f.window) == (source, window))


def contents(raw: Path) -> dict[str, bytes]:
    files = (path for path in raw.rglob("*") if path.is_file())
    return {path.relative_to(raw).as_posix(): path.read_bytes() for path in files}


def records(content: bytes, separator: str = ",") -> list[list[str]]:
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def json_or_none(line: str) -> dict[str, object] | None:
    try:
        return dict(json.loads(line))
    except json.JSONDecodeError:
        return None


def tell(raw: Path, *, rows: int = ROWS, days: int = DAYS, seed: int = SEED) -> Told:
    story = generate(raw, rows=rows, days=days, seed=seed)
    first = contents(raw)
    for event in story.arrivals:
        arrive(raw, story, event)
    return Told(story, raw, first)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return tell(tmp_path_factory.mktemp("raw"))


def digest(raw: Path) -> str:
    whole = hashlib.sha256()
    for path, content in sorted(contents(raw).items()):
        whole.update(path.encode() + b"\0" + content)
    return whole.hexdigest()


def test_same_seed_same_bytes_in_another_process_another_zone_and_another_order(
    tmp_path: Path,
) -> None:
    here, there = tell(tmp_path / "here", rows=FEW), tmp_path / "there"
    script = (
        "import sys; from pathlib import Path; from shop.generate import generate, arrive\n"
        f"raw = Path(sys.argv[1]); s = generate(raw, rows={FEW}, days={DAYS}, seed={SEED})\n"
        "early = [a for a in s.arrivals if a.name.startswith('day-')]\n"
        "[arrive(raw, s, a) for a in [*reversed(early), *s.arrivals]]\n"
    )
    lib = str(Path(shop.__file__).parents[1])
    settings = {
        **os.environ, "PYTHONPATH": lib, "PYTHONHASHSEED": "12", "TZ": "Asia/Tokyo",
    }  # fmt: skip
    subprocess.run([sys.executable, "-c", script, str(there)], env=settings, check=True)
    assert digest(there) == digest(here.raw)


def test_another_seed_makes_other_files(tmp_path: Path) -> None:
    for seed in (1, 2):
        generate(tmp_path / str(seed), rows=FEW, days=2, seed=seed)
    first, second = contents(tmp_path / "1"), contents(tmp_path / "2")
    same = {path for path in first if first[path] == second.get(path)}
    closed = "orders/2026-11-01/oslo.csv"  # a Sunday: a header and no orders
    assert same == {"countries/2026-11-01/countries.csv", closed}
    assert len(records(first[closed])) == 1


def test_generating_again_takes_back_what_arrived(tmp_path: Path) -> None:
    told = tell(tmp_path, rows=FEW)
    assert contents(tmp_path) != told.first
    generate(tmp_path, rows=FEW, days=DAYS, seed=SEED)
    assert contents(tmp_path) == told.first


def test_the_story_names_every_file_and_counts_its_records(told: Told) -> None:
    assert {f.path for f in told.story.present()} == set(contents(told.raw))
    for facts in told.story.present():
        content = told.bytes(facts.path)
        if facts.path.endswith(".jsonl"):
            found = len(content.splitlines())
        else:
            encoding = "iso-8859-1" if facts.source == "products" else "utf-8-sig"
            text = io.StringIO(content.decode(encoding), newline="")
            found = sum(1 for _ in csv.reader(text)) - 1
        assert found == facts.records, facts.path
    lines = [f.records for f in told.story.present() if f.source == "order_lines"]
    assert 0.9 * ROWS < sum(lines) < 1.1 * ROWS


def test_every_kind_of_mess_is_planted_somewhere_and_has_an_outcome(told: Told) -> None:
    planted = {one.kind for one in told.story.planted()}
    assert planted == set(OUTCOMES)
    assert all(one.rows > 0 for one in told.story.planted())


def test_passes_follow_the_order_of_arrival(told: Told) -> None:
    names = [[one.name for one in group] for group in told.story.passes()]
    assert names == [
        ["day-8", "late-day-5"],
        ["day-9", "corrected-day-3"],
        ["day-10", "day-11"],
        ["day-12", "day-13", "day-14", "whole-day-9"],
        ["corrected-day-11"],
    ]
    assert [one for group in told.story.passes() for one in group] == list(told.story.arrivals)
    windows = {file.window for file in told.story.files}
    assert windows == {f"2026-11-{day:02d}" for day in range(1, CATCH_UP + 1)}


@pytest.mark.parametrize("day", [1, 5, 8, 11])
def test_lines_meet_the_fates_that_the_story_foretells(told: Told, day: int) -> None:
    rows = told.table("order_lines", day)
    fate = told.story.fate("clean.order_lines", f"2026-11-{day:02d}")
    readable = [row for row in rows if not row["quantity"].endswith(" pcs")]
    assert len(readable) == fate.read
    kept = [r for r in readable if r["status"] == "sold" and r["quantity"] != "0"]
    assert len(readable) - len(kept) == fate.filtered > 0
    good = [r for r in kept if int(r["quantity"]) > 0 and r["unit_price"]]
    assert len(kept) - len(good) == fate.quarantined > 0
    keys = {(row["order_id"], row["line"]) for row in good}
    assert (fate.written, fate.deduplicated) == (len(keys), len(good) - len(keys))
    assert told.planted("exact_duplicate", "order_lines", day) == len(good) - len(
        {tuple(row.values()) for row in good}
    )


@pytest.mark.parametrize("day", [2, 3, 8, 9])
def test_orders_meet_the_fates_that_the_story_foretells(told: Told, day: int) -> None:
    rows = told.table("orders", day)
    window = f"2026-11-{day:02d}"
    ingested = told.story.fate("ingested.orders", window)
    readable = [row for row in rows if not row["Customer ID"].startswith("C-")]
    assert len(readable) == ingested.written
    fate = told.story.fate("clean.orders", window)
    kept = [row for row in readable if row["email"] != "test@example.com"]
    good = [row for row in kept if row["Customer ID"]]
    keys = {row["order_id"] for row in good}
    assert fate.filtered == len(readable) - len(kept) > 0
    assert fate.quarantined == len(kept) - len(good) > 0
    assert (fate.written, fate.deduplicated) == (len(keys), len(good) - len(keys))
    assert all("T" not in row["updated_at"] and "/2026 " in row["ordered_at"] for row in rows)


def test_odd_bytes(told: Told) -> None:
    assert b"\r\n" in told.bytes("orders/2026-11-01/berlin.csv")
    assert b"\r" not in told.bytes("orders/2026-11-01/lyon.csv")
    assert told.bytes("orders/2026-11-03/web.csv")[:3] != b"\xef\xbb\xbf"
    assert told.bytes("orders/2026-11-04/web.csv").startswith(b"\xef\xbb\xbforder_id,Customer ID,")
    prices = told.bytes("products/2026-11-01/products.csv")
    assert "Crème brûlée" in prices.decode("iso-8859-1")
    with pytest.raises(UnicodeDecodeError):
        prices.decode("utf-8")
    notes = [row["note"] for row in told.table("orders", 1)]
    assert any("\n" in note for note in notes)
    assert any('"' in note for note in notes)


def test_a_column_is_added_on_day_6_and_oslo_follows(told: Told) -> None:
    def has_channel(day: int, name: str) -> bool:
        return "channel" in records(told.bytes(f"orders/2026-11-{day:02d}/{name}.csv"))[0]

    shops = ("berlin", "lyon", "oslo", "web")
    assert not any(has_channel(5, name) for name in shops)
    assert [has_channel(6, name) for name in shops] == [True, True, False, True]
    assert all(has_channel(7, name) for name in shops)


def test_types_drift_on_day_8_only(told: Told) -> None:
    for day in (7, 8, 9):
        ids = [r for r in told.table("orders", day) if r["Customer ID"].startswith("C-")]
        pieces = [r for r in told.table("order_lines", day) if r["quantity"].endswith(" pcs")]
        assert len(ids) == told.planted("bad_customer_id", "orders", day)
        assert len(pieces) == told.planted("bad_quantity", "order_lines", day)
        assert (len(ids) > 0, len(pieces) > 0) == (day == 8, day == 8)


def test_day_9_is_cut_within_a_quoted_record_and_comes_whole_later(
    told: Told, tmp_path: Path
) -> None:
    path = "orders/2026-11-09/lyon.csv"
    story = told.story
    arrive(tmp_path, story, story.arrival("day-9"))
    cut, whole = (tmp_path / path).read_bytes(), told.bytes(path)
    assert whole.startswith(cut)
    assert cut.count(b'"') % 2 == 1
    header, *rows = records(cut)
    assert [len(row) == len(header) for row in rows].count(False) == 1
    assert len(rows[-1]) < len(header)
    assert 0.4 < len(rows) / (len(records(whole)) - 1) < 0.8
    (facts,) = [f for f in story.arrival("day-9").files if f.path == path]
    assert (facts.records, facts.count("malformed", "truncated")) == (len(rows), 2)


def test_broken_records(told: Told) -> None:
    for day in (2, 4):
        broken = 0
        for name in ("berlin", "lyon", "oslo", "web"):
            header, *rows = records(told.bytes(f"orders/2026-11-{day:02d}/{name}.csv"))
            broken += sum(len(row) != len(header) for row in rows)
        assert broken == told.planted("malformed", "orders", day) == 1
    for source, day in (("customers", 2), ("returns", 4)):
        parsed = [json_or_none(line) for line in told.lines(source, day)]
        assert parsed.count(None) == told.planted("malformed", source, day) == 1


def test_day_11_has_prices_ten_times_too_high_until_it_is_corrected(
    told: Told, tmp_path: Path
) -> None:
    story = told.story
    wrong = story.arrival("day-11")
    arrive(tmp_path, story, wrong)
    path = "order_lines/2026-11-11/lines.csv"
    prices = [
        [float(row[4]) for row in records(content)[1:] if row[4]]
        for content in ((tmp_path / path).read_bytes(), told.bytes(path))
    ]
    assert prices[0] == pytest.approx([10 * price for price in prices[1]])
    assert 3.5 < sum(prices[1]) / len(prices[1]) < 5
    then = story.arrivals.index(wrong) + 1
    blocked = story.fate("clean.order_lines", "2026-11-11", arrived=then)
    mended = story.fate("clean.order_lines", "2026-11-11")
    assert (blocked.blocked, blocked.written, blocked.withheld) == (True, 0, mended.written)
    assert not mended.blocked


def test_the_correction_of_day_3_changes_removes_and_adds(told: Told) -> None:
    path = "orders/2026-11-03/berlin.csv"
    before, after = ({row[0]: row for row in records(c)[1:]} for c in (
        told.first[path], told.bytes(path),
    ))  # fmt: skip
    (facts,) = told.story.arrival("corrected-day-3").files
    assert len(before.keys() - after.keys()) == facts.count("removed") > 0
    assert len(after.keys() - before.keys()) == facts.count("added") == 2
    newer = [key for key in before.keys() & after.keys() if after[key][-1] > "2026-11-09"]
    assert len(newer) == facts.count("changed") > 0
    assert all(after[key][3].strip().lower() in ("cancelled", "canceled", "void") for key in newer)


def test_the_late_part_of_day_5_has_other_orders_and_three_lines_again(told: Told) -> None:
    late = {row[0] for row in records(told.bytes("orders/2026-11-05/web-late.csv"))[1:]}
    assert late
    assert not late & {row["order_id"] for row in told.table("orders", 5, first=True)}
    sent = [tuple(row.values()) for row in told.table("order_lines", 5, first=True)]
    lines = [tuple(row) for row in records(told.bytes("order_lines/2026-11-05/lines-late.csv"))[1:]]
    assert len([line for line in lines if line in sent]) == 3
    assert {line[0] for line in lines if line not in sent} == late


def test_orders_are_told_again_with_a_newer_status(told: Told) -> None:
    told_on: dict[str, list[str]] = {}
    for day in range(1, DAYS + 1):
        for row in told.table("orders", day):
            told_on.setdefault(row["order_id"], []).append(row["updated_at"])
    again = [times for times in told_on.values() if len({t[:10] for t in times}) > 1]
    assert len(again) > 50


def test_customers_and_products_that_nobody_knows(told: Told) -> None:
    known = {
        (json_or_none(line) or {}).get("customer_id")
        for day in range(1, DAYS + 1)
        for line in told.lines("customers", day)
    }
    strangers = [
        row for row in told.table("orders", 1)
        if row["Customer ID"] and int(row["Customer ID"]) not in known
    ]  # fmt: skip
    assert len(strangers) == told.planted("unknown_customer", "orders", 1) > 0
    lists = {
        day: {
            line.split(";")[0]
            for line in told.bytes(f"products/2026-11-{day:02d}/products.csv")
            .decode("iso-8859-1")
            .splitlines()[1:]
        }
        for day in (1, 10)
    }
    sold = Counter(row["product_id"] for row in told.table("order_lines", 9))
    unlisted = sum(number for product, number in sold.items() if product not in lists[1])
    assert unlisted == told.planted("not_listed_yet", "order_lines", 9) > 0
    assert sold.keys() <= lists[10]


@pytest.mark.parametrize("days", [1, 3, 8, 12, 20])
@pytest.mark.parametrize("rows", [40, 900])
def test_any_size_tells_a_story_that_fits_its_files(tmp_path: Path, rows: int, days: int) -> None:
    small = tell(tmp_path, rows=rows, days=days)
    assert {f.path for f in small.story.present()} == set(contents(small.raw))
    assert len({f.window for f in small.story.present()}) == days
    for fate in small.story.fates():
        whole = fate.written + fate.withheld + fate.quarantined + fate.deduplicated + fate.filtered
        assert fate.read == whole
        assert fate.quarantined <= 0.10 * fate.read
    for group in small.story.passes():
        assert group


@pytest.mark.parametrize(("rows", "days"), [(0, 1), (10, 0), (10**9, 1)])
def test_sizes_that_make_no_sense_are_refused(tmp_path: Path, rows: int, days: int) -> None:
    with pytest.raises(ValueError, match="rows"):
        generate(tmp_path, rows=rows, days=days, seed=1)
    assert contents(tmp_path) == {}


def test_another_start_moves_the_windows(tmp_path: Path) -> None:
    story = generate(tmp_path, rows=100, days=2, seed=1, start=date(2025, 2, 28))
    assert {file.window for file in story.files} == {"2025-02-28", "2025-03-01"}


def test_an_unknown_arrival_is_named_with_those_that_exist(told: Told) -> None:
    with pytest.raises(KeyError, match="day-8, late-day-5"):
        told.story.arrival("day-5-late")


@pytest.mark.parametrize(
    ("phone", "country", "expected"),
    [
        ("+49 30 5551234", "DE", "+49305551234"),
        ("0033405551234", "FR", "+33405551234"),
        ("055.55512345", "NO", "+475555512345"),
        ("030 / 555", None, None),
        ("", "DE", None),
        (None, "DE", None),
    ],
)
def test_phones_become_international(
    phone: str | None, country: str | None, expected: str | None
) -> None:
    assert international_phone(phone, country) == expected
