"""`headgate init DIR --from FILES`: dumps as suppliers send them become a suite that runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from commands import headgate

DAYS = ("20261103", "20261104", "20261105")
HEADER = "Bestell-Nr;Datum;Kunde E-Mail;Land;Menge;Preis (EUR);PLZ;Größe;Rabatt"


def dumps(folder: Path) -> list[Path]:
    """Three days of orders as a German shop dumps them, and its products."""
    folder.mkdir()
    made = []
    for at, day in enumerate(DAYS):
        lines = [HEADER]
        for n in range(30):
            price = f"{1 + n % 3}.{n:03d},{n:02d}" if n % 2 else f"{n},5"
            discount = ("", "n/a", "5")[n % 3]
            lines.append(
                f"{1000 * at + n};{day[6:]}.11.2026;p{n}@beispiel.de;{('DE', 'FR')[n % 2]};"
                f"{1 + n % 7};{price};{1000 + n:05d};{('groß', ' klein')[n % 2]};{discount}"
            )
        made.append(folder / f"Bestellungen_{day}.csv")
        if day == DAYS[1]:
            lines.append("2999;04.11.2026;short")  # a record that cannot be read
        made[-1].write_bytes("\r\n".join([*lines, ""]).encode("latin-1"))
    made.append(folder / "produkte.csv")
    made[-1].write_text("sku,titel\n" + "".join(f"A{n:03d},t{n}\n" for n in range(25)))
    (folder / "leer.csv").write_text("")
    return [*made, folder / "leer.csv"]


def test_ones_own_dumps_become_a_suite_that_runs(tmp_path: Path) -> None:
    files = dumps(tmp_path / "in")
    told = headgate("init", "mine", "--from", *files, "--json", cwd=tmp_path)
    assert told.code == 0, told.err
    result = told.result
    assert result["tables"] == [
        "ingested.bestellungen", "clean.bestellungen", "marts.bestellungen_by_land",
        "ingested.produkte", "clean.produkte",
    ]  # fmt: skip
    assert [one["file"] for one in result["unread"]] == [str(files[-1])]
    rows = {(run["table"], run["window"]): run["rows"] for run in result["runs"]}
    day = rows["ingested.bestellungen", "2026-11-04"]
    assert (day["read"], day["written"], day["quarantined"]) == (31, 30, 1)
    assert sum(one.get("quarantined", 0) for one in rows.values()) == 1
    assert {run["status"] for run in result["runs"]} == {"published"}
    assert {run["gate"]["warned"] for run in result["runs"]} == {0}
    assert "bestellungen" in Path(result["report"]).read_text(encoding="utf-8")
    assert "beispiel" not in "".join(
        p.read_text() for p in (tmp_path / "mine/conf").rglob("*.yaml")
    )

    again = headgate("run", "--json", cwd=tmp_path / "mine")
    assert (again.code, again.result["runs"]) == (0, [])
    mart = headgate("profile", "marts.bestellungen_by_land", "--json", cwd=tmp_path / "mine")
    columns = {one["name"]: one for one in mart.result["columns"]}
    assert mart.result["rows"] == 2 * len(DAYS)
    assert columns["bestellungen"]["least"] == "15"
    assert columns["preis_eur"]["type"].startswith("decimal")
    assert columns["preis_eur"]["least"] == "217.50"  # 0,5 + 2,5 + … of the even rows

    taken = shutil.copytree(tmp_path / "mine" / "data" / "raw", tmp_path / "raw")
    assert sorted(p.relative_to(taken).as_posix() for p in taken.rglob("*.csv")) == [
        *(f"bestellungen/Bestellungen_{day}.csv" for day in DAYS), "produkte/produkte.csv",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("used", "--from", "in"), "used is not empty; nothing was written"),
        (("new", "--from", "none.csv"), "none.csv: it is not there"),
        (("new", "--no-run"), "--no-run goes with --from"),
        (("in/new", "--from", "in"), "the suite would lie within its samples"),
    ],
    ids=["used", "missing", "no samples", "within"],
)
def test_what_cannot_be_begun(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").write_text("mine")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("id,n\n1,2\n")
    before = sorted(tmp_path.rglob("*"))
    told = headgate("init", *words, cwd=tmp_path)
    assert (told.code, told.out) == (2, "")
    assert says in told.err
    assert sorted(tmp_path.rglob("*")) == before
