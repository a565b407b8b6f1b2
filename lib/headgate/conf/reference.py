"""docs/reference.md, expectations.md, steps.md and schema/, made from what the reader itself knows.

`python -m headgate.conf.reference` writes them anew below ./docs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from headgate.conf.drift import DRIFT
from headgate.conf.expectations import expectations_markdown
from headgate.conf.layers import RECORDS
from headgate.conf.records import Key, Record
from headgate.conf.rules import COMMON as BESIDE_RULES
from headgate.conf.rules import MOSTLY
from headgate.conf.ruleshapes import shape_of
from headgate.conf.schema import json_schema
from headgate.conf.settings import ENVIRONMENT, SUITE
from headgate.conf.shapes import Either, Listed, Mapped, Shape
from headgate.conf.steps import FORMS, SQL, told
from headgate.conf.stepspage import steps_markdown
from headgate.conf.tablekeys import COMMON
from headgate.core.expectation import Expectation
from headgate.core.rules import METRICS, RULES

_HEAD = """# Reference

Every key of every file of a suite, every built-in step and every rule. This page is made from
the code by `python -m headgate.conf.reference`; the same command writes the JSON Schema of the
files to `docs/schema/`. To have an editor complete and check a file, put this at its top (with
the path from the file to the schema):

```yaml
# yaml-language-server: $schema=../../docs/schema/clean.json
```

All files of a suite are read and checked before Spark starts: `headgate check`.
"""
_VALUES = """## Values

- YAML 1.2: `NO`, `on`, `18:00` and `2026-01-01` are texts; `true`, `false`, `null` and numbers are
  what they look like. Quote a text that looks like a number.
- A key that is not listed here, or that comes twice, is a fault.
- A text with a comma, a bracket, a quote or `: ` needs quotes inside `{…}` and `[…]`:
  `{revenue: "round(a, 2)"}`.
- Where a list is asked for, one value may stand for a list of one, where the tables below say so.
- `${NAME}` takes a value from the environment, `${secret:name}` from the secret store at the moment
  of use, and `$${` stands for the two signs `${`.
- An env file lies over `suite.yaml`, and `--set` over both: `--set lake=/tmp/lake`,
  `--set spark.conf.spark.sql.shuffle.partitions=4`, `--set suite.timezone=Europe/Berlin`,
  `--set clean.orders.max_rejected=20%`. The value is read as YAML.
- SQL stands as text, or in a file of its own: `sql: {file: clean/vat.sql}`, named from the conf
  folder.
"""
_STEPS = """## Steps

The `steps` of a clean table, in order. A step of Python or SQL that drops or adds rows says so,
with `drops: reason` or `adds: reason` beside its name; one that does it without a word stops the
run.
"""
_RULES = """## Rules

The `quality` of a table: great-expectations' names and arguments, with their meaning. A rule of
kind *row* rejects the rows that break it; one of kind *table* closes the gate. Null is not judged,
but where the rule is about null. [expectations.md](expectations.md) tells how each of them is
judged, and which ones there are not.

Beside their own arguments, all rules take:
"""
_ROW = """### row

SQL conditions by name; a row is rejected where its condition is not true, also where it is NULL.
`severity`, `mostly` and `row_condition` stand beside `row`:

```yaml
- row: {price is positive: unit_price > 0, line is told: line IS NOT NULL}
  severity: warning
```

### expectations

A suite file as great-expectations saves it (JSON), named from the conf folder:
`- expectations: quality/orders.json`. Values of its `$PARAMETER`s stand beside it, in
`parameters: {name: value}`, or in the file's own `suite_parameters`.
"""
_DRIFT = """### drift

