"""What rules are called: in messages, and where a person waives one."""

from __future__ import annotations

from headgate.core.spec import Drift, Rule, Table

LABEL_LIMIT = 80
MAX_REJECTED = "max_rejected"  # the share of rejected rows is waived by this name
ON_EMPTY = "on_empty"  # a window without rows, by this one
DRIFT = "drift"  # and all that drift says, by this one
_FRONTS = ("expect_column_values_to_", "expect_column_", "expect_table_", "expect_")
_TAILS = ("_to_be_between", "_to_equal", "_to_equal_other_table")
_SHORT = {
    "expect_compound_columns_to_be_unique": "be_unique",
    "expect_other_table_to_be_fresh": "freshness",
    "expect_column_pair_values_a_to_be_greater_than_b": "a_greater_than_b",
    "expect_column_unique_value_count_to_be_between": "unique_values",
    "expect_column_proportion_of_unique_values_to_be_between": "unique_share",
    "expect_column_proportion_of_non_null_values_to_be_between": "not_null_share",
    "expect_column_distinct_values_to_be_in_set": "values_in_set",
    "expect_column_distinct_values_to_contain_set": "values_contain_set",
    "expect_column_distinct_values_to_equal_set": "values_equal_set",
    "expect_column_most_common_value_to_be_in_set": "most_common_in_set",
    "expect_column_kl_divergence_to_be_less_than": "divergence",
    "expect_column_quantile_values_to_be_between": "quantiles",
    "expect_column_value_z_scores_to_be_less_than": "z_scores",
    "expect_column_pair_values_to_be_equal": "be_equal",
    "expect_column_pair_values_to_be_in_set": "pairs_in_set",
    "expect_multicolumn_values_to_be_equal": "be_equal",
    "expect_multicolumn_sum_to_equal": "sum_to_equal",
    "expect_select_column_values_to_be_unique_within_record": "be_unique_within_record",
    "expect_column_type_to_be": "type",
    "expect_column_values_to_be_of_type": "type",
    "expect_column_values_to_be_in_type_list": "type",
    "expect_column_to_exist": "column",
    "expect_table_columns_to_match_set": "columns",
    "expect_table_columns_to_match_ordered_list": "columns",
}


def label(rule: Rule) -> str:
    """A rule's short name: what it measures, of which columns.

    >>> label(Rule(expectation="expect_column_mean_to_be_between", arguments={"column": "price"}))
    'mean(price)'
    >>> label(Rule(expectation="row", arguments={"name": "price is positive"}))
    'price is positive'
    """
    if rule.expectation == "row":
        return cut(str(rule.arguments.get("name") or rule.written))
    name = _SHORT.get(rule.expectation)
    if name is None:
        front = next((one for one in _FRONTS if rule.expectation.startswith(one)), "")
        name = rule.expectation.removeprefix(front)
        for tail in _TAILS:
            name = name.removesuffix(tail)
    told = rule.columns if name != "columns" else ()
    if name == "freshness":
        told = (rule.other or "",)
    return cut(f"{name}({', '.join(told)})" if told else name)


def names_of(rule: Rule | Drift) -> frozenset[str]:
    """All that a person may call a rule.

    >>> sorted(names_of(Rule(expectation="row", arguments={"name": "paid"}, written="paid: a > 0")))
    ['paid', 'paid: a > 0']
    """
    if isinstance(rule, Drift):
        return frozenset({DRIFT, rule.written})
    named = {rule.written, label(rule)}
    return frozenset(named if rule.expectation == "row" else named | {rule.expectation})


def is_waived(rule: Rule | Drift, waived: frozenset[str]) -> bool:
    """Whether a waiver names this rule, by any of its names."""
    return bool(waived & names_of(rule))


def known_names(table: Table) -> frozenset[str]:
    """All that a waiver of a table may name."""
    rules: list[Rule | Drift] = [*table.quality, *table.drift]
    return frozenset({MAX_REJECTED, ON_EMPTY}).union(*map(names_of, rules))


def shown_names(table: Table) -> tuple[str, ...]:
    """What the rules of a table are called in short."""
    labels = dict.fromkeys(label(rule) for rule in table.quality)
    return (*labels, *([DRIFT] if table.drift else []))


def cut(text: str) -> str:
    """A text on one line, no longer than a label."""
    text = " ".join(text.split())
    return text if len(text) <= LABEL_LIMIT else text[: LABEL_LIMIT - 1] + "…"
