"""What the shops send every night: one file of orders each, as messy as their tills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from shop.dumps import Draft, Record
from shop.flaws import PLENTY, deal, share
from shop.names import CUT_NOTE
from shop.world import MAX_ORDERS_A_DAY, SHOPS, Order, World, orders, updates

HEADER = ("order_id", "Customer ID", "ordered_at", "status", "country", "total", "email", "note")
CUSTOMER, STATUS, NOTE = 1, 3, 7  # their places
UNKNOWN_CUSTOMERS = 9_000_000  # nobody has a number this high
LATE_DAY, CORRECTED_DAY, CHANNEL_DAY, DRIFT_DAY, CUT_DAY = 5, 3, 6, 8, 9
CORRECTED_ON = 9
SPELLINGS = {
    "paid": ("paid", "paid", "Paid", "PAID "),
    "cancelled": ("cancelled", "cancelled", "canceled", "Void"),
    "open": ("open", ""),
}
CHANNELS = {
    "web": ("web", "Web", " WEB-SHOP", "online"),
    "app": ("app", "App ", "mobile app"),
    "store": ("store", "in store", "Filiale", "STORE "),
    "phone": ("phone", "Phone!", "tel."),
}


def is_late(day: int, one: Order) -> bool:
    """Whether an order comes in the late part of day 5, after day 7."""
    return day == LATE_DAY and one.shop == "web" and one.order_id % 12 == 5 and not one.is_test


def order_dumps(world: World, day: int) -> tuple[Draft, ...]:
    """The files of a day, as the shops first sent them; on day 9 the one of Lyon is cut."""
    flaws = _flaws(world, day)
    return tuple(_dump(world, day, shop, flaws) for shop in SHOPS)


def late_orders(world: World) -> Draft:
    """The part of day 5 that was forgotten on the server of the web shop."""
    records = [
        _record(world, LATE_DAY, one) for one in orders(world, LATE_DAY) if is_late(LATE_DAY, one)
    ]
    return replace(_draft(world, LATE_DAY, "web", records), name="web-late.csv")


def corrected_orders(world: World) -> Draft:
    """Berlin's day 3 once more: some rows changed, some gone, two new."""
    kept, removed = [], 0
    berlin = [one for one in orders(world, CORRECTED_DAY) if one.shop == "berlin"]
    corrected_at = world.at(CORRECTED_ON, 36_000)
    for number, one in enumerate(berlin):
        if number % 25 == 3 and not one.is_test:
            removed += 1
        elif number % 10 == 4 and one.status != "cancelled" and not one.is_test:
            changed = replace(one, status="cancelled", updated_at=corrected_at, note="")
            kept.append(_record(world, CORRECTED_DAY, changed, "changed"))
        else:
            kept.append(_record(world, CORRECTED_DAY, one))
    regular = [one for one in berlin if not one.is_test and one.status != "cancelled"]
    for number, one in enumerate(regular[:2], start=1):
        fresh = (CORRECTED_DAY + 1) * MAX_ORDERS_A_DAY - number
        added = replace(one, order_id=fresh, updated_at=corrected_at)
        kept.append(_record(world, CORRECTED_DAY, added, "added"))
    kept.extend(_updates(world, CORRECTED_DAY, "berlin"))
    return replace(_draft(world, CORRECTED_DAY, "berlin", kept), removed=removed)


def whole_orders(world: World) -> Draft:
    """The file of Lyon that was cut on day 9, whole."""
    return _dump(world, CUT_DAY, "lyon", _flaws(world, CUT_DAY), cut=False)


