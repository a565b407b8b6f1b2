"""suite.yaml and the files of env/."""

from __future__ import annotations

import re
import zoneinfo
from pathlib import Path
from typing import Any

from headgate.conf.alerts import ROUTE
from headgate.conf.forms import KEPT, WHOLE
from headgate.conf.nodes import Entries, Node
from headgate.conf.records import Key, Record, value_of
from headgate.conf.shapes import Anything, At, Flag, Listed, Mapped, Parsed, Text, Word
from headgate.conf.words import meant
from headgate.core.spec import Environment, SparkSettings

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def _timezone(text: str) -> str:
    if text == "UTC":
        return text
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        if not known:  # no time zones on this machine: Java has its own
            return text
        hint = meant(text, sorted(known))
        raise ValueError(f"unknown time zone '{text[:60]}'{hint}") from None
    return text


def _name(text: str) -> str:
    if re.fullmatch(r"[\w][\w.-]*", text):
        return text
    raise ValueError(f"must be a name of letters, digits, - and _, not '{text[:60]}'")


def _keys(text: str) -> str:
    kind, _, rest = text.partition(":")
    if text == "env" or (kind in ("file", "secret") and rest):
        return text
    raise ValueError(f"must be env, file:FOLDER or secret:NAME, not '{text[:60]}'")


class SparkConf(Mapped):
    """Spark's own settings, as texts."""

    def read(self, node: Node, at: At) -> dict[str, str]:
        values: dict[str, Any] = super().read(node, at)
        for name in values:
            if not name.startswith("spark."):
                key = node.key(name) if isinstance(node, Entries) else None
                what = f"'{name[:60]}' is no setting of Spark: they begin with 'spark.'"
                raise at.key(name).note(key or node, what)
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in values.items()
        }


_SETTINGS = {
    "timezone": Key(
        Parsed("a time zone such as UTC or Europe/Berlin", _timezone),
        "of windows, days and periods; also Spark's session zone",
        default="UTC",
    ),
    "window": Key(
        Word(("hour", "day", "month")), "how much one run of a table covers", default="day"
    ),
    "alerts": Key(
        Listed(ROUTE, empty=True, about="list of {to, severity, tables, …}"),
        "routes; the first that fits by severity and table",
        default="none",
    ),
    "keys": Key(
        Parsed("env, file:FOLDER or secret:NAME", _keys),
        "where privacy keys come from",
        default="env",
    ),
    "keep_versions": Key(
        KEPT,
        "how long `headgate maintain` leaves files of older versions, up to 30 days",
        default="30 days",
    ),
}  # fmt: skip
SUITE = Record(
    "a suite",
    {
        "name": Key(Parsed("a name", _name), "the suite's name", required=True),
        **_SETTINGS,
    },
)
_SPARK = Record(
    "spark",
    {
        "master": Key(Text(), "where Spark runs"),
        "quick": Key(
            Flag(),
            "start in half the time, at the price of long work: for tests and small data",
            default="false",
        ),
        "conf": Key(
            SparkConf(Anything("value", scalar=True, null=False), empty=True,
                      about="{spark.setting: value}"),
            "Spark's own settings",
            default="{}",
        ),
    },
    make=value_of(SparkSettings),
)  # fmt: skip
ENVIRONMENT = Record(
    "an environment",
    {
        "raw": Key(Text("a folder or URI"), "the raw zone", required=True),
        "lake": Key(Text("a folder or URI"), "the lake", required=True),
        "vault": Key(
            Text("a folder or URI"),
            "where what tokens stand for is kept",
            default="<lake>/ops/vault",
        ),
        "spark": Key(_SPARK, "how a session is made"),
        "parallel": Key(WHOLE, "how many tables may run at once", default="1"),
        **{
            name: Key(key.shape, f"instead of the suite's: {key.about}")
            for name, key in _SETTINGS.items()
        },
        "tables": Key(
            Mapped(Mapped(Anything())),
            "keys of table files to use instead: {layer.name: {key: value}}",
        ),
    },
)
# The keys of an env file that lie over those of suite.yaml.
SHARED = tuple(_SETTINGS)


def placed(text: str, root: Path) -> str:
    """An absolute path or a URI; relative paths start at the folder that holds conf/."""
    if _URI.match(text):
        return text.rstrip("/") if not text.endswith("://") else text
    path = Path(text).expanduser()
    return (root / path).resolve().as_posix() if ".." in path.parts else (root / path).as_posix()


def environment(name: str, values: dict[str, Any], root: Path) -> Environment:
    """Where a suite runs."""
    return Environment(
        name=name,
        raw=placed(values["raw"], root),
        lake=placed(values["lake"], root),
        vault=placed(values["vault"], root) if "vault" in values else None,
        spark=values.get("spark", SparkSettings()),
        parallel=values.get("parallel", 1),
    )


def same_folder(values: dict[str, Any], node: Node, at: At) -> None:
    """Note where raw and lake are one folder."""
    if values["raw"].rstrip("/") == values["lake"].rstrip("/"):
        lake = node.get("lake") if isinstance(node, Entries) else None
        at.key("lake").note(lake or node, "is the raw zone as well: give it a folder of its own")
