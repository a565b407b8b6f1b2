"""What the documents say: their commands run, their links lead somewhere, their names are there."""

from __future__ import annotations

import io
import re
import shlex
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType, _parse_datatype_string

import headgate
from builders import committed
from databases import PASSWORD, postgresql
from headgate.app import opened
from headgate.conf.reading import suite_from
from headgate.core.results import JOBS
from headgate.doors.cli import Parser, main
from headgate.doors.submit_args import asked
from headgate.doors.words import parser_for
from headgate.storage.points import POINTS
from headgate.storage.records import SCHEMAS
from small_shop import FIRST, ROOT, small_shop

PAGES = tuple(
    path.relative_to(ROOT).as_posix()
    for path in (
        ROOT / "README.md",
        ROOT / "ARCHITECTURE.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "docs" / "decisions").glob("*.md")),
    )
)
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXITS = re.compile(r"#.*\bexits (\d+)")
A_RUN = "RUN"  # stands for a run's id
CHANGING = {"run", "undo", *JOBS}
NOT_RUN = {"cd", "git", ".", "source", "export"}  # a person's own shell


@dataclass(frozen=True)
class Line:
    """One command of a page."""

    page: str
    text: str
    words: tuple[str, ...]
    runs: bool  # its block is marked as one to be run
    exits: int  # the exit code that the page tells

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[tuple[str, str]]:
    """The words after the language, and the text, of each fenced block."""
    found = [(said.split(), body) for said, body in FENCE.findall(text_of(page))]
    return [(" ".join(said[1:]), body) for said, body in found if said[:1] == [language]]


def lines(page: str) -> list[Line]:
    """The commands of a page: of its `sh` blocks, and of plain blocks what begins with `make`."""
    found = []
    plain = [("", body) for body in _plain_blocks(page)]
    for marks, body in [*blocks(page, "sh"), *plain]:
        for text in body.replace("\\\n", " ").splitlines():
            words = tuple(shlex.split(text, comments=True))
            if words:
                told = EXITS.search(text)
                exits = int(told[1]) if told else 0
                found.append(Line(page, text, words, "run" in marks.split(), exits))
    return found


def _plain_blocks(page: str) -> list[str]:
    bodies = [body for said, body in FENCE.findall(text_of(page)) if not said.strip()]
    return ["\n".join(re.findall(r"^make .*$", body, re.MULTILINE)) for body in bodies]


def test_the_reader_finds_commands() -> None:
    every = [line for page in PAGES for line in lines(page)]
    assert {line.words[0] for line in every} >= {"make", "headgate", "./spark-submit.sh"}
    assert {line.page for line in every} >= {"README.md", "CONTRIBUTING.md", "docs/operations.md"}
    assert {line.page for line in every if line.runs} == {
        "README.md", "docs/alerts.md", "docs/clusters.md", "docs/data-docs.md",
        "docs/databases.md", "docs/drift.md", "docs/erasure.md", "docs/features.md",
        "docs/files.md", "docs/gates.md", "docs/landing.md", "docs/looking.md",
        "docs/maintenance.md", "docs/operations.md", "docs/personal-data.md",
        "docs/quarantine.md", "docs/start-from-files.md",
    }  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_is_one(page: str) -> None:
    """Targets of make exist; commands of headgate are understood, with all their options."""
    for line in lines(page):
        program, *rest = line.words
        if program == "make":
            missing = {word for word in rest if "=" not in word} - _targets()
            assert not missing, line
        elif program == "headgate":
            parser_for(Parser).parse_args(rest)
        elif program == "./spark-submit.sh":
            wanted = asked(list(rest))
            assert (ROOT / "conf" / "env" / f"{wanted.env}.yaml").is_file()
            parser_for(Parser).parse_args([wanted.job, *wanted.rest])
        else:
            assert program in NOT_RUN or (ROOT / program).is_file(), line


def _targets() -> set[str]:
    return set(re.findall(r"^([\w.-]+):", text_of("Makefile"), re.MULTILINE))


