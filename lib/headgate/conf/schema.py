"""JSON Schema of the files, so that editors complete and check them."""

from __future__ import annotations

from headgate.conf.layers import RECORDS
from headgate.conf.records import Record
from headgate.conf.settings import ENVIRONMENT, SUITE
from headgate.conf.shapes import Schema

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
FILES: dict[str, tuple[str, Record]] = {
    "suite": ("conf/suite.yaml", SUITE),
    "env": ("conf/env/*.yaml", ENVIRONMENT),
    **{layer: (f"conf/{layer}/*.yaml", record) for layer, record in RECORDS.items()},
}


def json_schema() -> dict[str, Schema]:
    """The schema of each kind of file, by the name of its layer, `suite` or `env`."""
    return {
        name: {"$schema": _DRAFT, "title": f"Headgate: {files}", **record.schema()}
        for name, (files, record) in FILES.items()
    }
