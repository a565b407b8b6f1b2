"""What changes slowly: customers as whole snapshots, the price list, and the countries."""

from __future__ import annotations

from shop.dumps import Draft, Record
from shop.flaws import deal, share
from shop.names import COUNTRIES, ELSEWHERE
from shop.world import Customer, World, customers, price_list

CENTURY = 100  # somebody typed 62, and the form made 2062 of it


def customer_dump(world: World, day: int) -> Draft:
    """All customers as they are known on a day."""
    known = customers(world, day)
    plain = [n for n, one in enumerate(known) if not _will_be_born(one)]
    wanted = {
        "exact_duplicate": share(len(known), 0.003, at_least=1),
        "near_duplicate": share(len(known), 0.002, at_least=1),
        "bad_date": share(len(known), 0.004, at_least=1) if day == 5 else 0,
        "malformed": share(len(known), 0, at_least=1) if day == 2 else 0,
    }
    flaws = deal(world.random("flaws", "customers", day), plain, wanted)
    records, again = [], []
    for number, one in enumerate(known):
        flaw = flaws.get(number)
        content = _content(one)
        if flaw == "exact_duplicate":
            again.append(Record(content, (flaw,)))
        elif flaw == "near_duplicate":
            older = {**content, "segment": "new", "updated_at": "2020-01-01T00:00:00"}
            again.append(Record(older, (flaw,)))
        records.append(_record(one, content, flaw))
    return Draft("customers", world.window(day), "customers.jsonl", (*records, *again))


def price_dump(world: World, day: int) -> Draft | None:
    """The price list, in the old encoding of the stock program; None on days without one."""
    listed = price_list(world, day)
    if not listed:
        return None
    records = [
        Record(
            (
                one.product_id,
                f"{one.name} " if number % 7 == 0 else one.name,
                one.category,
                f"{one.cents / 100:.2f}",
                world.at(one.updated_on, 21_600).isoformat(sep=" "),
            )
        )
        for number, one in enumerate(listed)
    ]
    header = ("product_id", "name", "category", "list_price", "updated_at")
    return Draft(
        "products",
        world.window(day),
        "products.csv",
        tuple(records),
        header=header,
        separator=";",
        line_end="\r\n",
        encoding="iso-8859-1",
    )


def country_dump(world: World) -> Draft:
    """The countries, sent once. Namibia's code is NA, which is not a missing value."""
    known = [(code, name, region) for code, (name, region, _) in COUNTRIES.items()]
    records = tuple(Record(row) for row in sorted([*known, *ELSEWHERE]))
    header = ("code", "name", "region")
    return Draft("countries", world.window(1), "countries.csv", records, header=header)


def _will_be_born(one: Customer) -> bool:
    return one.customer_id % 97 == 13


def _content(one: Customer) -> dict[str, object]:
    born = one.birth_date
    if _will_be_born(one):
        born = born.replace(year=born.year + CENTURY, day=min(born.day, 28))
    email = one.email.replace("@", " at ") if one.customer_id % 61 == 7 else one.email
    content: dict[str, object] = {
        "customer_id": one.customer_id,
        "name": one.name,
        "email": email,
        "phone": one.phone,
        "country": one.country,
        "birth_date": born.isoformat(),
        "segment": one.segment,
        "updated_at": one.updated_at.isoformat(),
    }
    return {key: value for key, value in content.items() if value is not None}


def _record(one: Customer, content: dict[str, object], flaw: str | None) -> Record:
    if flaw == "malformed":
        return Record(f'{{"customer_id": {one.customer_id}, "name": "', (flaw,))
    if flaw == "bad_date":
        return Record({**content, "birth_date": "1980-02-31"}, (flaw,))
    kinds = ["born_in_the_future"] if _will_be_born(one) else []
    if " at " in str(content["email"]):
        kinds.append("odd_email")
    return Record(content, tuple(kinds))
