"""The documentation that is made from the code: it is what was committed, and it is right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from headgate.conf.documents import read_text
from headgate.conf.layers import MODELS, RECORDS
from headgate.conf.nodes import to_python
from headgate.conf.reference import written_files
from headgate.conf.ruleshapes import ARGUMENTS
from headgate.conf.schema import json_schema
from headgate.conf.settings import ENVIRONMENT
from headgate.conf.settings import SUITE as SETTINGS
from headgate.conf.steps import FORMS
from headgate.core.rules import RULES
from headgate.core.spec import Suite
from headgate.core.steps import BUILT_IN
from unit.conf_files import SUITE

ROOT = Path(__file__).parents[2]


def test_the_committed_files_are_what_the_code_makes() -> None:
    made = written_files()
    there = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in made}
    stale = [name for name in made if made[name] != there[name]]
    assert not stale, "run `python -m headgate.conf.reference`"
    on_disk = {f"schema/{file.name}" for file in (ROOT / "docs/schema").iterdir()}
    assert on_disk == {name for name in made if name.startswith("schema/")}


@pytest.mark.parametrize("layer", MODELS)
def test_every_attribute_of_a_table_has_a_key(layer: str) -> None:
    keys = {key.field or name for name, key in RECORDS[layer].keys.items()}
    # Drift is written among the rules under `quality`, a database under `source`; a file that
    # brings several tables is one of each.
    made = {"name", "file", "drift", "database", "left_to_database"}
    assert keys - {"tables", "each"} == set(MODELS[layer].model_fields) - made


def test_every_attribute_of_a_suite_has_a_key() -> None:
    assert set(SETTINGS.keys) == set(Suite.model_fields) - {
        "environment", "tables", "root", "conf", "overrides", "every",
    }  # fmt: skip
    assert set(ENVIRONMENT.keys) - set(SETTINGS.keys) == {
        "raw", "lake", "vault", "spark", "tables", "parallel",
    }  # fmt: skip


def test_every_step_and_argument_has_a_form() -> None:
    assert {form.step for form in FORMS.values()} == set(BUILT_IN)
    taken = {argument.takes for rule in RULES.values() for argument in rule.arguments.values()}
    assert taken == {*ARGUMENTS, "word"}


def _documents() -> dict[str, str]:
    """Every file of the repo's own suite, and of the tests' one."""
    found = {f"tests/{name}": dedent(text) for name, text in SUITE.items()}
    for file in sorted((ROOT / "conf").rglob("*.yaml")):
        name = file.relative_to(ROOT / "conf").as_posix()
        found[f"shop/{name}"] = file.read_text(encoding="utf-8")
    return found


@pytest.mark.parametrize("kind", json_schema())
def test_the_schema_accepts_shorthands(kind: str) -> None:
    validators = pytest.importorskip("jsonschema")
    validators.Draft202012Validator.check_schema(json_schema()[kind])
    validator = validators.Draft202012Validator(json_schema()[kind])
    texts = {name: text for name, text in _documents().items() if f"/{kind}" in name}
    assert texts
    for name, text in texts.items():
        node = read_text(text, name, [])
        assert node is not None
        errors = validator.iter_errors(_lists(to_python(node)))
        assert [f"{name}: {error.message}" for error in errors] == []


BAD: dict[str, list[Mapping[str, Any]]] = {
    "clean": [
        {"reads": "ingested.a", "stpes": []},
        {"reads": "ingested.a", "steps": [{"derivee": {"a": "b"}}]},
        {"reads": "ingested.a", "steps": [{"trim": "a", "drop": "b"}]},
        {"reads": "ingested.a", "write": "append"},
        {"reads": "ingested.a", "max_rejected": 20},
        {"steps": []},
        {"reads": "a.b", "quality": [{"expect_column_values_to_be_null": {"colum": "a"}}]},
    ],
    "ingested": [{"columns": {"a": "int"}}, {"source": {"files": "a"}, "columns": {}}],
    "marts": [{"reads": "a.b", "period": {"grain": "day"}}],
    "suite": [{"name": "a", "window": "week"}],
}


@pytest.mark.parametrize("kind", BAD)
def test_the_schema_refuses_mistakes(kind: str) -> None:
    validators = pytest.importorskip("jsonschema")
    validator = validators.Draft202012Validator(json_schema()[kind])
    for document in BAD[kind]:
        assert not validator.is_valid(document), document


def _lists(value: Any) -> Any:
    """Tuples as lists, which is what JSON Schema knows."""
    if isinstance(value, tuple | list):
        return [_lists(item) for item in value]
    return {key: _lists(item) for key, item in value.items()} if isinstance(value, dict) else value
