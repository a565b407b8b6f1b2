"""What the central till sends every night: the lines of all orders, and what was brought back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shop.dumps import Draft, Record
from shop.flaws import PLENTY, deal, share
from shop.names import NOTES
from shop.order_dumps import DRIFT_DAY, LATE_DAY, is_late
from shop.world import MAX_ORDERS_A_DAY, RENEWAL_DAY, Line, Order, World, orders, products

HEADER = (
    "order_id",
    "line",
    "product_id",
    "quantity",
    "unit_price",
    "country",
    "ordered_at",
    "status",
    "updated_at",
)
PRODUCT, QUANTITY, PRICE, COUNTRY, STATUS = 2, 3, 4, 5, 7  # their places
PRICE_ERROR_DAY = 11
Sold = tuple[Order, Line]


def line_dump(world: World, day: int) -> Draft:
    """The lines of a day as first sent; on day 11 with prices ten times too high."""
    sold = [(order, line) for order, line in _sold(world, day) if not is_late(day, order)]
    records = _records(world, day, sold)
    if day == PRICE_ERROR_DAY:
        records = [_times_ten(record) for record in records]
    return _draft(world, day, "lines.csv", records)


def corrected_lines(world: World) -> Draft:
    """Day 11 once more, with the right prices."""
    records = _records(world, PRICE_ERROR_DAY, _sold(world, PRICE_ERROR_DAY))
    return _draft(world, PRICE_ERROR_DAY, "lines.csv", records)


def late_lines(world: World) -> Draft:
    """The lines of the late orders of day 5, and three that had been sent already."""
    sold = _sold(world, LATE_DAY)
    records = [_record(order, line) for order, line in sold if is_late(LATE_DAY, order)]
    sent = [record for record in line_dump(world, LATE_DAY).records if not record.kinds]
    again = [replace(record, kinds=("exact_duplicate",)) for record in sent[:3]]
    return _draft(world, LATE_DAY, "lines-late.csv", [*records, *again])


def return_dump(world: World, day: int) -> Draft:
    """What was brought back on a day, as JSON lines; Lyon writes its decimals with a comma."""
    random = world.random("returns", day)
    total = max(2, round(len(_sold(world, day)) * 0.06))
    could = [
        (order, line)
        for back in range(max(1, day - 3), day + 1)
        for order, line in _sold(world, back)
        if order.status != "cancelled"
    ]
    chosen = random.sample(could, min(total, len(could)))
    wanted = {
        "zero_refund": share(len(chosen), 0.03, at_least=1),
        "bad_refund": share(len(chosen), 0, at_least=1) if day == 6 else 0,
        "malformed": share(len(chosen), 0, at_least=1) if day == 4 else 0,
        "exact_duplicate": share(len(chosen), 0.02, at_least=1),
    }
    flaws = deal(random, range(len(chosen)), wanted)
    records, again = [], []
    for number, (order, line) in enumerate(chosen):
        record = _return(world, day, number, order, line, flaws.get(number))
        records.append(record)
        if flaws.get(number) == "exact_duplicate":
            again.append(record)
            records[-1] = replace(record, kinds=())
    return Draft("returns", world.window(day), "returns.jsonl", (*records, *again))


def _sold(world: World, day: int) -> list[Sold]:
    """All lines of a day; those of test orders never reach the central till."""
    return [(one, line) for one in orders(world, day) if not one.is_test for line in one.lines]


def _records(world: World, day: int, sold: list[Sold]) -> list[Record]:
    flaws = _flaws(world, day)
    first, again = [], []
    for order, line in sold:
        flaw = flaws.get(_number(order, line))
        first.append(_flawed(world, order, line, flaw))
        if flaw == "exact_duplicate":
            again.append(_record(order, line, flaw))
        elif flaw == "near_duplicate":
            more = replace(line, quantity=line.quantity + 1)
            later = replace(order, updated_at=order.updated_at + timedelta(seconds=90))
            again.append(_record(later, more, flaw))
    return [*first, *again]


def _flaws(world: World, day: int) -> dict[int, str]:
    """Which line of a day has which flaw. Cancelled and late ones have none."""
    random = world.random("flaws", "order_lines", day)
    todays = [
        (order, line)
        for order, line in _sold(world, day)
        if order.status != "cancelled" and not is_late(day, order)
    ]
    total = len(todays)
    wanted = {
        "negative_quantity": share(total, 0.01, at_least=1, of=PLENTY),
        "no_price": share(total, 0.002, at_least=1, of=PLENTY),
        "zero_quantity": share(total, 0.006, at_least=1),
        "exact_duplicate": share(total, 0.007, at_least=1),
        "near_duplicate": share(total, 0.005, at_least=1),
        "no_country": share(total, 0.005, at_least=1),
        "unknown_country": share(total, 0.003, at_least=1),
        "odd_country": share(total, 0.02, at_least=1),
        "bad_quantity": share(total, 0.03, at_least=1) if day == DRIFT_DAY else 0,
        "not_listed_yet": share(total, 0.01, at_least=1) if day == RENEWAL_DAY - 1 else 0,
    }
    return deal(random, [_number(order, line) for order, line in todays], wanted)


def _flawed(world: World, order: Order, line: Line, flaw: str | None) -> Record:
    if flaw is None or flaw in ("exact_duplicate", "near_duplicate"):
        return _record(order, line)
    cells = _cells(order, line)
    random = world.random("flawed", order.order_id, line.line)
    if flaw == "negative_quantity":
        cells[QUANTITY] = f"-{line.quantity}"
    elif flaw == "zero_quantity":
        cells[QUANTITY] = "0"
    elif flaw == "bad_quantity":
        cells[QUANTITY] = f"{line.quantity} pcs"
    elif flaw == "no_price":
        cells[PRICE] = ""
    elif flaw == "no_country":
        cells[COUNTRY] = random.choice(("", "N/A"))
    elif flaw == "unknown_country":
        cells[COUNTRY] = "XX"
    elif flaw == "odd_country":
        cells[COUNTRY] = "UK" if order.country == "GB" else f" {order.country.lower()} "
    elif flaw == "not_listed_yet":
        fresh = [p.product_id for p in products(world) if p.since == RENEWAL_DAY]
        cells[PRODUCT] = random.choice(fresh)
    return Record(cells, (flaw,))


def _record(order: Order, line: Line, *kinds: str) -> Record:
    cancelled = ("cancelled_line",) if order.status == "cancelled" else ()
    return Record(_cells(order, line), (*kinds, *cancelled))


def _cells(order: Order, line: Line) -> list[str]:
    return [
        str(order.order_id),
        str(line.line),
        line.product_id,
        str(line.quantity),
        f"{line.cents / 100:.2f}",
        order.country,
        order.ordered_at.isoformat(sep=" "),
        "cancelled" if order.status == "cancelled" else "sold",
        order.updated_at.isoformat(sep=" "),
    ]


def _times_ten(record: Record) -> Record:
    cells = list(record.content)
    if cells[PRICE]:
        cells[PRICE] = f"{float(cells[PRICE]) * 10:.2f}"
    return Record(cells, (*record.kinds, "price_error"))


def _draft(world: World, day: int, name: str, records: list[Record]) -> Draft:
    """The central till runs on Windows: its lines end with CR and LF."""
    return Draft(
        "order_lines", world.window(day), name, tuple(records), header=HEADER, line_end="\r\n"
    )


def _number(order: Order, line: Line) -> int:
    return order.order_id * 10 + line.line


def _return(
    world: World, day: int, number: int, order: Order, line: Line, flaw: str | None
) -> Record:
    random = world.random("return", day, number)
    brought = random.randrange(1, line.quantity + 1)
    refund = f"{line.cents * brought / 100:.2f}"
    if order.shop == "lyon":
        refund = refund.replace(".", ",")
    content: dict[str, object] = {
        "return_id": day * MAX_ORDERS_A_DAY + number,
        "order_id": order.order_id,
        "line": line.line,
        "returned_at": world.at(day, random.randrange(79_300, 85_000)).isoformat(),
        "qty": brought,
        "refund": {"zero_refund": "0.00", "bad_refund": "see receipt"}.get(flaw or "", refund),
        "reason": random.choice(("", "broken", "too late", "wrong size", *NOTES[1:3])),
    }
    if flaw == "malformed":
        return Record(f'{{"return_id": {content["return_id"]}, "order_id":', (flaw,))
    return Record(content, (flaw,) if flaw else ())
