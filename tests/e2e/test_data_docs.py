"""`headgate report --data-docs` on a real lake, looked at in headless Chromium."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from browser import CHROMIUM, chromium
from builders import written
from commands import Typed, headgate

pytest.importorskip("great_expectations", reason="needs the extra 'quality'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]
TABLES = {
    "ingested/rides": {
        "source": {"files": "rides/{window}.csv", "format": "csv"},
        "columns": {"id": "int", "station": "string", "fare": "double"},
        "quality": [
            {"expect_column_values_to_be_in_set": {"column": "station", "mostly": 0.9,
                                                   "value_set": ["Harbour", "Market"]}},
            {"expect_column_mean_to_be_between": {"column": "fare", "min_value": 2}},
            {"row": {"fare is low": "fare < 9"}},
        ],
    }
}  # fmt: skip
ROWS = ["1,Harbour,3.5", "2,Market,4.5", "3,<i>Depot</i>,4", "4,Market,4", "5,,4"]
OFFLINE = ("jQuery", "$ is not defined", "vega", "ERR_NAME_NOT_RESOLVED")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite whose gate closed on its one window: two rules hold, one fails and rejects a row."""
    folder = tmp_path_factory.mktemp("docs")
    written(folder, {name.replace("/", "."): keys for name, keys in TABLES.items()})
    dump = folder / "raw" / "rides" / "2026-01-02.csv"
    dump.parent.mkdir(parents=True)
    dump.write_text("\n".join(["id,station,fare", *ROWS]) + "\n", encoding="utf-8")
    assert headgate("run", cwd=folder).code == 10
    return folder


@pytest.fixture(scope="module")
def told(suite: Path) -> Typed:
    return headgate("report", "--data-docs", "--json", cwd=suite)


def text_of(page: Path) -> str:
    """What a person reads on a page, drawn by a browser that has no network."""
    dom = chromium(page, "--dump-dom", complaining=OFFLINE)
    dom = re.sub(r"<(script|style)\b.*?</\1>", "", dom, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", dom)).split())


def test_the_page_of_a_run_shows_its_numbers(suite: Path, told: Typed) -> None:
    assert told.code == 0, told.err
    index = Path(told.result["data_docs"])
    assert index == suite / "data-docs" / "index.html"
    (page,) = (index.parent / "validations" / "ingested" / "rides").rglob("*.html")
    shown = text_of(page)
    for said in (
        "Evaluated Expectations 4 Successful Expectations 2 Unsuccessful Expectations 2",
        "No more than 10 % of the rows judged may be rejected. "
        "1 unexpected values found. 20% of 5 total rows.",
    ):
        assert said in shown
    assert "at least 90 % of the time" in shown
    assert "1 unexpected values found. 25% of 5 total rows." in shown
    assert "Sampled Unexpected Values <i>Depot</i>" in shown
    assert "mean must be greater than or equal to 2 . 4" in shown
    assert "fare is low: fare < 9 0" in shown
    assert "blocked" in shown


def test_the_index_leads_to_it_without_a_network(suite: Path, told: Typed) -> None:
    index = Path(told.result["data_docs"])
    assert "ingested.rides 2026-01-02 failed, blocked" in text_of(index)
    links = re.findall(r'href="(validations/[^"]+)"', index.read_text(encoding="utf-8"))
    assert [(index.parent / link).is_file() for link in links] == [True]
