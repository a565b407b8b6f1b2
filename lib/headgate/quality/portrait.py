"""What a table's rows look like, as aggregates of one pass, and the rules that they suggest.

Of private columns only nulls and different values are counted: no value of them is looked at.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.conf.nodes import flow, from_python
from headgate.core.spec import Rule, Table
from headgate.quality.profile_measures import LARGEST, identifies
from headgate.transforms.hidden import column, user_columns

ENOUGH = 20  # rows with a value, before a column's values say what is usual
FEW = 12  # values of a text column that are told one by one
EACH = 5  # rows for each of them, on the average
WINDOWS = 3  # published, before their numbers of rows say what is usual
MARGIN = 0.25  # of the range, to either side
LONGEST = 40  # signs of a text that may have a form
_NOT_NULL = "expect_column_values_to_not_be_null"
_BETWEEN = "expect_column_values_to_be_between"
_IN_SET = "expect_column_values_to_be_in_set"
_REGEX = "expect_column_values_to_match_regex"
_UNIQUE = "expect_column_values_to_be_unique"
_UNIQUE_TOGETHER = "expect_compound_columns_to_be_unique"
_ROW_COUNT = "expect_table_row_count_to_be_between"
_CLASSES = {"A": "[A-Z]", "a": "[a-z]", "9": "[0-9]"}
_ASCII = string.ascii_uppercase + string.ascii_lowercase + string.digits
_FORMS = "A" * 26 + "a" * 26 + "9" * 10
_SIGNS = str.maketrans(_ASCII, _FORMS)
_WARNS = {"severity": "warning"}  # what was learnt from some rows is a guess about the next


@dataclass(frozen=True)
class Proposal:
    """A rule, and what speaks for it."""

    expectation: str
    arguments: Mapping[str, Any]
    evidence: str

    @property
    def written(self) -> str:
        """The rule as a file has it.

        >>> Proposal("expect_column_values_to_not_be_null", {"column": "id"}, "").written
        'expect_column_values_to_not_be_null: {column: id}'
        """
        return f"{self.expectation}: {flow(from_python(dict(self.arguments), ''))}"


@dataclass(frozen=True)
class Seen:
    """What was found: a number or text for each aggregate, and the rows of published windows."""

    kinds: Mapping[str, T.DataType]  # of the table's own columns
    found: Mapping[str, Any]
    more: Mapping[str, Any]  # of the second pass
    written: Sequence[int]  # rows of each published window

    @property
    def rows(self) -> int:
        return int(self.found.get("rows") or 0)

    def of(self, part: str, name: str) -> Any:
        """One aggregate of one column."""
        return self.found.get(f"{part}:{name}", self.more.get(f"{part}:{name}"))

    def told(self) -> str:
        """How much was looked at."""
        windows = f" of {_count(len(self.written), 'window')}" if self.written else ""
        return f"{_count(self.rows, 'row')}{windows}"


def first_pass(table: Table, schema: T.StructType, hidden: frozenset[str]) -> dict[str, Column]:
    """Aggregates over all rows: nulls, ends of numbers, forms of texts, about how many values."""
    made = {"rows": F.count(F.lit(1))}
    for name, kind in own_columns(schema).items():
        value = column(name)
        made[f"nulls:{name}"] = F.count(F.when(value.isNull(), F.lit(1)))
        if _plain(kind):
            made[f"distinct:{name}"] = F.approx_count_distinct(value)
        if name in hidden:
            continue
        if isinstance(kind, T.NumericType) and not identifies(name, table):
            number = F.when(F.abs(value.cast("double")) < LARGEST, value.cast("double"))
            made |= {f"low:{name}": F.min(number), f"high:{name}": F.max(number)}
        if isinstance(kind, T.StringType):
            form = _form(value)
            runs = F.regexp_replace(form, "(.)\\1+", "$1")
            made |= {f"form:{name}": F.min(form), f"forms:{name}": F.max(form)}
            made |= {f"runs:{name}": F.min(runs), f"all_runs:{name}": F.max(runs)}
    return made


def second_pass(table: Table, seen: Seen, hidden: frozenset[str], by: bool) -> dict[str, Column]:
    """What the first pass gave cause to look at: sets of values, and columns that are unique."""
    made = {}
    window = [column("_window")] if by else []  # a gate judges each window by itself
    key = tuple(getattr(table, "key", ()))
    if key and set(key) <= set(seen.kinds):
        made["key:"] = F.count_distinct(*window, *[column(name) for name in key])
    for name, kind in seen.kinds.items():
        about = seen.of("distinct", name) or 0
        if isinstance(kind, T.StringType) and name not in hidden and 0 < about <= FEW:
            made[f"set:{name}"] = F.sort_array(F.collect_set(column(name)))
        if identifies(name, table) and about and _nearly_all(about, seen) and key != (name,):
            made[f"unique:{name}"] = F.count_distinct(*window, column(name))
    return made


def _nearly_all(about: int, seen: Seen) -> bool:
    return about >= 0.5 * seen.rows / max(len(seen.written), 1)


def own_columns(schema: T.StructType) -> dict[str, T.DataType]:
    """The columns that are not Headgate's own, with their types."""
    return {name: schema[name].dataType for name in user_columns(schema.names)}


