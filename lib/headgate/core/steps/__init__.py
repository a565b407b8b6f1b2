"""The built-in steps as frozen values: their names, their arguments, what they do to columns.

The first line of a step's docstring is its purpose; the example below it runs in the tests.
"""

from __future__ import annotations

from headgate.core.steps.base import AS_BEFORE, Columns, Otherwise, Step
from headgate.core.steps.own import Python, Sql
from headgate.core.steps.reading import (
    Boolean,
    Cast,
    Moment,
    Number,
    ParseDate,
    ParseJson,
    ParseNumber,
    Read,
    Scale,
    Scaled,
    Words,
)
from headgate.core.steps.rows import (
    ChangedKeys,
    Deduplicate,
    Lookup,
    Previous,
    Running,
    Sessionize,
    Surrogate,
    Where,
)
from headgate.core.steps.structure import (
    Derive,
    Drop,
    Explode,
    Flatten,
    Pivot,
    Rename,
    Select,
    Unpivot,
)
from headgate.core.steps.texts import (
    ChangeCase,
    Collapse,
    Extract,
    Normalise,
    Replace,
    Replacement,
    Split,
    Trim,
)
from headgate.core.steps.values import (
    PLACEHOLDERS,
    Bounds,
    Clip,
    Convert,
    Digits,
    Fill,
    Map,
    Nullify,
    Round,
    Units,
)

GROUPS: dict[str, tuple[type[Step], ...]] = {
    "Texts": (Trim, Collapse, ChangeCase, Normalise, Replace, Split, Extract),
    "Types": (Cast, ParseNumber, ParseDate, Scale, Boolean, ParseJson),
    "Values": (Derive, Fill, Map, Nullify, Clip, Round, Convert),
    "Columns": (Select, Drop, Rename, Flatten),
    "Rows": (Where, Deduplicate, Explode, Unpivot, Pivot),
    "Other tables": (Lookup,),
    "Other rows": (Previous, Running, Sessionize),
    "Keys": (Surrogate,),
    "Your own": (Sql, Python),
}
BUILT_IN = tuple(step for group in GROUPS.values() for step in group)
__all__ = [
    "AS_BEFORE", "BUILT_IN", "GROUPS", "PLACEHOLDERS", "Boolean", "Bounds", "Cast", "ChangeCase",
    "ChangedKeys", "Clip", "Collapse", "Columns", "Convert", "Deduplicate", "Derive", "Digits",
    "Drop", "Explode", "Extract", "Fill", "Flatten", "Lookup", "Map", "Moment", "Normalise",
    "Nullify", "Number", "Otherwise", "ParseDate", "ParseJson", "ParseNumber", "Pivot", "Previous",
    "Python", "Read", "Rename", "Replace", "Replacement", "Round", "Running", "Scale", "Scaled",
    "Select", "Sessionize", "Split", "Sql", "Step", "Surrogate", "Trim", "Units", "Unpivot",
    "Where", "Words",
]  # fmt: skip
