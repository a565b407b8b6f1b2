"""What the names of files tell: which are of one table, its name, and where the window stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from headgate.core.windows import Grain

# Names of files that say nothing about what is in them.
GENERIC = (
    "part",
    "data",
    "export",
    "dump",
    "file",
    "extract",
    "output",
    "out",
    "load",
    "full",
    "delta",
    "batch",
    "chunk",
    "sample",
    "samples",
    "test",
    "raw",
    "all",
    "csv",
    "json",
)
_ENDS = re.compile(
    r"(\.(csv|tsv|txt|json|jsonl|ndjson|parquet|avro|orc|snappy|gz|bz2|zst))+$", re.I
)
_Y, _M, _D = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_H = r"(?:[01]\d|2[0-3])"
_FORMS = (  # the first that fits: its regex, its format, and the grain that it tells
    (rf"year={_Y}/month={_M}/day={_D}", "year=%Y/month=%m/day=%d", Grain.day),
    (rf"{_Y}/{_M}/{_D}(?=[/_.-])", "%Y/%m/%d", Grain.day),
    (rf"(?<!\d){_Y}-{_M}-{_D}T{_H}(?!\d)", "%Y-%m-%dT%H", Grain.hour),
    (rf"(?<!\d){_Y}-{_M}-{_D}(?!\d)", "%Y-%m-%d", Grain.day),
    (rf"(?<!\d){_Y}_{_M}_{_D}(?!\d)", "%Y_%m_%d", Grain.day),
    (rf"(?<!\d){_Y}\.{_M}\.{_D}(?!\d)", "%Y.%m.%d", Grain.day),
    (rf"(?<!\d){_D}\.{_M}\.{_Y}(?!\d)", "%d.%m.%Y", Grain.day),
    (rf"(?<!\d){_Y}{_M}{_D}{_H}[0-5]\d[0-5]\d(?!\d)", "%Y%m%d%H%M%S", Grain.day),
    (rf"(?<!\d){_Y}{_M}{_D}{_H}(?!\d)", "%Y%m%d%H", Grain.hour),
    (rf"(?<!\d){_Y}{_M}{_D}(?!\d)", "%Y%m%d", Grain.day),
    (rf"(?<!\d){_Y}-{_M}(?!\d)", "%Y-%m", Grain.month),
    (rf"(?<!\d){_Y}{_M}(?!\d)", "%Y%m", Grain.month),
)  # fmt: skip
_UNCLEAR = re.compile(rf"(?<!\d)\d\d([-_])\d\d\1{_Y}(?!\d)")
_PLAIN = {Grain.hour: "%Y-%m-%dT%H", Grain.day: "%Y-%m-%d", Grain.month: "%Y-%m"}


@dataclass(frozen=True)
class Dated:
    """A path with its date taken out."""

    before: str
    format: str
    after: str
    moment: datetime
    grain: Grain

    @property
    def placeholder(self) -> str:
        plain = self.format == _PLAIN[self.grain]
        return "{window}" if plain else f"{{window:{self.format}}}"


def dated(path: str) -> Dated | None:
    """The date that a path names; None where it names none that is clear.

    >>> dated("orders/2026/11/03/a.csv").placeholder, dated("orders_20261103.csv").placeholder
    ('{window:%Y/%m/%d}', '{window:%Y%m%d}')
    >>> dated("orders.csv") is None, dated("date=2026-11-03/x.csv").placeholder
    (True, '{window}')
    """
    for regex, form, grain in _FORMS:
        found = re.search(regex, path)
        if not found:
            continue
        try:
            moment = datetime.strptime(found[0], form)  # noqa: DTZ007 - windows have no zone
        except ValueError:
            continue
        return Dated(path[: found.start()], form, path[found.end() :], moment, grain)
    return None


def unclear(path: str) -> bool:
    """Whether a path has a date whose day and month could be each other."""
    return dated(path) is None and bool(_UNCLEAR.search(path))


def family(path: str) -> tuple[str, str]:
    """The folder and the name of a file, with dates and numbers taken out: equal within a table.

    >>> family("2026-11-03/part-001.csv") == family("2026-11-04/part-002.csv")
    True
    """
    found = dated(path)
    text = f"{found.before}<>{found.after}" if found else path
    folder, _, name = text.rpartition("/")
    return re.sub(r"\d+", "#", folder), re.sub(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+", "#", name
    )


def pattern(paths: Sequence[str], grain: Grain) -> tuple[str, bool]:
    """One path with wildcards that means all of these, and whether it tells their windows.

    >>> pattern(["o/2026-11-03/a.csv", "o/2026-11-04/b.csv"], Grain.day)
    ('o/{window}/*.csv', True)
    >>> pattern(["o/a.csv", "o/b.csv"], Grain.day), pattern(["o/2026-11.csv"], Grain.day)
    (('o/*.csv', False), ('o/2026-11.csv', False))
    """
    found = [dated(path) for path in paths]
    told = [one for one in found if one is not None and _finer(one.grain, grain)]
    forms = {one.placeholder for one in told}
    if len(told) < len(paths) or len(forms) > 1:
        return _covering(paths), False
    placeholder = forms.pop()
    if placeholder == "{window}" and told[0].grain is not grain:
        placeholder = f"{{window:{told[0].format}}}"
    before = _covering([one.before for one in told])
    return f"{before}{placeholder}{_covering([one.after for one in told])}", True


def _finer(one: Grain, than: Grain) -> bool:
    order = (Grain.hour, Grain.day, Grain.month)
    return order.index(one) <= order.index(than)


def _covering(texts: Sequence[str]) -> str:
    """What these texts share at both ends, with a `*` for what differs."""
    first = texts[0]
    if all(text == first for text in texts):
        return first
    head = _shared(texts)
    tail = _shared([text[len(head) :][::-1] for text in texts])[::-1]
    middles = [text[len(head) : len(text) - len(tail)] for text in texts]
    if any("/" in one for one in middles):
        ends = {text[len(_ENDS.sub("", text)) :] for text in texts}
        return f"{head.rpartition('/')[0]}/**/*{ends.pop() if len(ends) == 1 else ''}".lstrip("/")
    # A word is not cut in two: `orders_eu` and `orders_us` are `orders_*`.
    head = re.sub(r"[^\W_]+$", "", head) if not head.endswith("/") else head
    tail = re.sub(r"^[^\W_]+(?=[^/]*\.)", "", tail) if "." in tail.lstrip(".") else tail
    return f"{head}*{tail}"


def _shared(texts: Sequence[str]) -> str:
    """What all texts begin with."""
    end = 0
    for signs in zip(*texts, strict=False):
        if len(set(signs)) > 1:
            break
        end += 1
    return texts[0][:end]


def table_name(path: str, above: str = "") -> str:
    """What to call the table of a file, by its name or the folders above it.

    >>> table_name("orders_20261103.csv"), table_name("2026-11-03/part-0001.csv", "Web Clicks")
    ('orders', 'web_clicks')
    >>> table_name("sales/2026/11/03/export.csv.gz"), table_name("2026.csv")
    ('sales', 'samples')
    """
    found = dated(path)
    text = f"{found.before}/{found.after}" if found and "/" in found.format else (
        f"{found.before} {found.after}" if found else path)  # fmt: skip
    parts = [*PurePosixPath(_ENDS.sub("", text)).parts][::-1]
    for part in (*parts, above):
        name = identifier(re.sub(r"\d{4,}|\b\d+\b|(?<=_)\d+", " ", _ENDS.sub("", part)))
        words = [word for word in name.split("_") if word and not word.isdigit()]
        telling = [word for word in words if word not in GENERIC and len(word) > 1]
        if telling and words[0] != "part" and words != ["date"] and words != ["dt"]:
            kept = words if words[-1] not in GENERIC else telling
            return "_".join(kept)
    return "samples"


def identifier(text: str, *, lower: bool = True) -> str:
    """A name that SQL takes without quotes.

    >>> identifier("Größe (cm)"), identifier("  2nd Name "), identifier("_x"), identifier("ÅÄ-é")
    ('groesse_cm', 'c_2nd_name', 'x', 'aae_e')
    """
    for one, other in (
        ("ä", "ae"),
        ("ö", "oe"),
        ("ü", "ue"),
        ("ß", "ss"),
        ("Ä", "Ae"),
        ("Ö", "Oe"),
        ("Ü", "Ue"),
    ):
        text = text.replace(one, other)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", plain.lower() if lower else plain).strip("_")
    name = re.sub(r"__+", "_", name)
    return f"c_{name}" if name[:1].isdigit() else name


def column_names(names: Iterable[str]) -> dict[str, str]:
    """Names for the columns of a file that a table can have, by their names there.

    Names that SQL takes as they are stay; a column without a name has none here either.

    >>> column_names(["OrderId", "Unit price", "unit-price", "", "Größe"])
    {'OrderId': 'OrderId', 'Unit price': 'unit_price', 'unit-price': 'unit_price_2',
     'Größe': 'groesse'}
    """
    made: dict[str, str] = {}
    taken: set[str] = set()
    for place, old in enumerate(names, 1):
        if not old:
            continue
        fine = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", old)
        base = old if fine else identifier(old) or f"column_{place}"
        new, count = base, 2
        while new.lower() in taken:
            new, count = f"{base}_{count}", count + 1
        taken.add(new.lower())
        made[old] = new
    return made


def grain_of(paths: Mapping[str, Sequence[str]]) -> Grain:
    """The window of a suite whose tables have these files: that which all dated ones tell.

    >>> grain_of({"a": ["a_2026-11.csv"], "b": ["b.csv"]}).value
    'month'
    """
    grains = {one.grain for files in paths.values() for path in files if (one := dated(path))}
    return grains.pop() if len(grains) == 1 else Grain.day
