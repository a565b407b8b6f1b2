"""docs/steps.md: every built-in step with its example, from the docstrings of the steps."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.conf.steps import told
from headgate.core.steps import GROUPS, Step

_HEAD = """# Steps

The `steps` of a clean table are done in order, each on the rows that the one before it left. What
each takes, key by key, is in [reference.md](reference.md#steps). This page is made from the code by
`python -m headgate.conf.reference`, and its examples run in the tests: rows `given`, and what of
them is `written` and `rejected`; `types` are those of columns that do not show theirs.

What holds for all of them:

- **Null** stays null, where nothing else is said.
- **A value that cannot be read** rejects its row: it goes to quarantine with the step and the
  column as the reason, never the value. With `otherwise: null` it is null instead. It ends no run.
- **The number of rows** is accounted for: rows that a step takes out are counted as `filtered` or
  `deduplicated`, those that it makes as `added`, each under the step's reason. Where rows are
  regrouped (`pivot`, `sql` with `rows: regrouped`), one count ends and another begins.
- **A window is all that a step sees.** Steps that look at other rows look at rows of the same
  window only, and at none that an earlier step rejected.
- **Columns and types** are checked before Spark starts, as far as the files tell them: `headgate
  check`. What only Spark can tell is refused before a row is read.
- **Personal data**: a column that is made of a private one is taken for private too, wherever rows
  are shown. What SQL or Python made of it cannot be told, so then all columns are.
- **Regular expressions** are Java's, patterns of dates Spark's.
"""


def steps_markdown() -> str:
    """The whole page."""
    parts = [_HEAD]
    for title, steps in GROUPS.items():
        parts.append(f"## {title}\n")
        for step in steps:
            parts += _step(step)
    return "\n".join(parts)


def _step(step: type[Step]) -> Iterator[str]:
    about = told(step)
    yield f"### {step.name}\n"
    yield f"{about.purpose}\n"
    if about.more:
        yield f"{about.more}\n"
    yield f"```yaml\n{about.example}```\n"
