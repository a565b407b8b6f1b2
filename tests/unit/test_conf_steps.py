"""What is wrong with a step is told before Spark starts; what is made of private columns is too."""

from __future__ import annotations

import re
from typing import Any

import pytest

from headgate.conf.documents import read_text
from headgate.conf.nodes import to_python
from headgate.conf.reading import suite_from
from headgate.core.errors import Misconfigured
from headgate.core.private import private_in, unkeyable
from headgate.core.spec import Clean

SALES: dict[str, Any] = {
    "source": {"files": "sales/{window}.csv"},
    "columns": {
        "id": "bigint", "name": "string", "amount": "decimal(10,2)", "at": "timestamp",
        "tags": "array<string>", "home": "struct<city:string,zip:string>",
        "card": {"type": "string", "privacy": "hash"},
        "born": {"type": "string", "privacy": "mask"},
    },
}  # fmt: skip


def clean(*steps: Any, **more: Any) -> Clean:
    tables = {
        "ingested.sales": SALES,
        "clean.sales": {"reads": "ingested.sales", "steps": list(steps), **more},
    }
    table = suite_from(tables, raw="raw", lake="lake").tables["clean.sales"]
    assert isinstance(table, Clean)
    return table


def faults(*steps: Any) -> list[str]:
    with pytest.raises(Misconfigured) as refused:
        clean(*steps)
    return [
        f"{fault.path.removeprefix('clean.sales.')}: {fault.what}" for fault in refused.value.faults
    ]


# A step as a file writes it, and what is said of it.
FAULTS = r"""
case: {name: uper}
! case.name: must be one of lower, upper, title, not 'uper' (did you mean 'upper'?)
collapse: amount
! collapse: collapse takes texts, and 'amount' is decimal(10,2): cast it before
replace: {name: {by: x}}
! replace.name: takes one of 'text' and 'regex'
replace: {name: {regex: '(a)b', by: '$2'}}
! replace.name.by: '$2' is no group of the expression, which has 1: write '\$' for a dollar
replace: {name: {regex: '(?P<x>a)', by: ''}}
! replace.name.regex: Spark names a group '(?<name>…)'
split: {column: name, by: ' ', into: [a]}
! split.into: names one column: two are wanted
split: {column: name, by: ' ', into: [a, id]}
! split: there is a column 'id' already
split: {column: nam, by: ' ', into: [a, b]}
! split.column: unknown column 'nam' (did you mean 'name'?)
extract: {column: name, regex: '(a)(b)', into: [a]}
! extract.into: names 1 column, and the expression has 2 groups: '(?:…)' is none
cast: {name: {type: int, format: yyyy}}
! cast.name.format: int takes no format: dates and times do
cast: {name: {type: date, format: YYYY-MM-dd}}
! cast.name.format: 'Y' is no letter of Spark's patterns (did you mean 'y'?): 'YYYY-MM-dd'
parse_number: {name: {type: string, locale: de}}
! parse_number.name.type: must be a type of numbers such as decimal(10,2), not 'string'
parse_number: {name: {type: int, locale: xx}}
! parse_number.name.locale: unknown locale 'xx': a language such as de or de_CH
parse_date: {name: {format: d.M.yyyy, zone: Europe/Berlin}}
! parse_date.name.zone: is of no use to a date, which is the same in every zone
parse_date: {name: {format: 'd.M.yyyy H:mm', zone: Europe/Belin}}
! parse_date.name.zone: must be a time zone such as Europe/Berlin, not 'Europe/Belin'
scale: {amount: double}
! scale.amount: must be a decimal type such as decimal(10,2), not 'double'
boolean: {name: {true: [ja]}}
! boolean.name: key 'false' is missing: the texts that mean false
boolean: {name: {true: [a], false: [A]}}
! boolean.name: 'a' cannot be both true and false
parse_json: {name: 'struct<a>'}
! parse_json.name: 'struct<a>' is not written struct<name:type,…>
nullify: [amount]
! nullify.amount: nullify takes texts, and 'amount' is decimal(10,2): cast it before
clip: {amount: {min: 3, max: 1}}
! clip.amount: has a 'min' above its 'max'
round: {name: 2}
! round.name: round takes numbers, and 'name' is string: cast it before
convert: {amount: {from: kg, to: m}}
! convert.amount: 'kg' is of mass, and 'm' of length
flatten: [name]
! flatten.name: flatten takes structs, and 'name' is string: cast it before
explode: {column: tags, into: [a, b, c]}
! explode.into: names more than two columns: an array takes one, a map [key, value]
{explode: {column: tags, into: tag}, adds: tags}
! steps[0]: 'adds' has no place here: explode counts its rows itself
unpivot: {columns: [id, nope], name: k, value: v}
! unpivot.columns[1]: unknown column 'nope'
pivot: {by: id, column: name, values: [id], value: amount, measure: sum}
! pivot.values: 'id' is in 'by' too
deduplicate: {by: id, near: name}
! deduplicate: takes one of 'by' and 'near'
deduplicate: {near: name, distance: 2}
! deduplicate.distance: needs 'within': all rows of a window would be held against each other
lookup: {table: ingested.sales, on: id, take: name, must_match: true, otherwise: {name: x}}
! lookup.otherwise: is at odds with 'must_match: true': reject, or drop
lookup: {table: ingested.sales, on: id, take: name, otherwise: {nam: x}}
! lookup.otherwise: 'nam' is none of the columns taken: name
previous: {columns: {before: amont}, order: at}
! previous.columns.before: unknown column 'amont' (did you mean 'amount'?)
running: {columns: {total: 'sum(amont)'}, order: at}
! running.columns.total: unknown column 'amont' (did you mean 'amount'?)
running: {columns: {total: amount}, order: at}
! running.columns.total: 'amount' has no aggregate such as sum(…) or count(*)
sessionize: {time: amount, gap: '30 minutes', into: s}
! sessionize.time: sessionize takes dates and times, and 'amount' is decimal(10,2): cast it
  before
surrogate: {into: _row, of: [id]}
! surrogate.into: '_row' is a system column: give another name
{trim: [name], twice: true}
! steps[0]: 'twice' has no place here: it belongs to a step of Python
melt: {}
! steps[0]: unknown step 'melt' (did you mean 'unpivot'?)
"""


