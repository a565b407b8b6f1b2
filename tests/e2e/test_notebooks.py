"""The notebooks, cell by cell in this process: what each cell shows is rendered too."""

from __future__ import annotations

import ast
import contextlib
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from small_shop import ROOT, WRONG, small_shop

jupytext = pytest.importorskip("jupytext", reason="jupytext is not installed (extra: notebooks)")
pytest.importorskip("pandas", reason="pandas is not installed (extra: notebooks)")
pytestmark = [
    pytest.mark.notebook,
    # Spark's toPandas asks pandas in a way that pandas 3 has left behind.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

NOTEBOOKS = ("explore_a_suite", "why_is_a_row_missing", "sales_by_country")


def shown_by(path: Path) -> tuple[dict[str, Any], list[Any]]:
    """The names that a notebook leaves, and what each code cell ends with, as Jupyter has it."""
    names: dict[str, Any] = {"__name__": "__main__"}
    shown = []
    for cell in jupytext.read(path).cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, path.name, "exec"), names)  # noqa: S102
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), path.name, "eval"), names)  # noqa: S307
            shown.append(value)
            assert rendered(value) or value is None
    return names, shown


def rendered(value: Any) -> str:
    """A value as a notebook shows it."""
    as_html = getattr(value, "_repr_html_", lambda: None)()
    return str(as_html or repr(value))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_begins_with_a_title_and_has_more_text_than_cells(name: str) -> None:
    cells = jupytext.read(ROOT / "notebooks" / f"{name}.py").cells
    text = [cell.source for cell in cells if cell.cell_type == "markdown"]
    assert text[0].startswith("# ")
    assert len(text) >= sum(cell.cell_type == "code" for cell in cells) - 2
    assert all(len(cell.source.splitlines()) <= 25 for cell in cells)


def test_no_notebook_is_forgotten() -> None:
    assert {path.stem for path in (ROOT / "notebooks").glob("*.py")} == set(NOTEBOOKS)


def test_explore_a_suite(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_shop(spark, tmp_path, monkeypatch, blocked=False):
        names, shown = shown_by(ROOT / "notebooks" / "explore_a_suite.py")
    assert [row["state"] for row in names["suite"].status()] == ["ok"] * 6
    assert any("order_lines" in rendered(value) for value in shown)
    tried = names["tried"]
    assert names["window"] == WRONG
    reasons = {why for row in tried.rejected.collect() for why in row["_reasons"]}
    assert "costs less than 5: unit_price < 5" in reasons
    assert reasons <= {
        "expect_column_values_to_be_between: {column: quantity, min_value: 1}",
        "costs less than 5: unit_price < 5",
    }


def test_why_is_a_row_missing(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_shop(spark, tmp_path, monkeypatch, blocked=False):
        names, _ = shown_by(ROOT / "notebooks" / "why_is_a_row_missing.py")
    rows, told = names["seen"].rows, names["told"]
    doors = {
        door: int(told["why"].str.startswith(door).sum())
        for door in ("rejected: ", "left out", "a duplicate")
    }
    assert doors == {
        "rejected: ": rows.quarantined,
        "left out": rows.filtered,
        "a duplicate": rows.deduplicated,
    }
    assert all(doors.values())  # each door was used


def test_sales_by_country(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    matplotlib.use("Agg")
    with small_shop(spark, tmp_path, monkeypatch, blocked=False):
        names, _ = shown_by(ROOT / "notebooks" / "sales_by_country.py")
    cents = names["cents"]
    assert len(set(cents.values())) == 1
    heights = sum(bar.get_height() for bar in names["axes"].patches)
    assert heights == pytest.approx(float(cents["marts.sales_by_country"]))
    names["plt"].close(names["figure"])


def test_without_a_lake_a_notebook_makes_a_small_one(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    with small_shop(spark, tmp_path, monkeypatch, blocked=False) as shop:
        shop.lake.rename(shop.folder / "elsewhere")
        names: dict[str, Any] = {}
        first = next(
            cell.source
            for cell in jupytext.read(ROOT / "notebooks" / "sales_by_country.py").cells
            if cell.cell_type == "code"
        )
        with contextlib.redirect_stderr(sys.stdout):
            exec(first, names)  # noqa: S102
        sold = names["suite"].table("marts.sales_by_country")
        assert sold.select("ordered_at").distinct().count() == 3
    assert "make demo" in capsys.readouterr().out
