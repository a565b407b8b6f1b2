"""`headgate report` on a real lake, looked at in headless Chromium."""

from __future__ import annotations

import html
import re
import struct
from pathlib import Path

import pytest

from browser import CHROMIUM, chromium
from commands import Typed, headgate

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]
SECTIONS = ("Open alerts", "Layers", "Rows through each gate", "What was rejected, and why",
            "History", "Last runs")  # fmt: skip
# Not a part of the page: asks the browser how wide it came out.
PROBE = """<script>
const told = window.parent.document.documentElement.dataset;
told.inner = window.innerWidth;
told.wide = document.documentElement.scrollWidth;
told.drawn = document.querySelector("svg.graph").getBoundingClientRect().height > 50;
</script></body>"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new suite that has run once: a warning, and rows in quarantine."""
    folder = tmp_path_factory.mktemp("report") / "rides"
    assert headgate("init", folder, cwd=folder.parent).code == 0
    done = headgate("run", cwd=folder)
    assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="module")
def told(suite: Path) -> Typed:
    """The first report on it."""
    return headgate("report", "--json", cwd=suite)


@pytest.fixture(scope="module")
def report(suite: Path, told: Typed) -> Path:
    """The page beside the lake."""
    assert told.code == 0, told.err
    return suite / "data" / "report.html"


def test_the_answer_names_the_page(told: Typed, report: Path) -> None:
    assert told.result["exit_code"] == 0
    assert Path(told.result["report"]) == report
    assert told.result["alerts"] == 1


def test_the_browser_shows_every_section(report: Path) -> None:
    dom = chromium(report, "--dump-dom")
    heads = re.findall(r"<h2>(.*?)</h2>", dom)
    assert tuple(heads) == SECTIONS
    assert dom.count("<article") == 3
    assert "be_in_set(station) broken by 1 of 14 rows" in dom
    assert "minutes: not a" in dom
    assert "fare is positive: fare &gt; 0" in dom


def test_the_page_holds_no_value_of_the_data(report: Path, suite: Path) -> None:
    text = report.read_text(encoding="utf-8")
    dumps = [path.read_text(encoding="utf-8") for path in suite.glob("data/raw/*/*/*.csv")]
    assert len(dumps) == 3
    values = {cell for dump in dumps for line in dump.splitlines()[1:] for cell in line.split(",")}
    texts = {value for value in values if re.search("[a-z]", value)} - {
        "Old Town",
        "Harbour",
        "Market",
    }
    assert {"twelve", "Depot"} <= texts
    assert [value for value in texts if value in text] == []


@pytest.mark.parametrize("wide", [1280, 390], ids=["desk", "phone"])
def test_the_page_fits(report: Path, tmp_path: Path, wide: int) -> None:
    text = re.sub(
        r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", report.read_text("utf-8")
    )
    probed = tmp_path / "probed.html"
    # In a frame: a window of Chromium has a least width, which is that of no phone.
    inside = html.escape(text.replace("</body>", PROBE))
    probed.write_text(f'<iframe width="{wide}" height="900" srcdoc="{inside}"></iframe>')
    dom = chromium(probed, "--dump-dom")
    found = dict(re.findall(r'data-(\w+)="(\w+)"', dom))
    assert int(found["inner"]) == wide
    assert int(found["wide"]) <= wide
    assert found["drawn"] == "true"


def test_a_picture_of_the_page_is_not_blank(report: Path, tmp_path: Path) -> None:
    picture = tmp_path / "report.png"
    chromium(report, f"--screenshot={picture}", size="1280,2000")
    content = picture.read_bytes()
    assert struct.unpack(">II", content[16:24]) == (1280, 2000)
    assert len(content) > 50_000


def test_a_report_goes_where_it_is_told(suite: Path, tmp_path: Path) -> None:
    done = headgate("report", "--out", f"{tmp_path}/pages/", cwd=suite)
    assert done.code == 0, done.err
    assert done.out == f"{tmp_path}/pages/report.html  (warnings in 1 table)\n"
    assert (tmp_path / "pages" / "report.html").is_file()
