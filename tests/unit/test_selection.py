"""What a person names, and what that stands for."""

from __future__ import annotations

from datetime import date

import pytest

from headgate.core.contract import FileSource
from headgate.core.errors import Usage
from headgate.core.selection import ancestors, descendants, refuse_before_since, selected
from headgate.core.spec import Clean, Ingested, Mart, Period, Table
from headgate.core.windows import Grain

ORDER = (
    "ingested.a", "ingested.b", "clean.a", "clean.b", "marts.both", "marts.a",
)  # fmt: skip


def tables() -> dict[str, Table]:
    def mart(name: str, *reads: str) -> Mart:
        return Mart(
            name=name, reads={r.replace(".", "_"): r for r in reads}, period=Period(column="day")
        )

    source = FileSource(files="x/{window}.csv")
    made: list[Table] = [
        Ingested(name="ingested.a", source=source, columns={}),
        Ingested(name="ingested.b", source=source, columns={}),
        Clean(name="clean.a", reads={"a": "ingested.a"}),
        Clean(name="clean.b", reads={"b": "ingested.b"}),
        mart("marts.both", "clean.a", "clean.b"),
        mart("marts.a", "clean.a"),
    ]
    return {table.name: table for table in made}


@pytest.mark.parametrize(
    ("what", "layer", "expected"),
    [
        ([], None, ORDER),
        ([], "clean", ("clean.a", "clean.b")),
        (["clean.a"], None, ("clean.a",)),
        (["+clean.a"], None, ("ingested.a", "clean.a")),
        (["clean.a+"], None, ("clean.a", "marts.both", "marts.a")),
        (["+clean.a+"], None, ("ingested.a", "clean.a", "marts.both", "marts.a")),
        (["+marts.both"], None, ("ingested.a", "ingested.b", "clean.a", "clean.b", "marts.both")),
        (["clean"], None, ("clean.a", "clean.b")),
        (["ingest"], None, ("ingested.a", "ingested.b")),
        (["aggregate"], None, ("marts.both", "marts.a")),
        (["ingest", "clean.b"], None, ("ingested.a", "ingested.b", "clean.b")),
        (["a"], "clean", ("clean.a",)),
        (["clean.a", "clean.a"], None, ("clean.a",)),
    ],
)
def test_words_name_tables_dependencies_first(
    what: list[str], layer: str | None, expected: tuple[str, ...]
) -> None:
    assert tuple(selected(tables(), what, layer)) == expected


@pytest.mark.parametrize(
    ("word", "meant"),
    [("clean.aa", "clean.a"), ("cleen", "clean"), ("marts.bth", "marts.both"), ("ingst", "ingest")],
)
def test_a_misspelt_word_is_answered_with_the_likely_one(word: str, meant: str) -> None:
    with pytest.raises(Usage) as caught:
        selected(tables(), [word])
    assert caught.value.exit_code == 2
    assert f"did you mean '{meant}'?" in caught.value.sentence
    assert f"'{word}'" in caught.value.sentence


@pytest.mark.parametrize("word", ["", "+", "++", "zzz", "clean.", ".a", "a", "-x"])
def test_a_word_that_names_nothing_is_refused(word: str) -> None:
    with pytest.raises(Usage):
        selected(tables(), [word])


def test_nothing_depends_on_itself() -> None:
    assert descendants(tables(), ["clean.a"]) == {"marts.both", "marts.a"}
    assert ancestors(tables(), ["clean.a"]) == {"ingested.a"}
    assert descendants(tables(), ["marts.a"]) == set()


def test_a_range_begins_no_sooner_than_anything_it_reads() -> None:
    known = tables()
    a = known["ingested.a"].model_copy(update={"since": date(2026, 1, 10)})
    b = known["ingested.b"].model_copy(update={"since": date(2026, 1, 5)})
    known = {**known, "ingested.a": a, "ingested.b": b}
    early = "2026-01-07..2026-01-20"
    refuse_before_since(known, ["marts.both"], early, Grain.day)  # one of its inputs has it
    refuse_before_since(known, ["marts.a"], "2026-01-07", Grain.day)  # one window is meant
    with pytest.raises(Usage, match=r"before 2026-01-10") as told:
        refuse_before_since(known, ["marts.a"], early, Grain.day)
    assert told.value.next == "--window 2026-01-10..2026-01-20"
    unbounded = {**known, "ingested.b": b.model_copy(update={"since": None})}
    refuse_before_since(unbounded, ["marts.both"], "2025-01-07..2026-01-20", Grain.day)