@pytest.mark.parametrize(
    ("page", "blocked"),
    [
        ("README.md", False),
        ("docs/operations.md", True),
        ("docs/alerts.md", True),
        ("docs/gates.md", True),
        ("docs/data-docs.md", True),
        ("docs/landing.md", False),
        ("docs/looking.md", False),
        ("docs/files.md", False),
        ("docs/quarantine.md", False),
        ("docs/personal-data.md", False),
        ("docs/erasure.md", False),
        ("docs/maintenance.md", False),
        ("docs/clusters.md", False),
    ],
    ids=str,
)
def test_marked_commands_run(
    page: str, blocked: bool, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, on a small lake: each ends with the exit code that the page tells."""
    if page == "docs/data-docs.md":
        pytest.importorskip("great_expectations", reason="needs the extra 'quality'")
    with small_shop(spark, tmp_path, monkeypatch, blocked=blocked) as shop:
        if page == "docs/landing.md":
            shutil.copytree(shop.folder / "data/raw/order_lines" / FIRST, shop.folder / "inbox")
        committed(shop.folder, "conf")  # what a diff compares with
        run = _a_run(blocked)
        for line in to_run(page):
            words = [run if word == A_RUN else word for word in line.words[1:]]
            code, said = typed(words)
            assert code == line.exits, f"{line}\n{said}"
            assert said.strip(), line


def test_the_page_on_databases_runs(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files make a suite, on a server with the tables that it names."""
    page = "docs/databases.md"
    with postgresql() as server:
        server.do(
            "CREATE TABLE orders (id bigint, country text, price numeric(10,2))",
            "INSERT INTO orders VALUES (1, 'DE', 2), (2, 'FR', 3), (3, 'NO', -1)",
            "CREATE TABLE moves (id bigint, note text, changed_at timestamptz)",
            "INSERT INTO moves VALUES (1, 'a', now()), (2, 'b', now())",
            "CREATE TABLE countries (code text)",
            "CREATE TABLE shops (id int)",
            "INSERT INTO shops VALUES (1)",
        )
        files = {"conf/suite.yaml": "name: shop\n"}
        files["conf/env/local.yaml"] = "raw: raw\nlake: lake\nspark: {master: 'local[2]'}\n"
        for _, body in blocks(page, "yaml"):
            name = body.partition("\n")[0].removeprefix("# ")
            files[name] = body.replace("postgresql://db.example:5432/shop", server.address)
        for name, body in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(body)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("SHOP_DB_PASSWORD", PASSWORD)
        for line in lines(page):
            if line.runs:
                code, said = typed(line.words[1:])
                assert code == line.exits, f"{line}\n{said}"
                assert said.strip(), line
                assert PASSWORD not in said


def test_the_page_on_features_runs(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tables read three days of orders; its labels are of these days, and of others."""
    page = "docs/features.md"
    columns = "{customer: bigint, product: string, country: string, price: double, "
    columns += "ordered_at: timestamp}"
    files = {
        "conf/suite.yaml": "name: shop\n",
        "conf/env/local.yaml": "raw: raw\nlake: lake\nspark: {master: 'local[2]'}\n",
        "conf/ingested/orders.yaml": f"source: {{files: 'o/{{window}}.csv'}}\ncolumns: {columns}\n",
        "conf/clean/orders.yaml": "reads: ingested.orders\n",
        "labels.csv": "customer,country,seen_at,good\n"
        "1,DE,2025-03-02 12:00:00,1\n2,FR,2025-03-03 00:00:00,0\n9,FR,2025-03-03 09:00:00,0\n"
        "1,DE,2025-03-01 12:00:00,0\n2,FR,2025-04-24 00:00:00,1\n",
    }
    for day in ("2025-03-01", "2025-03-02", "2025-03-03"):
        rows = [f"{n},p{n % 2},{('DE', 'FR')[n % 2]},{n}.5,{day} 08:00:00" for n in (1, 2, 3)]
        text = "\n".join(["customer,product,country,price,ordered_at", *rows, ""])
        files[f"raw/o/{day}.csv"] = text
    for _, body in blocks(page, "yaml"):
        # The rows of the page have all arrived after their time.
        body = body.replace("known_at: _ingested_at\n", "")
        files[body.partition("\n")[0].removeprefix("# ")] = body
    for name, body in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(body)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADGATE_LOG", "error")
    for line in lines(page):
        if line.runs:
            code, said = typed(line.words[1:])
            assert code == line.exits, f"{line}\n{said}"
            assert said.strip(), line
    assert "features.activity.spent: 3 of 3 labels" in said


def test_the_page_on_files_of_ones_own_runs(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a folder of dumps, whose table is called as on the page."""
    (tmp_path / "dumps").mkdir()
    for day in ("20261103", "20261104"):
        rows = [f"{n},{day[6:]}.11.2026,{'DE' if n % 2 else 'FR'},{n},2.50" for n in range(20)]
        text = "\n".join(["Order No,Ordered,country,quantity,price", *rows])
        (tmp_path / "dumps" / f"orders_{day}.csv").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADGATE_LOG", "error")
    for line in lines("docs/start-from-files.md"):
        if line.runs:
            code, said = typed(line.words[1:])
            assert code == line.exits, f"{line}\n{said}"
            assert said.strip(), line


def to_run(page: str) -> list[Line]:
    """The commands of a page; one that only looks, and stands in the README too, runs there."""
    before = {line.words for line in lines("README.md") if line.runs and page != "README.md"}
    marked = [line for line in lines(page) if line.runs and line.words[0] not in NOT_RUN]
    assert all(line.words[0] == "headgate" for line in marked)
    return [line for line in marked if line.words[1] in CHANGING or line.words not in before]


def _a_run(blocked: bool) -> str:
    """How a run of the lake begins: a blocked one where there is one."""
    records = opened().runs(["clean.order_lines"])
    first = next(record for record in records if record.status == "blocked" or not blocked)
    return first.run[:6]


def typed(words: Sequence[str]) -> tuple[int, str]:
    said = io.StringIO()
    with _handlers_kept(), redirect_stdout(said), redirect_stderr(said):
        code = main(words)
    return code, said.getvalue()


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """The command takes SIGTERM for itself; pytest wants it back."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=str)
def test_python_examples_run(
    page: str, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        small_shop(spark, tmp_path, monkeypatch, blocked=False) as shop,
        redirect_stdout(io.StringIO()),
    ):
        committed(shop.folder, "conf")
        names: dict[str, object] = {"suite": headgate.open()}
        for _, body in blocks(page, "python"):
            exec(compile(body, page, "exec"), names)  # noqa: S102


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", FENCE.sub("", text_of(page))):
        if "://" not in target:
            name, _, heading = target.partition("#")
            file = (ROOT / page).parent / name if name else ROOT / page
            assert file.exists(), target
            if heading and file.suffix == ".md":
                assert heading in _headings(file.read_text(encoding="utf-8")), target


def _headings(text: str) -> set[str]:
    """The names by which headings are linked to."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_files_that_are_named_are_there(page: str) -> None:
    above = (ROOT, ROOT / "lib" / "headgate", ROOT / "docs", ROOT / "conf")
    places = (*above, (ROOT / page).parent)
    for name in re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|md|sh|toml|txt|yaml))`", text_of(page)):
        assert any((place / name).exists() for place in places), name


def test_the_tables_that_files_md_shows_are_understood(tmp_path: Path) -> None:
    (tmp_path / "lib" / "shop").mkdir(parents=True)
    (tmp_path / "lib" / "shop" / "__init__.py").touch()
    (tmp_path / "lib" / "shop" / "readers.py").write_text("def weights(content, name): ...\n")
    for place, (_, body) in enumerate(blocks("docs/files.md", "yaml")):
        table = yaml.safe_load(body)
        tables = {"ingested.customers" if "source" in table else "clean.customers": table}
        if "source" not in table:
            kinds = {"customer_id": "bigint"}
            source = {"files": "c/{window}/*", "format": "debezium"}
            tables["ingested.customers"] = {"source": source, "columns": kinds}
        assert suite_from(tables, raw="raw", lake="lake", root=tmp_path).tables, place


def test_every_column_of_the_ops_tables_is_described(spark: SparkSession) -> None:
    """In order, with its type, under the table's own heading."""
    text = text_of("docs/ops-tables.md")
    for name, schema in SCHEMAS.items():
        parsed = _parse_datatype_string(schema)
        assert isinstance(parsed, StructType)
        section = text.partition(f"\n## ops.{name}\n")[2].partition("\n## ")[0]
        told = re.findall(r"^\| `(\w+)` \| ([^|]+) \| .+ \|$", section, re.MULTILINE)
        assert told == [(field.name, field.dataType.simpleString()) for field in parsed.fields]


def test_the_points_of_a_pass_are_told_in_their_order() -> None:
    told = re.findall(r"^\|.*\| `([a-z-]+)` \|", text_of("ARCHITECTURE.md"), re.MULTILINE)
    code = "".join(path.read_text() for path in (ROOT / "lib" / "headgate").rglob("*.py"))
    reached = set(re.findall(r'reached\("([a-z-]+)"\)', code))
    assert set(told) == reached
    assert set(told) <= set(POINTS)
    assert len(told) == len(set(told))


def test_all_decisions_are_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = {path.name for path in folder.glob("[0-9]*.md")}
    assert pages == set(
        re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", text_of("docs/decisions/README.md"))
    )
    for name in pages:
        text = (folder / name).read_text(encoding="utf-8")
        assert text.startswith(f"# {name[:4]} ")
        assert re.search(r"^20\d\d-\d\d-\d\d · ", text, re.MULTILINE)
        for part in ("Context", "Decision", "Consequence"):
            assert f"\n## {part}\n" in text, (name, part)


def test_every_command_has_a_place_in_the_readme() -> None:
    from headgate.doors.words import COMMANDS

    text = text_of("README.md")
    assert [one.name for one in COMMANDS if not re.search(rf"`[^`]*\b{one.name}\b", text)] == []
