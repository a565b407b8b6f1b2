"""What can be said about SQL in a file before Spark has seen it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headgate.conf.nodes import Node, Scalar, kind_of
from headgate.conf.shapes import At, Schema, Shape
from headgate.core.selects import Token, tokens

AGGREGATES = frozenset(
    re.findall(
        r"\w+",
        """any any_value approx_count_distinct approx_percentile approx_top_k array_agg avg bit_and
    bit_or bit_xor bitmap_construct_agg bitmap_or_agg bool_and bool_or collect_list collect_set
    corr count count_if count_min_sketch covar_pop covar_samp every first first_value grouping
    grouping_id histogram_numeric hll_sketch_agg hll_union_agg kurtosis last last_value listagg
    max max_by mean median min min_by mode percentile percentile_approx percentile_cont
    percentile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx
    regr_sxy regr_syy skewness some std stddev stddev_pop stddev_samp string_agg sum try_avg
    try_sum var_pop var_samp variance""",
    )
)
_STATEMENTS = ("select", "with", "from", "values", "table", "(")


@dataclass(frozen=True)
class Expression(Shape):
    """A SQL expression: quotes and brackets closed, one only."""

    about: str = "SQL expression"
    aggregate: bool = False
    words: tuple[str, ...] = ()  # measures that are no SQL

    def read(self, node: Node, at: At) -> str:
        if not isinstance(node, Scalar) or node.empty or not node.said.strip():
            raise at.note(node, f"must be a {self.about}, not {kind_of(node)}")
        text = node.said.strip()
        if text in self.words:
            return text
        found = _tokens(text, node, at)
        if any(token.text == ";" for token in found):
            raise at.note(node, "holds a ';': one expression is wanted")
        if self.aggregate and not any(_calls(found)):
            raise at.note(node, f"{kind_of(node)} has no aggregate such as sum(…) or count(*)")
        return text

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"]}

    def shown(self) -> str:
        also = "".join(f", or `{word}`" for word in self.words)
        return ("SQL aggregate" if self.aggregate else self.about) + also


def _tokens(text: str, node: Node, at: At) -> list[Token]:
    try:
        return tokens(text)
    except ValueError as error:
        raise at.note(node, f"{error} in {kind_of(node)}") from None


def _calls(found: list[Token]) -> list[bool]:
    """For each token, whether it calls an aggregate."""
    following = [*found[1:], Token("end", "")]
    pairs = zip(found, following, strict=True)
    return [now.word in AGGREGATES and after.text == "(" for now, after in pairs]


def statement(text: str, node: Node, at: At, names: tuple[str, ...]) -> str:
    """A SELECT that reads one of some names, without a ';' at its end."""
    found = _tokens(text, node, at)
    while found and found[-1].text == ";":
        found.pop()
        text = text.rstrip()
        text = text[: text.rindex(";")].rstrip()
    if not found:
        raise at.note(node, "holds no SQL")
    if any(token.text == ";" for token in found):
        raise at.note(node, "holds a ';': one statement is wanted")
    if found[0].text.lower() not in _STATEMENTS:
        raise at.note(node, f"a SELECT is wanted, not {kind_of(node)}")
    used = {token.name.lower() for token in found}
    if not any(name.lower() in used for name in names):
        wanted = " or ".join(f"'{name}'" for name in names)
        raise at.note(node, f"does not read from {wanted}")
    return text.strip()
