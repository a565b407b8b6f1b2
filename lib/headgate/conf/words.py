"""The likely meant word: near spellings, and the words of other tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

# What other tools (dbt, Spark, pandas, DLT, great-expectations, SQL) call our keys.
KEYS: Mapping[str, tuple[str, ...]] = {
    "key": ("unique_key", "primary_key", "pk", "keys", "merge_key", "id_columns", "unique_on"),
    "quality": ("tests", "checks", "rules", "data_tests", "constraints", "validations"),
    "steps": ("transforms", "transformations", "transform", "pipeline", "operations"),
    "reads": ("inputs", "input", "depends_on", "refs", "ref", "upstream", "from", "sources"),
    "latest_by": (
        "sequence_by",
        "order_by",
        "cursor_field",
        "updated_at",
        "precombine",
        "dedupe_by",
    ),
    "write": (
        "materialized",
        "mode",
        "incremental_strategy",
        "write_mode",
        "save_mode",
        "strategy",
    ),
    "deletes": ("apply_as_deletes", "delete_when", "deleted", "delete_condition"),
    "max_rejected": ("threshold", "max_errors", "tolerance", "error_if", "max_bad_records"),
    "fresh_within": ("freshness", "sla", "max_age", "warn_after"),
    "keep_versions": ("retention", "retention_period", "vacuum", "keep_history"),
    "since": ("start_date", "start", "begin", "from_date"),
    "description": ("doc", "docs", "comment", "desc"),
    "owner": ("team", "contact", "owners", "maintainer"),
    "columns": ("schema", "fields", "contract"),
    "source": ("path", "location", "file", "input"),
    "files": ("path", "glob", "location", "pattern", "paths", "file"),
    "on_change": ("on_schema_change", "schema_evolution", "schema_drift"),
    "window_by": ("partition_by", "partitioned_by", "event_time"),
    "measures": ("metrics", "aggregates", "aggregations", "agg", "facts"),
    "group_by": ("dimensions", "groupBy", "groupby", "groups", "by"),
    "period": ("time_grain", "granularity", "interval"),
    "grain": ("granularity", "every", "unit"),
    "entity": ("entities", "join_keys"),
    "features": ("feature_view", "attributes"),
    "time": ("timestamp", "timestamp_field", "event_time", "event_timestamp_column"),
    "last": ("window", "over", "lookback", "trailing"),
    "next": ("horizon", "ahead", "lead"),
    "of": ("from", "table", "source", "input"),
    "measure": ("metric", "agg", "aggregate", "expression", "expr", "function"),
    "else": ("default", "fill", "fillna", "otherwise"),
    "examples": ("unit_tests", "samples", "fixtures"),
    "waive": ("waivers", "waived", "exceptions", "skip_rules", "ignore"),
    "until": ("expires", "expiry", "end", "to"),
    "gate": ("on_failure", "on_error", "enforcement", "action"),
    "on_empty": ("empty", "allow_empty", "if_empty"),
    "given": ("inputs", "when", "input"),
    "rejected": ("quarantined", "quarantine", "errors"),
    "written": ("expect", "expected", "output", "accepted", "then"),
    "timezone": ("tz", "time_zone"),
    "window": ("grain", "partition", "schedule", "interval"),
    "alerts": ("notifications", "notify", "alerting", "on_failure"),
    "to": ("url", "webhook", "channel", "target", "destination", "address", "sink", "route"),
    "smtp": ("server", "mail_server", "smtp_server", "host"),
    "raw": ("landing", "bronze", "source", "input"),
    "lake": ("warehouse", "storage", "output", "path", "base_path"),
    "keep": ("condition", "filter", "where", "expr", "if"),
    "because": ("reason", "why", "comment"),
    "drops": ("drops_because", "filters", "removes"),
    "adds": ("adds_because", "explodes"),
    "table": ("with", "from", "join", "other", "ref"),
    "on": ("keys", "key", "by", "using"),
    "take": ("columns", "select", "fields", "get"),
    "text": ("query", "statement", "sql"),
    "from": ("source", "name", "source_name", "original", "alias"),
    "type": ("dtype", "data_type", "datatype"),
    "nulls": ("null_values", "na_values", "nullValue", "null"),
    "privacy": ("pii", "mask", "masking"),
    "severity": ("level", "priority"),
    "mostly": ("threshold", "tolerance"),
    "row_condition": ("where", "filter", "condition", "when"),
    "column": ("column_name", "field", "columns", "col"),
    "column_list": ("columns", "column_names", "fields", "combination_of_columns"),
    "min_value": ("min", "minimum", "gte", "ge", "from"),
    "max_value": ("max", "maximum", "lte", "le", "to"),
    "value_set": ("values", "set", "accepted_values", "allowed"),
    "regex": ("pattern", "re", "expression"),
    "conf": ("config", "settings", "properties"),
}
STEPS: Mapping[str, tuple[str, ...]] = {
    "where": ("filter", "having", "keep"),
    "derive": ("with_column", "withColumn", "with_columns", "withColumns", "mutate", "assign",
               "add", "compute", "column", "columns"),
    "deduplicate": ("dedup", "dedupe", "distinct", "dropDuplicates", "drop_duplicates", "unique"),
    "lookup": ("join", "left_join", "merge", "enrich"),
    "fill": ("fillna", "na_fill", "coalesce", "default"),
    "map": ("recode", "translate", "case_when"),
    "cast": ("astype", "type", "types"),
    "trim": ("strip",),
    "collapse": ("squish", "normalize_space", "collapse_whitespace"),
    "case": ("lower", "upper", "title", "initcap", "capitalize"),
    "normalise": ("unicode", "unaccent", "remove_accents", "normalize_unicode"),
    "replace": ("regexp_replace", "regex_replace", "sub", "gsub"),
    "split": ("separate", "split_column", "str_split"),
    "extract": ("regexp_extract", "regex_extract", "str_extract"),
    "parse_number": ("to_number", "to_numeric", "parse_decimal"),
    "parse_date": ("to_date", "to_timestamp", "parse_datetime", "parse_timestamp", "strptime"),
    "scale": ("to_decimal", "quantize"),
    "boolean": ("to_boolean", "parse_bool", "bool"),
    "parse_json": ("from_json", "json"),
    "nullify": ("nullif", "null_if", "na_if", "null_values", "na_values", "placeholders"),
    "clip": ("clamp", "winsorize", "limit"),
    "round": ("bround",),
    "convert": ("units", "convert_units"),
    "flatten": ("unnest", "unpack", "expand"),
    "explode": ("flatmap", "unwind", "posexplode"),
    "unpivot": ("melt", "stack", "pivot_longer"),
    "pivot": ("pivot_wider", "crosstab", "group_by", "groupBy"),
    "previous": ("lag", "shift", "prior"),
    "running": ("cumsum", "cumulative", "window", "rolling"),
    "sessionize": ("session", "sessions", "session_window", "sessionise"),
    "surrogate": ("surrogate_key", "hash_key", "hash", "generate_id", "sk"),
    "rename": ("withColumnRenamed", "withColumnsRenamed", "alias"),
    "drop": ("exclude", "remove", "drop_columns"),
    "select": ("columns_to_keep", "project", "include"),
    "sql": ("query", "spark_sql"),
    "step": ("python", "function", "udf", "func", "call"),
}  # fmt: skip
RULES: Mapping[str, tuple[str, ...]] = {
    "expect_column_values_to_not_be_null": ("not_null", "is_not_null", "required", "is_complete"),
    "expect_column_values_to_be_unique": ("unique", "is_unique"),
    "expect_column_values_to_be_in_set": ("accepted_values", "is_in_list", "in_set", "isin"),
    "expect_column_values_to_be_between": ("accepted_range", "between", "range", "is_in_range"),
    "expect_column_values_to_match_regex": ("regex", "matches", "regex_match", "pattern"),
    "expect_column_values_to_exist_in": ("relationships", "foreign_key", "references", "fk"),
    "expect_compound_columns_to_be_unique": ("unique_combination_of_columns",),
    "expect_table_row_count_to_be_between": ("row_count", "min_rows", "not_empty"),
    "row": ("expression_is_true", "condition", "sql", "check", "assert", "expect", "constraint"),
}
TYPES: Mapping[str, tuple[str, ...]] = {
    "string": ("text", "str", "varchar", "char", "nvarchar", "clob", "uuid", "object", "json"),
    "bigint": ("long", "int64", "int8", "serial", "bigserial", "longtype"),
    "int": ("int32", "int4", "mediumint", "integertype"),
    "smallint": ("short", "int16", "int2"),
    "tinyint": ("byte",),
    "double": ("float64", "float8", "real8", "doubletype"),
    "float": ("float32", "float4", "real"),
    "decimal(18,2)": ("decimal", "numeric", "number", "money", "dec"),
    "boolean": ("bool", "bit"),
    "timestamp": ("datetime", "timestamptz", "datetime2", "timestamp_ltz"),
    "timestamp_ntz": ("timestamp_without_time_zone",),
    "binary": ("bytes", "blob", "bytea", "varbinary"),
}
_NEAR = 0.65
_FEW = 12


def meant(
    word: str, known: Iterable[str], others: Mapping[str, tuple[str, ...]] | None = None
) -> str:
    """The end of a message about an unknown word.

    >>> meant("derivee", ["derive", "drop"])
    " (did you mean 'derive'?)"
    >>> meant("unique_key", ["key", "steps"], KEYS)
    " (did you mean 'key'?)"
    >>> meant("xyz", ["a", "b"])
    ' (known: a, b)'
    """
    names = list(known)
    lowered = {name.lower(): name for name in names}
    for ours, theirs in (others or {}).items():
        if ours in names and word.lower() in (other.lower() for other in theirs):
            return f" (did you mean '{ours}'?)"
    near = get_close_matches(word.lower(), lowered, n=1, cutoff=_NEAR)
    if near:
        return f" (did you mean '{lowered[near[0]]}'?)"
    return f" (known: {', '.join(names)})" if 0 < len(names) <= _FEW else ""


def unknown(
    kind: str, word: str, known: Iterable[str], others: Mapping[str, tuple[str, ...]] | None = None
) -> str:
    """A message about an unknown word."""
    shown = word if len(word) <= 60 else word[:59] + "…"
    return f"unknown {kind} '{' '.join(shown.split())}'{meant(word, known, others)}"
