"""Whatever a file says, the reader answers with a suite or with faults; never with a traceback."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headgate.conf import read_suite, suite_from
from headgate.conf.documents import read_text
from headgate.conf.nodes import to_python
from headgate.core.errors import Misconfigured
from unit.conf_files import SUITE, laid_out

FILES = {name: dedent(text) for name, text in SUITE.items()}
NAMES = sorted(name for name in FILES if "/" in name and not name.startswith("env/"))
ODD: st.SearchStrategy[Any] = st.sampled_from([
    None, True, 0, -1, 1.5, float("nan"), "", " ", "x", "a.b", "orders", "clean.orders", "count(*)",
    "${HOME}", "${", "'", "(", "*", "1", "2026-01-01", [], {}, [[]], [None], [{}], {"": None},
    {"a": {"b": ["c"]}}, {"column": "order_id"}, {"sql": "x"}, [{"row": {"a": None}}], "\u0000",
])  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside a value."""
    inner: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    return [path, *(place for key, item in inner for place in _places(item, (*path, key)))]


def _lists(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_lists(item) for item in value]
    return {key: _lists(item) for key, item in value.items()} if isinstance(value, dict) else value


TABLES = {
    name.removesuffix(".yaml").replace("/", "."): _lists(to_python(node))
    for name in NAMES
    if (node := read_text(FILES[name], name, [])) is not None
}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_value_in_any_place(data: st.DataObject) -> None:
    tables = copy.deepcopy(TABLES)
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(sorted(tables)))
        *outer, last = data.draw(st.sampled_from(_places(tables[name])[1:] or [("new",)]))
        held = tables[name]
        for key in outer:
            held = held[key]
        if isinstance(held, dict) and data.draw(st.booleans()):
            last = data.draw(st.sampled_from(["key", "sql", "reads", "odd", ""]))
        held[last] = copy.deepcopy(data.draw(ODD))
        if not isinstance(tables[name], dict):
            break
    with suppress(Misconfigured):
        suite_from(tables, raw="raw", lake="lake", root="/nowhere")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(FILES)),
    place=st.floats(0, 1),
    length=st.integers(0, 8),
    put=st.text("abc :,-[]{}'\"\n\t#&*!|>%@`$0.", max_size=4),
)
def test_any_slip_of_the_keyboard(
    tmp_path_factory: Any, name: str, place: float, length: int, put: str
) -> None:
    folder: Path = tmp_path_factory.mktemp("slip")
    at = int(place * len(FILES[name]))
    text = FILES[name][:at] + put + FILES[name][at + length :]
    conf = laid_out(folder, {**FILES, name: text})
    (conf / name).write_text(text, encoding="utf-8")
    with suppress(Misconfigured):
        read_suite(conf, environ={})