def _plain(kind: T.DataType) -> bool:
    nested = isinstance(kind, T.MapType | T.ArrayType | T.StructType | T.UserDefinedType)
    return not nested and kind.typeName() != "variant"


def _form(value: Column) -> Column:
    """A text's form: A for a capital, a for a small letter, 9 for a digit; null where too long."""
    form = F.translate(value, _ASCII, _FORMS)
    return F.when(F.length(value) <= LONGEST, form).otherwise(F.lit(""))


def form_of(text: str) -> str:
    """The same of a text in Python.

    >>> form_of("Ab-12"), form_of("x" * 50)
    ('Aa-99', '')
    """
    return text.translate(_SIGNS) if len(text) <= LONGEST else ""


def runs_of(form: str) -> str:
    """A form with each run of one sign told once.

    >>> runs_of("AA-999")
    'A-9'
    """
    return re.sub(r"(.)\1+", r"\1", form)


def proposals(table: Table, seen: Seen, hidden: frozenset[str]) -> list[Proposal]:
    """The rules that the rows suggest, without those that the table has."""
    made = [*_rows(seen), *_uniques(table, seen)]
    for name, kind in seen.kinds.items():
        made += _column(name, kind, seen, hidden)
    return [one for one in made if not any(_is(one, rule) for rule in table.quality)]


def _is(one: Proposal, rule: Rule) -> bool:
    """Whether a table has such a rule on these columns already, with whatever bounds."""
    columns = Rule(expectation=one.expectation, arguments=one.arguments).columns
    return rule.expectation == one.expectation and set(rule.columns) == set(columns)


def _rows(seen: Seen) -> Iterator[Proposal]:
    counts = [count for count in seen.written if count]
    if len(seen.written) < WINDOWS or not counts:
        return
    low, high = min(seen.written), max(seen.written)
    bounds = {"min_value": _rounded(low / 2, whole=True, up=False),
              "max_value": _rounded(high * 2, whole=True, up=True)}  # fmt: skip
    evidence = f"{low:,} to {high:,} rows in {_count(len(seen.written), 'window')}, half to twice"
    yield Proposal(_ROW_COUNT, {**bounds, **_WARNS}, evidence)


def _uniques(table: Table, seen: Seen) -> Iterator[Proposal]:
    key = tuple(getattr(table, "key", ()))
    if seen.rows and seen.more.get("key:") == seen.rows:
        said = f"the key: none comes twice in {seen.told()}"
        if len(key) == 1:
            yield Proposal(_UNIQUE, {"column": key[0]}, said)
        else:
            yield Proposal(_UNIQUE_TOGETHER, {"column_list": list(key)}, said)
    for name in seen.kinds:
        if seen.rows >= ENOUGH and seen.of("unique", name) == seen.rows:
            yield Proposal(_UNIQUE, {"column": name}, f"no value comes twice in {seen.told()}")


