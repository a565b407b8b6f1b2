"""Local files into the raw zone: looked at all together, then landed side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from headgate.core.errors import Held, Infrastructure
from headgate.core.landing import Landed, Occupied, Offer, State, Unlandable
from headgate.core.paths import Pattern
from headgate.core.spec import Ingested, Suite
from headgate.stages.at_rest import Settling
from headgate.storage.landing import A_FOLDER, NO_FILE, OTHER, Meter, Place, opened
from headgate.storage.side_by_side import side_by_side

SLOWEST = 60.0  # seconds between two tries while the raw zone cannot be reached


@dataclass(frozen=True)
class Orders:
    """What a call says of files whose place is taken."""

    replace: bool = False
    together: bool = True  # where one is refused, none lands


def landed(place: Place, offers: Sequence[Offer], orders: Orders, meter: Meter) -> Iterator[Landed]:
    """What becomes of each file. That other content is there is found out before any is sent."""
    found = _looked_at(place, offers)
    taken = {offer: other for offer, other in found.items() if other}
    refused = [o for o, other in taken.items() if other == A_FOLDER or not orders.replace]
    yield from (_refused(offer, taken[offer]) for offer in refused)
    if refused and orders.together:
        return
    yield from (Landed(offer, "unchanged") for offer, other in found.items() if not other)
    todo = [o for o in offers if o not in refused and (o in taken or o not in found)]
    meter.expect(sum(offer.size for offer in todo))

    def land(offer: Offer) -> Landed:
        done: State = "replaced" if offer in taken else "landed"
        return _landed(place, offer, orders, meter, done)

    small = [offer for offer in todo if offer.size <= place.alone]
    yield from side_by_side(land, small, place.threads, meter.end)
    yield from (land(offer) for offer in todo if offer.size > place.alone)


def _looked_at(place: Place, offers: Sequence[Offer]) -> dict[Offer, str | None]:
    """Of the files whose place is taken: what is other there, None where the same is there."""
    sizes = place.there([offer.path for offer in offers])

    def look(offer: Offer) -> list[tuple[Offer, str | None]]:
        size = sizes[offer.path]
        if size == NO_FILE:
            return [(offer, A_FOLDER)]
        try:
            with opened(offer.file) as source:
                same_size = source.size == size
                return [(offer, place.differs(offer.path, source) if same_size else OTHER)]
        except Unlandable:
            return []  # told when its turn comes

    taken = [offer for offer in offers if offer.path in sizes]
    found = dict(one for some in side_by_side(look, taken, place.threads) for one in some)
    return {offer: found[offer] for offer in taken if offer in found}


def _landed(place: Place, offer: Offer, orders: Orders, meter: Meter, done: State) -> Landed:
    try:
        with opened(offer.file) as source:
            place.land(source, offer.path, meter, replace=orders.replace)
    except Occupied as error:
        return _refused(offer, error.what)
    except (Unlandable, Held) as error:  # the fault of this file alone
        return Landed(offer, "failed", error.sentence, error.exit_code)
    return Landed(offer, done)


def _refused(offer: Offer, other: str) -> Landed:
    free = "land it elsewhere, or under another name"
    then = free if other == A_FOLDER else f"--replace, or {free}"
    return Landed(offer, "refused", f"{other} Next: {then}", Occupied.exit_code)


def followed(
    place: Place,
    offers: Callable[[], Sequence[Offer]],
    settle: float,
    orders: Orders,
    meter: Meter,
    say: Callable[[str], None],
) -> Iterator[Landed]:
    """What becomes of each file that appears, once it has stopped growing; without an end.

    A raw zone that cannot be reached for a while is said once, and tried again.
    """
    settling, every = Settling(settle), min(max(settle / 4, 0.1), 1.0)
    pause, trouble = every, ""
    while True:
        ready = settling.ready(offers(), time.monotonic())
        left = set(ready)
        try:
            meter.begin()
            for one in landed(place, ready, orders, meter) if ready else ():
                left.discard(one.offer)
                yield one
            if ready:
                pause, trouble = every, ""
        except Infrastructure as error:
            settling.again(left)
            if error.sentence != trouble:
                say(f"{error.sentence}; until then it is tried again")
            pause, trouble = min(pause * 2, SLOWEST), error.sentence
        time.sleep(pause)


def readers(suite: Suite, path: str) -> list[str]:
    """The tables that will read a file at this place."""
    return [
        name
        for name, table in suite.tables.items()
        if isinstance(table, Ingested)
        and Pattern(table.source.files, suite.window).window_of(path) is not None
    ]
