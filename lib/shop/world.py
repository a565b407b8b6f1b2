"""The shop as it truly is: who bought what, when, at which price. No mess yet, and no files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from unicodedata import normalize

from shop.names import (
    CITIES,
    COUNTRIES,
    DIAL_CODES,
    FIRST_NAMES,
    GOODS,
    LAST_NAMES,
    MAIL_HOSTS,
    NOTES,
)

SHOPS = {"berlin": 0.27, "lyon": 0.25, "oslo": 0.12, "web": 0.36}  # their shares of all orders
AT_HOME = {"berlin": "DE", "lyon": "FR", "oslo": "NO"}
SHOP_CHANNELS = ("store", "store", "store", "phone")
WEB_CHANNELS = ("web", "web", "app")
LINES_AN_ORDER = (1, 1, 2, 2, 2, 3, 3, 3, 4, 4)  # 2.5 on average
MAX_ORDERS_A_DAY = 1_000_000  # order numbers begin with the day
RENEWAL_DAY = 10  # the price list is sent again, with new goods that are sold since the day before


@dataclass(frozen=True)
class World:
    """What decides every byte: the size, the length, the seed and the first day."""

    rows: int
    days: int
    seed: int
    start: date

    def __post_init__(self) -> None:
        if self.rows < 1 or self.days < 1:
            raise ValueError("rows and days have to be 1 or more")
        if self.orders_a_day >= MAX_ORDERS_A_DAY:
            raise ValueError("too many rows a day: fewer rows, or more days")

    @property
    def orders_a_day(self) -> int:
        return max(4, round(self.rows / self.days / 2.5))

    @property
    def population(self) -> int:
        return max(60, self.rows // 25)

    def day(self, number: int) -> date:
        """The date of a day, counted from 1."""
        return self.start + timedelta(days=number - 1)

    def window(self, number: int) -> str:
        return self.day(number).isoformat()

    def at(self, number: int, second: int) -> datetime:
        """A moment of a day."""
        return datetime.combine(self.day(number), time()) + timedelta(seconds=second)

    def random(self, *about: object) -> Random:
        """Luck that depends on what it is about, and never on what was drawn before."""
        return Random("/".join(map(str, (self.seed, self.rows, self.days, *about))))


@dataclass(frozen=True)
class Product:
    product_id: str
    name: str
    category: str
    cents: int
    since: int  # the first day on which it is on the price list
    updated_on: int


@dataclass(frozen=True)
class Customer:
    customer_id: int
    name: str
    email: str
    phone: str | None
    country: str
    birth_date: date
    segment: str | None
    updated_at: datetime


@dataclass(frozen=True)
class Line:
    line: int
    product_id: str
    quantity: int
    cents: int


@dataclass(frozen=True)
class Order:
    order_id: int
    shop: str
    customer_id: int
    ordered_at: datetime
    updated_at: datetime
    status: str
    country: str
    email: str
    channel: str
    note: str
    lines: tuple[Line, ...]
    next_status: str | None = None  # told some days later, in that day's dump
    next_day: int = 0
    is_test: bool = False

    @property
    def cents(self) -> int:
        return sum(line.quantity * line.cents for line in self.lines)


@lru_cache(maxsize=8)
def products(world: World) -> tuple[Product, ...]:
    """Everything that is ever sold; the last six goods are new on the renewal day."""
    random = world.random("products")
    found = []
    for number, (name, category, cents) in enumerate(GOODS, start=1):
        is_new = number > len(GOODS) - 6
        since = RENEWAL_DAY if is_new else 1
        price = max(49, cents + random.randrange(-3, 4) * 5)
        found.append(Product(f"P{number:04d}", name, category, price, since, since))
    return tuple(found)


def price_list(world: World, day: int) -> tuple[Product, ...]:
    """The price list as sent on a day: only the first day and the renewal day bring one."""
    if day not in (1, RENEWAL_DAY):
        return ()
    return tuple(product for product in products(world) if product.since <= day)


@lru_cache(maxsize=200_000)
def customer(world: World, customer_id: int, day: int) -> Customer | None:
    """A customer as known on a day; None before the day of the first visit."""
    random = world.random("customer", customer_id)
    joined = 1 if random.random() < 0.85 else random.randrange(1, world.days + 1)
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    country = random.choices(tuple(COUNTRIES), weights=[c[2] for c in COUNTRIES.values()])[0]
    born = date(1940, 1, 1) + timedelta(days=random.randrange(24_000))
    phone = None if random.random() < 0.1 else _phone(random, country)
    segment = random.choice(("new", "regular", "regular", "vip", None))
    known_since = datetime.combine(world.start, time()) - timedelta(days=random.randrange(1, 400))
    moved_on, raised_on = (random.randrange(1, 20 * world.days) for _ in range(2))
    host = random.choice(MAIL_HOSTS)
    if day < joined:
        return None
    if joined > 1:
        known_since = world.at(joined, random.randrange(28_800, 72_000))
    if joined < moved_on <= day:
        host, known_since = "example.net", max(known_since, world.at(moved_on, 36_000))
    if joined < raised_on <= day:
        segment, known_since = "vip", max(known_since, world.at(raised_on, 39_600))
    email = f"{_ascii(first)}.{_ascii(last)}{customer_id}@{host}"
    return Customer(
        customer_id, f"{first} {last}", email, phone, country, born, segment, known_since
    )


def customers(world: World, day: int) -> tuple[Customer, ...]:
    """All customers known on a day."""
    known = (customer(world, number, day) for number in customer_ids(world))
    return tuple(one for one in known if one is not None)


def customer_ids(world: World) -> range:
    return range(1001, 1001 + world.population)


@lru_cache(maxsize=32)
def orders(world: World, day: int) -> tuple[Order, ...]:
    """The orders of a day, as they stood at its end."""
    random = world.random("orders", day)
    open_shops = [s for s in SHOPS if s != "oslo" or world.day(day).weekday() != 6]
    weights = [SHOPS[shop] for shop in open_shops]
    sold = tuple(p for p in products(world) if p.since <= day)
    quiet = 0.9 if world.day(day).weekday() == 6 else 1.0
    found = []
    for number in range(1, max(4, round(world.orders_a_day * quiet)) + 1):
        shop = random.choices(open_shops, weights)[0]
        found.append(_order(world, random, day, number, shop, sold))
    return tuple(found)


def _order(
    world: World, random: Random, day: int, number: int, shop: str, sold: tuple[Product, ...]
) -> Order:
    buyer = None
    while buyer is None:
        buyer = customer(world, random.choice(customer_ids(world)), day)
    abroad = shop == "web" or random.random() < 0.04
    ordered_at = world.at(day, random.randrange(25_200, 79_200) // 60 * 60)
    status = random.choices(("open", "paid", "shipped", "cancelled"), (20, 45, 27, 8))[0]
    next_status, next_day = None, 0
    if status in ("open", "paid") and random.random() < 0.2:
        next_status = "cancelled" if random.random() < 0.3 else "shipped"
        next_day = day + random.randrange(1, 4)
    return Order(
        order_id=day * MAX_ORDERS_A_DAY + number,
        shop=shop,
        customer_id=buyer.customer_id,
        ordered_at=ordered_at,
        updated_at=ordered_at + timedelta(seconds=random.randrange(30, 7_000)),
        status=status,
        country=buyer.country if abroad else AT_HOME[shop],
        email="" if random.random() < 0.03 else buyer.email,
        channel=random.choice(WEB_CHANNELS if shop == "web" else SHOP_CHANNELS),
        note=random.choice(NOTES) if random.random() < 0.2 else "",
        lines=tuple(
            _line(random, line, sold) for line in range(1, random.choice(LINES_AN_ORDER) + 1)
        ),
        next_status=next_status,
        next_day=next_day,
        is_test=number % 190 == 60,
    )


def _line(random: Random, line: int, sold: tuple[Product, ...]) -> Line:
    product = random.choice(sold)
    cents = product.cents if random.random() < 0.85 else product.cents * 9 // 10
    quantity = random.choices((1, 2, 3, 4, 6, 12), (48, 25, 12, 7, 5, 3))[0]
    return Line(line, product.product_id, quantity, cents)


def updates(world: World, day: int) -> tuple[Order, ...]:
    """Orders of the three days before whose status changed on this day."""
    earlier = (one for back in (3, 2, 1) if day > back for one in orders(world, day - back))
    return tuple(one for one in earlier if one.next_day == day)


def _phone(random: Random, country: str) -> str:
    code, digits = DIAL_CODES[country], f"555{random.randrange(10_000, 99_999)}"
    city = random.choice(CITIES)
    return random.choice(
        (
            f"+{code} {city} {digits}",
            f"00{code}{city}{digits}",
            f"0{city} / {digits[:4]}-{digits[4:]}",
            f"+{code} (0){city} {digits[:3]} {digits[3:]}",
            f"0{city}.{digits}",
        )
    )


_SPELT = str.maketrans({"ø": "o", "ł": "l", "ß": "ss"})


def _ascii(name: str) -> str:
    """A name as it stands in an address of mail."""
    plain = normalize("NFKD", name.lower().translate(_SPELT))
    return "".join(letter for letter in plain if "a" <= letter <= "z") or "someone"