def _column(
    name: str, kind: T.DataType, seen: Seen, hidden: frozenset[str]
) -> Iterator[Proposal]:  # fmt: skip
    nulls = int(seen.of("nulls", name) or 0)
    there = seen.rows - nulls
    if there and not nulls:
        yield Proposal(_NOT_NULL, {"column": name}, f"no null in {seen.told()}")
    if there < ENOUGH or name in hidden:
        return
    low, high = seen.of("low", name), seen.of("high", name)
    if low is not None and high is not None:
        yield _between(name, low, high, isinstance(kind, T.IntegralType), seen)
    values = seen.of("set", name)
    if values and len(values) <= FEW and there >= EACH * len(values):
        said = f"{_count(len(values), 'value')} in {seen.told()}"
        yield Proposal(_IN_SET, {"column": name, "value_set": list(values), **_WARNS}, said)
    elif isinstance(kind, T.StringType) and (regex := _regex(name, seen)):
        said = f"one form in {seen.told()}"
        yield Proposal(_REGEX, {"column": name, "regex": regex, **_WARNS}, said)


def _between(name: str, low: float, high: float, whole: bool, seen: Seen) -> Proposal:
    """Bounds with a margin; what was never negative stays so."""
    margin = MARGIN * ((high - low) or abs(high) or 1.0)
    least: float = _rounded(low - margin, whole=whole, up=False)
    most: float = _rounded(high + margin, whole=whole, up=True)
    if low >= 0:
        least = max(least, 1 if whole and low >= 1 else 0)
    if high <= 0:
        most = min(most, 0)
    said = (
        f"{_number(low)} to {_number(high)} in {seen.told()}, a quarter of the range to either side"
    )
    bounds = {"column": name, "min_value": least, "max_value": most, **_WARNS}
    return Proposal(_BETWEEN, bounds, said)


def _rounded(value: float, *, whole: bool, up: bool) -> float:
    """A number with two digits that count, rounded away from what was seen.

    >>> _rounded(1234, whole=True, up=True), _rounded(1234, whole=True, up=False)
    (1300, 1200)
    >>> _rounded(0.1234, whole=False, up=True), _rounded(-7.31, whole=False, up=False)
    (0.13, -7.4)
    """
    if value == 0:
        return 0
    step = math.floor(math.log10(abs(value))) - 1
    step = max(step, 0) if whole else step
    scaled = round(value / 10.0**step, 9)
    digits = math.ceil(scaled) if up else math.floor(scaled)
    made = digits * 10**step if step >= 0 else round(digits / 10**-step, -step)
    return int(made) if float(made).is_integer() else made


def _regex(name: str, seen: Seen) -> str | None:
    """A regular expression for texts that all have one form with a digit in it."""
    form, forms = seen.of("form", name), seen.of("forms", name)
    runs, all_runs = seen.of("runs", name), seen.of("all_runs", name)
    if form and form == forms and "9" in form:
        return regex_of(form)
    if runs and runs == all_runs and "9" in runs and len(runs) > 1:
        return regex_of(runs, runs=True)
    return None


def regex_of(form: str, *, runs: bool = False) -> str | None:
    """The regular expression of a form; None where it holds other signs than ASCII's.

    >>> regex_of("A-9999"), regex_of("AA9.a", runs=True)
    ('^[A-Z]-[0-9]{4}$', '^[A-Z]+[0-9]+[.][a-z]+$')
    """
    if not re.fullmatch(r"[ -~]+", form) or set(form) & set("\\^[]"):
        return None
    made = []
    for sign, same in groupby(form):
        part = _CLASSES.get(sign) or (sign if re.fullmatch(r"[ \w:/,@-]", sign) else f"[{sign}]")
        length = len(list(same))
        if runs and sign in _CLASSES:
            made.append(f"{part}+")
        else:
            made.append(part if length == 1 else f"{part}{{{length}}}")
    return f"^{''.join(made)}$"


def _number(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,.6g}"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def private_of(tables: Sequence[Table]) -> frozenset[str]:
    """The columns that any of some tables declares private."""
    return frozenset[str]().union(*(table.private for table in tables))
