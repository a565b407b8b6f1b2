"""Expectations that great-expectations has and no gate on Spark can judge, with what to do."""

from __future__ import annotations

from collections.abc import Mapping

_NOT_ON_SPARK = "great-expectations itself does not judge it on Spark"
_LIKE = f"{_NOT_ON_SPARK}: write a condition, as in `row: {{name: \"code LIKE 'A%'\"}}`"
_NEVER = "great-expectations names it and has never implemented it"
_DIVERGENCE = f"{_NOT_ON_SPARK}: use expect_column_kl_divergence_to_be_less_than or `drift`"

ELSEWHERE: Mapping[str, str] = {
    "expect_column_values_to_match_like_pattern": _LIKE,
    "expect_column_values_to_not_match_like_pattern": _LIKE,
    "expect_column_values_to_match_like_pattern_list": _LIKE,
    "expect_column_values_to_not_match_like_pattern_list": _LIKE,
    "expect_column_values_to_be_dateutil_parseable": f"{_NOT_ON_SPARK}: use "
    "expect_column_values_to_match_strftime_format, which names the format",
    "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than": _DIVERGENCE,
    "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than": _DIVERGENCE,
    "expect_column_chisquare_test_p_value_to_be_greater_than": _DIVERGENCE,
    "expect_multicolumn_values_to_be_unique": f"{_NEVER}: use "
    "expect_select_column_values_to_be_unique_within_record (within a row) or "
    "expect_compound_columns_to_be_unique (of all rows)",
    "expect_column_pair_cramers_phi_value_to_be_less_than": _NEVER,
    "expect_query_results_to_match_comparison": "it compares two data sources, and a gate sees "
    "the rows of one table: make the comparison a step, and judge its result",
    "unexpected_rows_expectation": "it runs a query of its own on rows that nobody has published: "
    'write its WHERE as a condition, as in `row: {name: "NOT (…)"}`',
}