def _flaws(world: World, day: int) -> dict[int, str]:
    """Which order of a day has which flaw, by order number."""
    random = world.random("flaws", "orders", day)
    todays = [one for one in orders(world, day) if not one.is_test and not is_late(day, one)]
    total = len(todays)
    wanted = {
        "no_customer": share(total, 0.01, at_least=1, of=PLENTY // 2),
        "unknown_customer": share(total, 0.015, at_least=1),
        "exact_duplicate": share(total, 0.006, at_least=1),
        "near_duplicate": share(total, 0.006, at_least=1),
        "malformed": share(total, 0, at_least=1) if day in (2, 4) else 0,
    }
    dealt = deal(random, [one.order_id for one in todays], wanted)
    if day == DRIFT_DAY:
        lyon = [o.order_id for o in todays if o.shop == "lyon" and o.order_id not in dealt]
        dealt.update(deal(random, lyon, {"bad_customer_id": share(total, 0.02, at_least=1)}))
    return dealt


def _dump(world: World, day: int, shop: str, flaws: dict[int, str], *, cut: bool = True) -> Draft:
    todays = [one for one in orders(world, day) if one.shop == shop and not is_late(day, one)]
    plain = [one.order_id for one in todays if one.order_id not in flaws and not one.is_test]
    is_cut = shop == "lyon" and day == CUT_DAY and len(orders(world, day)) >= 20 and plain != []
    cut_at = plain[len(plain) * 6 // 10] if is_cut else None
    records, again = [], []
    for one in todays:
        flaw = flaws.get(one.order_id)
        if one.order_id == cut_at:
            whole = _record(world, day, replace(one, note=CUT_NOTE))
            records.append(replace(whole, kinds=("malformed", "truncated")) if cut else whole)
            continue
        records.append(_flawed(world, day, one, flaw))
        if flaw == "exact_duplicate":
            again.append(_record(world, day, one, flaw))
        elif flaw == "near_duplicate":
            later = one.updated_at + timedelta(seconds=60)
            again.append(_record(world, day, replace(one, updated_at=later), flaw))
    draft = _draft(world, day, shop, [*records, *again, *_updates(world, day, shop)])
    return replace(draft, cut_in=CUT_NOTE if is_cut and cut else None)


def _draft(world: World, day: int, shop: str, records: Iterable[Record]) -> Draft:
    """A shop's file: Berlin's till runs on Windows, and the web shop begins with a BOM on day 4."""
    header = [*HEADER, "updated_at"]
    if _has_channel(day, shop):
        header.insert(NOTE, "channel")
    if shop == "web" and day >= 4:
        header[0] = "\ufeff" + header[0]
    return Draft(
        source="orders",
        window=world.window(day),
        name=f"{shop}.csv",
        records=tuple(records),
        header=header,
        line_end="\r\n" if shop == "berlin" else "\n",
    )


def _has_channel(day: int, shop: str) -> bool:
    """The column that is new on day 6; Oslo follows a day later."""
    return day >= CHANNEL_DAY + (shop == "oslo")


def _record(world: World, day: int, one: Order, *kinds: str) -> Record:
    """An order's record, with what is to be said of it in any case."""
    said = list(kinds)
    if one.is_test:
        said.append("test_order")
    if one.status == "cancelled":
        said.append("cancelled")
    if "\n" in one.note:
        said.append("embedded_newline")
    if _has_channel(day, one.shop):
        said.append("new_column")
    return Record(_cells(world, day, one), tuple(said))


def _flawed(world: World, day: int, one: Order, flaw: str | None) -> Record:
    if flaw not in ("no_customer", "unknown_customer", "malformed", "bad_customer_id"):
        return _record(world, day, one)
    record = _record(world, day, replace(one, note="") if flaw == "malformed" else one, flaw)
    cells = list(record.content)
    if flaw == "malformed":  # the end of the line is missing, or a comma is not quoted
        spoilt = cells[:4] if day == 2 else [*cells[:NOTE], "two", " one blue", *cells[NOTE:]]
        return Record(spoilt, ("malformed",))
    cells[CUSTOMER] = {
        "no_customer": "",
        "unknown_customer": str(UNKNOWN_CUSTOMERS + one.order_id % 1000),
        "bad_customer_id": f"C-{one.customer_id}",
    }[flaw]
    return Record(cells, record.kinds)


def _updates(world: World, day: int, shop: str) -> list[Record]:
    """Orders of earlier days with the status they have come to."""
    found = []
    for one in updates(world, day):
        if one.shop == shop:
            told_at = world.at(day, 28_800 + one.order_id % 3_600)
            told = replace(one, status=one.next_status or one.status, updated_at=told_at)
            found.append(_record(world, day, told, "status_update"))
    return found


def _cells(world: World, day: int, one: Order) -> list[str]:
    """One line of a shop's file, spelt as that till spells it."""
    random = world.random("spelling", one.order_id, one.status)
    at = one.ordered_at
    cells = [
        str(one.order_id),
        str(one.customer_id),
        f"{at.month}/{at.day}/{at.year} {at.hour}:{at.minute:02d}",
        random.choice(SPELLINGS.get(one.status, (one.status,))),
        "UK" if one.country == "GB" and one.shop == "web" else one.country,
        f"{one.cents / 100:.2f}",
        "test@example.com" if one.is_test else one.email,
        one.note,
        one.updated_at.isoformat(sep=" "),
    ]
    if _has_channel(day, one.shop):
        cells.insert(NOTE, random.choice(CHANNELS[one.channel]))
    return cells
