"""The drawings of the report: the tables as a graph, and each table's windows as a strip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headgate.core.results import Rows
from headgate.core.spec import Ingested
from headgate.doors.facts import Facts, Slice, Standing
from headgate.doors.markup import Html, tag, together

NODE, HEIGHT, GAP, LANE, TOP = 208, 46, 12, 94, 34
COLUMNS = (("raw",), ("ingested",), ("clean",), ("features", "marts"))
BAR, SPACE, TALL = 11, 3, 44
SHOWN = 48  # the newest windows of a strip
# What a bar is made of, from the bottom: a row's fate, and how the page calls it.
FATES = (
    ("written", "let through"),
    ("withheld", "withheld by the gate"),
    ("deduplicated", "duplicates"),
    ("filtered", "filtered"),
    ("quarantined", "quarantined"),
)


@dataclass(frozen=True)
class Node:
    """One box of the graph."""

    name: str
    title: str
    x: float
    y: float
    rows: int
    state: str
    standing: Standing | None = None


def graph(facts: Facts) -> Html:
    """Raw files on the left, what readers use on the right."""
    nodes = _placed(facts)
    tall = max((node.y for node in nodes.values()), default=TOP) + HEIGHT + 6
    wide = len(COLUMNS) * NODE + (len(COLUMNS) - 1) * LANE
    most = max((node.rows for node in nodes.values()), default=0) or 1
    edges = [
        _edge(nodes[source], nodes[name], most)
        for name in facts.tables
        for source in _sources(facts, name)
        if source in nodes
    ]
    heads = [
        tag("text", " · ".join(layers), x=place * (NODE + LANE), y=14, class_="lane")
        for place, layers in enumerate(COLUMNS)
    ]
    return tag(
        "svg",
        tag("title", "From raw files to features and marts"),
        *heads,
        tag("g", *edges, class_="edges"),
        *[_box(node) for node in nodes.values()],
        viewBox=f"0 0 {wide} {tall:.0f}",
        class_="graph",
        role="img",
    )


def _sources(facts: Facts, name: str) -> list[str]:
    return [f"raw:{name}", *facts.tables[name].inputs]


def _placed(facts: Facts) -> dict[str, Node]:
    """Every box with its place; a table stands near what it reads, so that lines seldom cross."""
    nodes: dict[str, Node] = {}
    for column, layers in enumerate(COLUMNS):
        names = [name for name, table in facts.tables.items() if table.layer in layers]
        if column == 0:
            names = [f"raw:{n}" for n, t in facts.tables.items() if isinstance(t, Ingested)]
        names.sort(key=lambda name: (_layer_place(facts, name), _height(facts, name, nodes)))
        for row, name in enumerate(names):
            nodes[name] = _node(facts, name, column * (NODE + LANE), TOP + row * (HEIGHT + GAP))
    return nodes


def _layer_place(facts: Facts, name: str) -> str:
    return "" if name.startswith("raw:") else facts.tables[name].layer


def _height(facts: Facts, name: str, nodes: Mapping[str, Node]) -> float:
    if name.startswith("raw:"):
        return 0.0
    heights = [nodes[source].y for source in _sources(facts, name) if source in nodes]
    return sum(heights) / len(heights) if heights else 0.0


def _node(facts: Facts, name: str, x: float, y: float) -> Node:
    if name.startswith("raw:"):
        table = facts.tables[name[4:]]
        assert isinstance(table, Ingested)
        read = facts.standings[table.name].rows.read
        named = table.database.shown if table.database else _folder(table.source.files)
        return Node(name, named, x, y, read, "raw")
    standing = facts.standings[name]
    return Node(name, standing.table.short, x, y, standing.rows.written, standing.state, standing)


def _folder(pattern: str) -> str:
    """The part of a path that says what the files are of.

    >>> _folder("orders/{window}/*.csv"), _folder("{window:%Y/%m}/orders.csv"), _folder("a/b.csv")
    ('orders/', '{window:%Y/%m}/orders.csv', 'a/b.csv')
    """
    front = pattern.partition("{")[0]
    return front.rpartition("/")[0] + "/" if "/" in front and front != pattern else pattern


def _edge(source: Node, target: Node, most: int) -> Html:
    """A line as wide as what flows; within one column it goes round on the right."""
    width = 1.5 + 6.5 * (source.rows / most) ** 0.5
    x1, y1 = source.x + NODE, source.y + HEIGHT / 2
    x2, y2 = target.x, target.y + HEIGHT / 2
    bend = LANE * 0.55
    path = f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"
    if x2 < x1:
        x2 = target.x + NODE
        path = f"M{x1},{y1} C{x1 + bend},{y1} {x2 + bend},{y2} {x2},{y2}"
        width = 1.5
    return tag("path", d=path, stroke_width=f"{width:.1f}")


def _box(node: Node) -> Html:
    standing = node.standing
    if standing is None:
        said = f"{node.title}: {node.rows:,} records read"
        inside = [tag("title", said), _rect(node, "box raw"), *_texts(node)]
        return tag("g", *inside)
    said = f"{standing.table.name}: {standing.state}; "
    said += fates_told(standing.rows, standing.regroups)
    inside = [
        tag("title", said),
        _rect(node, f"box {node.state.replace(' ', '-')}"),
        tag(
            "rect", x=node.x, y=node.y, width=5, height=HEIGHT, rx=2.5, class_="gate " + node.state
        ),
        *_texts(node),
        together(share_bar(standing.rows, node.x + 14, node.y + HEIGHT - 11, NODE - 24, 4)),
    ]
    return tag("a", *inside, href=f"#{standing.table.name}")


def _rect(node: Node, kind: str) -> Html:
    return tag("rect", x=node.x, y=node.y, width=NODE, height=HEIGHT, rx=6, class_=kind)


def _texts(node: Node) -> list[Html]:
    raw = node.standing is None
    number = f"{node.rows:,}" if node.rows else "–"
    # No font is measured here: signs are taken to be as wide as in the widest usual one.
    room = int((NODE - 34 - 7.8 * len(number)) / (6.4 if raw else 8.2))
    title = node.title if len(node.title) <= room else node.title[: room - 1] + "…"
    down = 28 if raw else 22
    return [
        tag("text", title, x=node.x + 14, y=node.y + down, class_="path" if raw else "name"),
        tag("text", number, x=node.x + NODE - 10, y=node.y + down, class_="count"),
    ]


def share_bar(rows: Rows, x: float, y: float, wide: float, tall: float) -> list[Html]:
    """Fates side by side; a fate that occurred is never too thin to see."""
    counts = [(name, getattr(rows, name)) for name, _ in FATES]
    whole = sum(count for _, count in counts)
    if not whole:
        return [tag("rect", x=x, y=y, width=wide, height=tall, class_="none")]
    widths = {name: max(wide * count / whole, 2.0) for name, count in counts if count}
    scale = wide / sum(widths.values())
    made = []
    for name, width in widths.items():
        made.append(
            tag("rect", x=f"{x:.1f}", y=y, width=f"{width * scale:.1f}", height=tall, class_=name)
        )
        x += width * scale
    return made


def strip(slices: Sequence[Slice]) -> Html:
    """A bar for each window, as tall as its rows; what was kept back stands on top."""
    shown = slices[-SHOWN:]
    most = max((_size(one.rows) for one in shown), default=0) or 1
    wide = max(len(shown) * (BAR + SPACE), 10)
    bars = [_bar(one, place * (BAR + SPACE), most) for place, one in enumerate(shown)]
    return tag(
        "svg",
        *bars,
        viewBox=f"0 0 {wide} {TALL + 8}",
        width=wide,
        height=TALL + 8,
        class_="strip",
        role="img",
        aria_label=f"{len(shown)} windows",
    )


def _size(rows: Rows) -> int:
    return sum(getattr(rows, name) for name, _ in FATES)


def _bar(one: Slice, x: int, most: int) -> Html:
    parts: list[Html] = [tag("title", slice_told(one))]
    if one.last.status == "failed":
        parts.append(tag("rect", x=x, y=TALL - 6, width=BAR, height=6, class_="failed"))
    y = float(TALL)
    for name, _ in FATES:
        count = getattr(one.rows, name)
        if count:
            tall = max(TALL * count / most, 1.5)
            y = max(y - tall, 0)
            parts.append(
                tag("rect", x=x, y=f"{y:.1f}", width=BAR, height=f"{tall:.1f}", class_=name)
            )
    if one.last.status in ("blocked", "failed"):
        parts.append(tag("rect", x=x, y=TALL + 3, width=BAR, height=4, class_="failed"))
    elif one.troubled:
        parts.append(tag("circle", cx=x + BAR / 2, cy=TALL + 5, r=2, class_="mended"))
    return tag("g", *parts)


def slice_told(one: Slice) -> str:
    """One window in words."""
    said = f"{one.window} {one.last.status}: {fates_told(one.rows, one.regroups)}"
    if one.tries > 1:
        said += f"; run {one.tries} times" + (", kept back before" if one.troubled else "")
    if one.last.status in ("blocked", "failed"):
        said += "; readers see " + ("what was there before" if one.visible else "nothing of it")
    return said


def fates_told(rows: Rows, regroups: bool) -> str:
    """What became of rows, in words.

    >>> fates_told(Rows(read=5, written=3, filtered=2), regroups=False)
    '5 read, 3 let through, 2 filtered'
    >>> fates_told(Rows(read=5, written=3), regroups=True)
    '5 rows in, 3 out'
    """
    if regroups:
        return f"{rows.read:,} rows in, {rows.written:,} out"
    parts = [f"{rows.read:,} read"]
    parts += [f"{getattr(rows, name):,} {told}" for name, told in FATES if getattr(rows, name)]
    return ", ".join(parts)