def table() -> list[tuple[dict[str, Any], str]]:
    """The faults above; a line that is indented goes on with the one before it."""
    lines = re.sub(r"\n\s+", " ", FAULTS.strip()).splitlines()
    nodes = [read_text(line, "table", []) for line in lines[::2]]
    steps = [to_python(node) for node in nodes if node is not None]
    return list(zip(steps, (line.removeprefix("! ") for line in lines[1::2]), strict=True))


@pytest.mark.parametrize(("step", "fault"), table(), ids=str)
def test_a_fault_is_told_with_its_place(step: dict[str, Any], fault: str) -> None:
    place = "" if fault.startswith("steps") else "steps[0]."
    assert [one.partition(" (known")[0] for one in faults(step)] == [place + fault]


def test_columns_and_types_are_followed_through_the_steps() -> None:
    clean(
        {"split": {"column": "name", "by": " ", "into": ["first", "last"]}},
        {"explode": {"column": "tags", "into": "tag", "position": "n"}},
        {"flatten": {"home": ["city"]}},
        {"cast": {"first": "int"}},
        {"round": {"first": -1}},
        {"select": ["id", "last", "tag", "n", "home_city", "at"]},
        key=["id", "n"],
    )
    assert faults({"explode": {"column": "tags", "into": "tag"}}, {"trim": ["tags"]}) == [
        "steps[1].trim[0]: unknown column 'tags': an earlier step renamed it or left it out"
    ]
    assert faults({"cast": {"name": "int"}}, {"case": {"name": "upper"}}) == [
        "steps[1].case.name: case takes texts, and 'name' is int: cast it before"
    ]
    # What is protected has another type from then on.
    clean({"case": {"card": "upper"}})


def test_what_a_python_step_promises_is_followed() -> None:
    step = {"step": "shop.steps.tidy_channel", "leaves": ["id", "kind"]}
    assert faults(step, {"trim": ["name"]}) == [
        "steps[1].trim[0]: unknown column 'name': an earlier step renamed it or left it out"
    ]


@pytest.mark.parametrize(
    ("step", "hidden"),
    [
        ({"split": {"column": "card", "by": " ", "into": ["a", "b"]}}, {"a", "b"}),
        ({"extract": {"column": "card", "regex": "(.)", "into": ["a"]}}, {"a"}),
        ({"unpivot": {"columns": ["name", "card"], "name": "k", "value": "v"}}, {"v"}),
        ({"previous": {"columns": {"b": "card"}, "order": "at"}}, {"b"}),
        ({"previous": {"columns": {"b": "name"}, "by": "card", "order": "at"}}, {"b"}),
        ({"running": {"columns": {"m": "max(card)", "n": "sum(amount)"}, "order": "at"}}, {"m"}),
        ({"sessionize": {"by": "card", "time": "at", "gap": "1 hour", "into": "s"}}, {"s"}),
        ({"surrogate": {"into": "s", "of": ["card", "id"]}}, {"s"}),
        (
            {"pivot": {"by": "id", "column": "name", "values": ["x"], "value": "card",
                       "measure": "max"}},
            {"x"},
        ),
    ],
)  # fmt: skip
def test_what_a_step_makes_of_a_private_column_is_private(
    step: dict[str, Any], hidden: set[str]
) -> None:
    table = clean(step)
    tables = suite_from({"ingested.sales": SALES}, raw="raw", lake="lake").tables
    found = private_in(table, {**tables, "clean.sales": table})
    (one,) = table.steps
    made = {*one.made(), *one.computed()}
    assert {name for name in made if found.hides(name)} == hidden
    assert found.hides("card")
    assert not found.hides("amount")


def test_what_is_made_of_masked_values_alone_is_no_key() -> None:
    above = {"ingested.sales": {"born": "masked"}}
    steps = [
        {"split": {"column": "born", "by": "-", "into": ["y", "m"]}},
        {"surrogate": {"into": "only", "of": ["born"]}},
        {"surrogate": {"into": "both", "of": ["born", "id"]}},
        {"rename": {"y": "year"}},
    ]
    lost = unkeyable(clean(*steps), above)
    assert lost == dict.fromkeys(("born", "m", "only", "year"), "masked")
