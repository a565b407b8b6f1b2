"""Regular expressions: Spark reads them as Java does, and people write them as Python does."""

from __future__ import annotations

import re
import warnings

from headgate.conf.nodes import Node
from headgate.conf.shapes import At, Text

# What Python takes and Java refuses, or reads otherwise, with what to write.
_APART = (
    (r"\(\?P<", "Spark names a group '(?<name>…)'"),
    (r"\(\?P=", "Spark repeats a named group by '\\k<name>'"),
    (r"\\Z", "'\\Z' is before a last line break in Spark, and at the very end in Python: "
             "write '\\z' or '$'"),
    (r"\(\?#", "Spark knows no comments of the form '(?#…)'"),
    (r"\(\?\(", "Spark knows no conditions of the form '(?(1)…)'"),
    (r"\(\?[imsx]*[aLu]", "of inline flags, Spark and Python share i, m, s and x"),
    (r"\{,\d+\}", "Spark wants the lower end too: '{0,…}'"),
    (r"\{(?!\d+(,\d*)?\})", "write '\\{' for a brace that repeats nothing"),
)  # fmt: skip
_IN_CLASS = (
    (r"\[", "write '\\[' inside '[…]': Spark takes it for a class within the class"),
    (r"&&", "write '&' once inside '[…]': twice, Spark intersects two classes"),
)
_CLASS = re.compile(r"\[\^?\]?((?:\\.|[^\]\\])*)\]", re.DOTALL)
# One repeated thing, repeated again, and something after it that may fail: each row that does not
# match then takes twice as long for each further letter.
_FOR_EVER = re.compile(
    r"\((?:\?:)?(?:\\?[^\\()\[\]{}*+?|^$]|\[(?:\\.|[^\]\\])+\])[*+]\)(?:[*+]|\{\d+,\})(?![+])(?=.)"
)


def fault_of(regex: str) -> str | None:
    """What is wrong with a regular expression on Spark; None where nothing is plainly wrong.

    >>> fault_of("^[A-Z]{2}$")
    >>> fault_of("["), fault_of("(a+)+$")
    ('is no regular expression: unterminated character set', "repeats what is repeated already, \
which can take for ever: write 'a+' for '(a+)+'")
    """
    quoted = re.sub(r"\\Q.*?(\\E|$)", "q", regex, flags=re.DOTALL)
    what = _not_compiled(quoted) or _apart(quoted)
    if what:
        return what
    endless = _FOR_EVER.search(quoted)
    if endless:
        found = endless.group()
        inner = found[found.index("(") + 1 : found.rindex(")")].removeprefix("?:")
        return (
            "repeats what is repeated already, which can take for ever: "
            f"write '{inner}' for '{found}'"
        )
    return None


def groups(regex: str) -> int:
    """How many groups it captures.

    >>> groups(r"^(a|[(])-(?:b)(?<c>d)\\(")
    2
    """
    plain = re.sub(r"\\Q.*?(\\E|$)", "q", regex, flags=re.DOTALL)
    plain = re.sub(r"\\.", "b", _CLASS.sub("c", plain), flags=re.DOTALL)
    return len(re.findall(r"\((?!\?)|\(\?<(?![=!])", plain))


def _not_compiled(regex: str) -> str | None:
    """What Python says, after what is Java's own was written otherwise."""
    plain = re.sub(r"\\[pP](\{\w[^}]*\}|\w)", r"\\w", regex)
    plain = re.sub(r"\\x\{[0-9a-fA-F]+\}", "x", plain)
    plain = re.sub(r"\\[hHvVRXzZGeCK]", r"\\w", plain)
    plain = re.sub(r"\(\?<(?![=!])\w+>", "(", plain).replace("(?>", "(?:")
    plain = re.sub(r"\\k<\w+>", "k", plain)
    plain = re.sub(r"(?<!\\)([*+?}])\+", r"\1", plain)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(plain)
    except re.error as error:
        return f"is no regular expression: {error.msg}"
    return None


def _apart(regex: str) -> str | None:
    """What Python and Java read differently."""
    for inside in _CLASS.findall(regex):
        bare = re.sub(r"\\.", "", inside, flags=re.DOTALL)
        for pattern, what in _IN_CLASS:
            if re.search(pattern, bare):
                return what
    outside = regex.replace("\\\\", "b")  # a backslash that stands for itself
    outside = re.sub(r"\\[pPNx]\{[^}]*\}", "p", _CLASS.sub("c", outside))
    for pattern, what in _APART:
        if re.search(r"(?<!\\)" + pattern, outside):
            return what
    return None


class Regex(Text):
    """A regular expression that Spark reads as it was meant."""

    def read(self, node: Node, at: At) -> str:
        text = super().read(node, at)
        what = fault_of(text)
        if what:
            raise at.note(node, what)
        return text
