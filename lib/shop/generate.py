"""Two weeks and more of raw dumps, as messy as real ones, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from shop.dumps import Draft, write
from shop.line_dumps import (
    PRICE_ERROR_DAY,
    corrected_lines,
    late_lines,
    line_dump,
    return_dump,
)
from shop.master_dumps import country_dump, customer_dump, price_dump
from shop.order_dumps import (
    CORRECTED_DAY,
    CUT_DAY,
    LATE_DAY,
    corrected_orders,
    late_orders,
    order_dumps,
    whole_orders,
)
from shop.story import Arrival, Story
from shop.world import World

FIRST_DAY = date(2026, 11, 1)
CATCH_UP = 7  # so many days are there at the start; the others arrive one by one
Drafts = Callable[[World], Iterable[Draft]]


def generate(raw: Path, *, rows: int, days: int, seed: int, start: date = FIRST_DAY) -> Story:
    """Write the first files below `raw` and tell what was planted, there and in later arrivals.

    `rows` is about the number of order lines in all. What an earlier call with the same size and
    start let arrive is taken away again, so a story can be told anew in its folder.
    """
    world = World(rows, days, seed, start)
    first = [draft for day in range(1, min(days, CATCH_UP) + 1) for draft in _day(world, day)]
    arrivals = tuple(_arrivals(world))
    for path in {file.path for arrival in arrivals for file in arrival.files}:
        (raw / path).unlink(missing_ok=True)
    for draft in first:
        write(raw, draft)
    return Story(rows, days, seed, start, tuple(draft.facts() for draft in first), arrivals)


def arrive(raw: Path, story: Story, event: Arrival) -> None:
    """Write, or write anew, the files of one later arrival."""
    world = World(story.rows, story.days, story.seed, story.start)
    for draft in _drafts(event.name)(world):
        write(raw, draft)


def _day(world: World, day: int) -> Iterable[Draft]:
    """All files of one day, as they were first sent."""
    yield from order_dumps(world, day)
    yield line_dump(world, day)
    yield customer_dump(world, day)
    yield return_dump(world, day)
    prices = price_dump(world, day)
    if prices is not None:
        yield prices
    if day == 1:
        yield country_dump(world)


def _arrivals(world: World) -> Iterable[Arrival]:
    """All that comes after the catch-up, in order, without what is about a day beyond the last."""
    told = {
        8: (2, "a new till in Lyon writes customers as C-123, and quantities come as '3 pcs'"),
        9: (3, "Lyon's orders end within a record; goods are sold that are on no price list"),
        10: (4, "a new price list has them"),
        11: (4, "prices are ten times too high"),
    }
    end = max(world.days, 14)
    again = (
        ("late-day-5", LATE_DAY, 8, 2, "a part of day 5 that was forgotten on a server"),
        ("corrected-day-3", CORRECTED_DAY, 9, 3, "Berlin sends its day 3 again, changed"),
        ("whole-day-9", CUT_DAY, end, 5, "Lyon sends its day 9 again, whole"),
        ("corrected-day-11", PRICE_ERROR_DAY, end, 6, "day 11 comes again with the right prices"),
    )
    for day in range(CATCH_UP + 1, end + 1):
        if day <= world.days:
            number, says = told.get(day, (5, "an ordinary day"))
            yield _arrival(world, f"day-{day}", day, number, says)
        for name, about, comes, number, says in again:
            if comes == day and about <= world.days:
                yield _arrival(world, name, min(day, world.days), number, says)


def _arrival(world: World, name: str, after: int, number: int, says: str) -> Arrival:
    facts = tuple(draft.facts() for draft in _drafts(name)(world))
    return Arrival(name, after, number, says, facts)


def _drafts(name: str) -> Drafts:
    """How the files of an arrival are made."""
    special: dict[str, Drafts] = {
        "late-day-5": lambda world: (late_orders(world), late_lines(world)),
        "corrected-day-3": lambda world: (corrected_orders(world),),
        "whole-day-9": lambda world: (whole_orders(world),),
        "corrected-day-11": lambda world: (corrected_lines(world),),
    }
    if name in special:
        return special[name]
    day = int(name.removeprefix("day-"))
    return lambda world: _day(world, day)
