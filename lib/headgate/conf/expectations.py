"""docs/expectations.md: every expectation of great-expectations, and what a gate makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from headgate.core.elsewhere import ELSEWHERE
from headgate.core.expectation import HOW, Expectation
from headgate.core.rules import ROW_RULES, TABLE_RULES

_HEAD = """# Expectations

Rules keep great-expectations' names, arguments and meaning, as its release 1.24 has them on Spark.
This page is made from the code by `python -m headgate.conf.reference`, which also lists what each
argument takes: [reference.md](reference.md#rules).

What holds for all of them:

- **Null** is not judged, but by rules about null. NaN is not null, equals itself, and is greater
  than every other number.
- **`mostly`** is the share of judged rows that has to fit. No rows at all fit anything.
- **`row_condition`** is SQL (`condition_parser: spark`), `col("country") == "DE"`
  (`great_expectations`), or the condition object that great-expectations 1.x saves. Rows for which
  it is not true are not judged. In the last two forms a text that is no number fits no number.
- **`severity`**: `critical` (the default) rejects rows or closes the gate, `warning` and `info` do
  neither.
- **No rule stops a run** because of what stands in a row. Where great-expectations reports an
  exception, the row (or the table) does not fit.
- A rule about **a column that is private** tells no value of it: least and greatest value, median
  and quantiles are judged and not written down.
- **Regular expressions** are Java's, which Spark reads. One that Python reads differently, or that
  can take for ever, is a fault of the configuration.

Suite files (`- expectations: quality/orders.json`) are read as great-expectations 1.x saves them;
files of 0.18 too, where they say the same. `$PARAMETER`s take their values from
`suite_parameters` in the file, or from `parameters` beside `expectations`:

```yaml
- expectations: quality/orders.json
  parameters: {least: 10, most: "${MOST}"}
```
"""
_TABLES = """
## Rules on the rows as a whole

A rule that is broken closes the gate: nothing of that window is published. They are judged on the
rows that would be published, after rejected rows and duplicates have left. Where a rule takes
`mostly`, it counts rows and closes the gate when too many break it; it rejects none of them.

How a rule is judged says what it costs:

"""
_ROWS = """
## Rules on each row

A row that breaks one goes to quarantine, with the rule as its reason. Where `mostly` is written,
more broken rows than it allows close the gate.

"""
_NOT = """
## Not judged

Naming one of these is a fault of the configuration, which says what to write instead. So is a
custom expectation, which nobody has compiled for Spark.

"""


def expectations_markdown() -> str:
    """The whole page."""
    return "\n".join([_HEAD + _ROWS, *_rules(ROW_RULES), _TABLES, *_how(), "", *_tables(), _NOT,
                      *_elsewhere(), ""])  # fmt: skip


def _rules(rules: Mapping[str, Expectation]) -> Iterator[str]:
    yield "| expectation | arguments | what fits | where it differs |"
    yield "| --- | --- | --- | --- |"
    for name, known in rules.items():
        yield f"| `{name}` | {_arguments(known)} | {known.about} | {known.differs} |"


def _arguments(known: Expectation) -> str:
    named = [
        f"**`{name}`**" if argument.required else f"`{name}`"
        for name, argument in known.arguments.items()
    ]
    return ", ".join([*named, *(["`mostly`"] if known.mostly else [])])


def _how() -> Iterator[str]:
    yield "| how | what it costs |"
    yield "| --- | --- |"
    for name, about in HOW.items():
        if name != "row":
            yield f"| {name} | {about} |"


def _tables() -> Iterator[str]:
    yield "| expectation | how | arguments | what fits | where it differs |"
    yield "| --- | --- | --- | --- | --- |"
    for name, known in TABLE_RULES.items():
        told = f"{_arguments(known)} | {known.about} | {known.differs}"
        yield f"| `{name}` | {known.how} | {told} |"


def _elsewhere() -> Iterator[str]:
    yield "| expectation | why, and what instead |"
    yield "| --- | --- |"
    for name, why in ELSEWHERE.items():
        yield f"| `{name}` | {why} |"