A window against earlier windows of the table: what is out of line with their level, season and
trend ([how it works](drift.md)). Kind: *table*; without a word of severity it warns.
`- drift: {}` watches all that is usual.
"""


def reference_markdown() -> str:
    """The whole page."""
    parts = [_HEAD, _VALUES, *_file("suite.yaml", SUITE), *_file("env/*.yaml", ENVIRONMENT)]
    shared = Record("", COMMON)
    parts += ["## All tables\n", "Keys of the table files of every layer.\n", _keys(COMMON)]
    parts += _inner([shared], set())
    for layer, record in RECORDS.items():
        own = {name: key for name, key in record.keys.items() if name not in COMMON}
        parts += _file(f"{layer}/*.yaml", Record(record.what, own))
    return "\n".join([*parts, *_steps(), *_rules()])


def _file(title: str, record: Record) -> Iterator[str]:
    yield f"## {title}\n"
    yield _keys(record.keys)
    yield from _inner([record], {key for key in SUITE.keys if record is ENVIRONMENT})


def _inner(records: list[Record], left_out: set[str]) -> Iterator[str]:
    """Sections of the maps inside, each once."""
    told: list[str] = []
    while records:
        record = records.pop(0)
        for name, key in record.keys.items():
            for found in _records(key.shape) if name not in left_out else ():
                if found.what not in told:
                    told.append(found.what)
                    records.append(found)
                    yield f"### {found.what}\n"
                    yield _keys(found.keys)


def _records(shape: Shape) -> Iterator[Record]:
    """The maps with known keys that a shape holds."""
    if isinstance(shape, Record):
        yield shape
    elif isinstance(shape, Listed | Mapped):
        yield from _records(shape.of)
    elif isinstance(shape, Either):
        yield from _records(shape.map)
        yield from _records(shape.other)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


def _keys(keys: Mapping[str, Key]) -> str:
    rows = (
        (f"`{name}`", _code(key.shape.shown()), _default(key), key.about)
        for name, key in keys.items()
    )
    return _table(("key", "takes", "default", "what it says"), rows)


def _default(key: Key) -> str:
    if key.required:
        return "**required**"
    plain = key.default in ("none", "all", "") or " " in key.default
    return key.default if plain else f"`{key.default}`"


def _code(shown: str) -> str:
    """What a key takes; forms in braces as code, where they hold no links."""
    return f"`{shown}`" if shown.startswith("{") and "](" not in shown else shown


def _steps() -> Iterator[str]:
    yield _STEPS
    rows = (
        (f"`{name}`", _code(form.takes.shown()), told(form.step).purpose,
         f"`{told(form.step).first}`")
        for name, form in FORMS.items()
    )  # fmt: skip
    yield _table(("step", "takes", "what it does", "example"), rows)
    for name, form in FORMS.items():
        keys = [record.keys for record in _records(form.takes)] + [form.beside]
        keys += [SQL.keys] if name == "sql" else []
        yield from (f"### {name}\n" for _ in keys[:1] if any(keys))
        yield from map(_keys, filter(None, keys))


def _rules() -> Iterator[str]:
    yield _RULES
    common = {**BESIDE_RULES, "mostly": (MOSTLY[0], f"{MOSTLY[1]} (where the rule judges rows)")}
    rows = ((f"`{name}`", shape.shown(), about) for name, (shape, about) in common.items())
    yield _table(("argument", "takes", "what it says"), rows)
    for name, known in RULES.items():
        if name != "row":
            yield from _rule(name, known)
    yield _ROW
    yield _DRIFT
    yield _keys(DRIFT.keys)
    yield _table(("metric", "what it is"), ((f"`{one}`", about) for one, about in METRICS.items()))


def _rule(name: str, known: Expectation) -> Iterator[str]:
    yield f"### {name}\n"
    mostly = "; takes `mostly`" if known.mostly else ""
    yield f"{known.about} Kind: *{known.kind}*{mostly}.\n"
    rows = (
        (f"`{key}`", shape_of(argument).shown(), "**required**" if argument.required else "",
         argument.about)
        for key, argument in known.arguments.items()
    )  # fmt: skip
    yield _table(("argument", "takes", "", "what it says"), rows)


def written_files() -> dict[str, str]:
    """All files that are made from the code, by their path below docs/."""
    files = {
        "reference.md": reference_markdown(),
        "expectations.md": expectations_markdown(),
        "steps.md": steps_markdown(),
    }
    for name, schema in json_schema().items():
        files[f"schema/{name}.json"] = json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
    return files


def main(docs: Path) -> None:
    """Write the files anew."""
    for name, text in written_files().items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
