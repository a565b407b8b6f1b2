"""The rule `drift`: what is watched, of which columns, and how closely."""

from __future__ import annotations

from collections.abc import Mapping

from headgate.conf.forms import COLUMN, COLUMNS, DATE
from headgate.conf.nodes import Entries, Node, Scalar, flow, kind_of
from headgate.conf.records import Key, Record
from headgate.conf.rules import SEVERITIES
from headgate.conf.shapes import At, Listed, Schema, Shape, UnreadableError, Word
from headgate.conf.words import unknown
from headgate.core.rules import METRICS, USUAL_METRICS
from headgate.core.spec import Drift

ABOUT = "This window against earlier windows of the table."
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "row_count": ("volume", "count", "rows", "size"),
    "mean": ("avg", "average"),
    "null_share": ("nulls", "null_rate", "missing", "completeness", "null_count"),
    "quantiles": ("quantile", "median", "percentiles", "percentile", "distribution"),
    "categories": ("category", "values", "psi", "js", "jensen_shannon", "category_shares"),
    "distinct": ("unique", "cardinality", "distinct_count", "nunique"),
    "freshness": ("age", "lag", "delay", "timeliness"),
    "schema": ("columns", "types", "structure", "contract"),
    "bytes": ("file_size", "filesize", "volume_bytes"),
    "seconds": ("run_time", "runtime", "duration", "elapsed"),
}


class MetricName(Shape):
    """One metric by its name."""

    def read(self, node: Node, at: At) -> str:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            if node.said in METRICS:
                return node.said
            raise at.note(node, unknown("metric", node.said, METRICS, _OTHERS))
        raise at.note(node, f"must be the name of a metric, not {kind_of(node)}")

    def schema(self) -> Schema:
        return {"enum": list(METRICS)}

    def shown(self) -> str:
        return " · ".join(f"`{name}`" for name in METRICS)


DRIFT = Record(
    "drift",
    {
        "metrics": Key(
            Listed(MetricName(), unique=True, about="list of metrics, or one"),
            "what is watched",
            default=", ".join(USUAL_METRICS) + ", where they fit",
        ),
        "columns": Key(COLUMNS, "of which columns", default="all"),
        "time": Key(COLUMN, "the column that tells the time of a row: its freshness is watched"),
        "sensitivity": Key(
            Word(("normal", "low", "high")),
            "how easily a window is called out of line: about one healthy window in 100 at most;"
            " `low`: in 10,000; `high`: in 20",
            default="normal",
        ),
        "severity": Key(
            Word(SEVERITIES), "`critical` closes the gate, `info` is recorded only",
            default="warning",
        ),
        "since": Key(DATE, "for windows before this day it warns, and does no more"),
    },
)  # fmt: skip


def drift(name: Scalar, node: Node, at: At, beside: Mapping[str, Node]) -> Drift:
    """One rule about drift; without a word beside it, all that is usual is watched."""
    for word, value in beside.items():
        if word != "severity":
            raise at.note(value, f"drift takes no '{word}'")
    inner = at.key(name.text)
    held = node
    if isinstance(node, Scalar) and node.empty:
        held = Entries(node.file, node.line, ())
    before = len(at.faults)
    values = DRIFT.values(held, inner)
    if values is None or len(at.faults) > before:
        raise UnreadableError
    if "freshness" in values.get("metrics", ()) and "time" not in values:
        raise inner.note(node, "freshness needs 'time': the column that tells the time of a row")
    if "severity" in beside:
        if "severity" in values:
            raise at.note(beside["severity"], "'severity' is given twice")
        values["severity"] = Word(SEVERITIES).read(beside["severity"], at.key("severity"))
    written = f"drift: {flow(held)}"
    return Drift(**values, written=written, place=name.place)
