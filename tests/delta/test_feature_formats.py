"""The formats of feature tables: what each holds, that it stays what it is, and what it trains."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from builders import Lab, entry, fine
from headgate.core.errors import InputMissing
from headgate.core.formats import Split
from headgate.core.spec import Features
from headgate.doors.notebook import OpenSuite
from headgate.stages.formats import Names
from headgate.transforms.formats import part_of

COLUMNS = ("id", "who", "what", "to_whom", "country", "amount", "at")
READS = {"reads": {"sales": "clean.sales"}, "time": "at"}


def _features(key: list[str] | str, features: dict[str, str], **keys: Any) -> dict[str, Any]:
    made = {name: {"measure": measure} for name, measure in features.items()}
    return {**READS, "entity": {"key": key}, "features": made, **keys}


TABLES: dict[str, dict[str, Any]] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}/*.csv"},
        "columns": {
            "id": "bigint", "who": "string", "what": "bigint", "to_whom": "string",
            "country": "string", "amount": "double", "at": "timestamp",
        },
    },
    "clean.sales": {"reads": "ingested.sales"},
    "features.bought": _features(
        ["who", "what"], {"amount": "sum(amount)"},
        format={"kind": "ratings", "user": "who", "item": "what", "rating": "amount"},
    ),
    "features.paid": _features(
        ["who", "to_whom"], {"amount": "sum(amount)"},
        format={"kind": "graph", "src": "who", "dst": "to_whom", "weight": "amount"},
    ),
    "features.basket": _features(
        "who", {"things": "collect_set(what)"}, format={"kind": "baskets", "items": "things"}
    ),
    "features.vector": _features(
        "who",
        {"large": "max(if(amount > 5, amount, null))", "land": "max(country)"},
        format={"kind": "vector", "encode": {"land": "index"}},
    ),
    "features.labelled": _features(
        "who", {"sales": "count(*)", "spent": "sum(amount)", "land": "max(country)"},
        label={"gone": {"measure": "count(*) = 0", "next": "1 day"}},
        format={
            "kind": "labelled", "columns": ["spent", "sales", "land"], "weights": "balanced",
            "encode": {"land": {"as": "onehot", "most": 2}},
            "split": {"by": "entity", "validation": "30%", "test": "30%"},
        },
    ),
}  # fmt: skip
FORMATS = tuple(name for name in TABLES if name.startswith("features."))
LANDS = {"Zoe": "NO", "Ada": "NO", "Bea": "DE", "Cy": "FR", "Dan": None, "Abe": "IT"}
PEOPLE = tuple(LANDS)


def _day(lab: Lab, day: int, rows: list[tuple[Any, ...]]) -> None:
    lab.file(f"sales/2026-03-{day:02d}/a.csv", COLUMNS, rows)


def _row(n: int, day: int, who: str, what: int = 1, amount: float = 1.0) -> tuple[Any, ...]:
    to = PEOPLE[(PEOPLE.index(who) + what) % len(PEOPLE)]
    return n, who, what, to, LANDS[who], amount, f"2026-03-{day:02d} 08:00:00"


def _rows(day: int) -> list[tuple[Any, ...]]:
    """On each day one person more; of the others every third stays away."""
    return [
        _row(100 * day + 10 * n + what, day, who, what, float(n + what))
        for n, who in enumerate(PEOPLE[: day + 2])
        for what in range(1, 4)
        if (n + day) % 3 != 0 or (n == day + 1 and what == 1)
    ]


@pytest.fixture(scope="module")
def lab(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Two days, then a third with a correction of the first."""
    lab = Lab(spark, tmp_path_factory.mktemp("formats"), TABLES)
    _day(lab, 1, _rows(1))
    _day(lab, 2, _rows(2))
    fine(lab.run())
    _day(lab, 3, _rows(3))
    _day(lab, 1, [*_rows(1), _row(199, 1, "Cy", 1, 2.0)])
    fine(lab.run())
    return lab


@pytest.mark.parametrize("name", FORMATS)
def test_each_equals_itself_made_anew(lab: Lab, name: str) -> None:
    found = lab.app().verify(name)
    assert not found.different, (found.surplus, found.lacking)
    assert found.rows == lab.read(name).count() > 0


def test_ids_are_given_once(lab: Lab) -> None:
    """First come, first served; those of one day by how often they come, then by value."""
    kinds = dict(lab.read("features.bought").dtypes)
    assert kinds["user"] == kinds["item"] == "int"
    assert kinds["rating"] == "float"
    users = dict(lab.rows("features.bought", "who", "user"))
    assert users == {"Ada": 1, "Zoe": 2, "Bea": 3, "Cy": 4, "Dan": 5}
    assert users == dict(lab.ops("ids/features.bought/who", "who", "_id"))
    again = lab.on("again")  # three days in one pass give what two runs gave
    fine(again.run("+features.bought"))
    assert again.contents()["features.bought"] == lab.contents()["features.bought"]


def test_a_crash_between_ids_and_table_neither_loses_nor_doubles_one(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = Lab(spark, tmp_path, TABLES)
    _day(lab, 1, _rows(1))
    fine(lab.run("+clean.sales"))
    with monkeypatch.context() as patch:
        patch.setattr("headgate.stages.flow.published", _dies)
        assert lab.run("features.bought").exit_code != 0
    kept = dict(lab.ops("ids/features.bought/who", "who", "_id"))
    assert kept == {"Ada": 1, "Zoe": 2, "Bea": 3}
    # Who comes before the next try comes after those that have an id.
    _day(lab, 1, [*_rows(1), *(_row(7 + what, 1, "Abe", what) for what in range(9))])
    fine(lab.run("+features.bought"))
    users = dict(lab.rows("features.bought", "who", "user"))
    assert users == dict(lab.ops("ids/features.bought/who", "who", "_id")) == kept | {"Abe": 4}

    shutil.rmtree(lab.lake / "ops/ids/features.bought/who")
    _day(lab, 2, _rows(2))
    result = lab.run("+features.bought")
    assert result.exit_code == 12
    said = str(entry(result, "features.bought", "2026-03-02").message)
    assert "the ids of 'who' are gone" in said
    assert "headgate run features.bought --force" in said
    fine(lab.run("features.bought", force=True))
    assert sorted(dict(lab.rows("features.bought", "who", "user")).values()) == [1, 2, 3, 4, 5]


def _dies(*_: Any) -> None:
    raise MemoryError


def test_a_basket_is_in_order_and_holds_a_thing_once(lab: Lab) -> None:
    rows = {row["who"]: row["items"] for row in _newest(lab, "features.basket").collect()}
    assert rows["Zoe"] == rows["Ada"] == [1, 2, 3]
    assert rows["Dan"] == [1, 2, 3]


def test_what_a_vector_does_not_know_is_no_number(lab: Lab) -> None:
    rows = {row["who"]: row["features"] for row in _newest(lab, "features.vector").collect()}
    assert str(rows["Zoe"][0]) == "nan"
    assert rows["Dan"][0] == 7.0


def test_categories_have_places_in_the_order_of_their_time(lab: Lab) -> None:
    """0 is for what has no place of its own, 1 for null."""
    rows = {row["who"]: row["features"][1] for row in _newest(lab, "features.vector").collect()}
    assert rows == {"Zoe": 2, "Ada": 2, "Bea": 3, "Cy": 4, "Dan": 1}
    rows = {row["who"]: row["features"] for row in _newest(lab, "features.labelled").collect()}
    hot = {who: list(values)[2:] for who, values in rows.items()}
    assert hot["Zoe"] == hot["Ada"] == [0, 0, 1, 0]
    assert (hot["Bea"], hot["Cy"], hot["Dan"]) == ([0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0])
    kept = lab.ops("ids/features.vector/land", "land", "_id", "_since")
    assert [(land, at, str(since)[:10]) for land, at, since in kept] == [
        ("DE", 2, "2026-03-02"), ("FR", 3, "2026-03-03"), ("NO", 1, "2026-03-02"),
    ]  # fmt: skip


def test_an_encoding_that_is_gone_is_missed(lab: Lab) -> None:
    lake = lab.app().lake
    table = lake.suite.tables["features.vector"].model_copy(update={"name": "features.moved"})
    assert isinstance(table, Features)
    with pytest.raises(InputMissing, match="the encoding of 'land' is gone") as caught:
        Names(lake, table, ["2026-03-01"]).known("land")
    assert "headgate run features.moved --force" in caught.value.next


def test_labels_weigh_the_same_and_people_stay_in_their_part(lab: Lab) -> None:
    rows = lab.read("features.labelled")
    sums = rows.where("label IS NOT NULL").groupBy("as_of", "label").agg(F.sum("weight").alias("w"))
    found: dict[Any, list[float]] = {}
    for row in sums.collect():
        found.setdefault(row["as_of"], []).append(row["w"])
    assert any(len(each) == 2 for each in found.values())
    assert all(len({round(one, 9) for one in each}) == 1 for each in found.values())
    assert rows.where("label IS NULL AND weight IS NOT NULL").count() == 0
    parts = rows.groupBy("who").agg(F.collect_set("split").alias("parts")).collect()
    assert all(len(row["parts"]) == 1 for row in parts)
    assert {row["parts"][0] for row in parts} <= {"train", "validation", "test"}


def test_parts_by_time_leave_out_labels_that_look_into_the_next(spark: SparkSession) -> None:
    split = Split(by="time", validation=date(2026, 3, 11), test=date(2026, 3, 21))
    rows = spark.range(1, 32).select(F.expr("timestamp'2026-03-01' + id * INTERVAL 1 DAY AS as_of"))
    shown = rows.select(F.date_format(F.col("as_of"), "d"), part_of(split, ["who"], 2)).collect()
    found = {int(day): part for day, part in shown}
    assert [day for day in range(2, 12) if found[day] == "train"] == [*range(2, 10)]
    assert [day for day, part in found.items() if part == "validation"] == [*range(12, 20)]
    assert {found[day] for day in (10, 11, 20, 21)} == {None}
    assert found[22] == found[31] == "test"


def _newest(lab: Lab, name: str) -> DataFrame:
    rows = lab.read(name)
    return rows.where(F.col("as_of") == rows.agg(F.max("as_of")).collect()[0][0])


@pytest.mark.filterwarnings("ignore")
def test_each_trains_the_learner_of_its_kind(lab: Lab) -> None:
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.clustering import KMeans
    from pyspark.ml.fpm import FPGrowth
    from pyspark.ml.recommendation import ALS

    known = lab.read("features.labelled").where("label IS NOT NULL")
    model = LogisticRegression(maxIter=3, weightCol="weight").fit(known)
    assert model.numFeatures == 6
    assert {row[0] for row in known.select("label").collect()} == {0.0, 1.0}

    ratings = _newest(lab, "features.bought")
    als = ALS(userCol="user", itemCol="item", ratingCol="rating", rank=2, maxIter=2, seed=1)
    fitted = als.fit(ratings)
    assert fitted.transform(ratings).where("prediction IS NULL OR isnan(prediction)").count() == 0

    baskets = _newest(lab, "features.basket")
    often = FPGrowth(itemsCol="items", minSupport=0.5).fit(baskets).freqItemsets.collect()
    assert {tuple(sorted(row["items"])) for row in often} >= {(1,), (1, 2, 3)}

    plain = _newest(lab, "features.labelled")
    clusters = KMeans(k=2, seed=1, maxIter=5).fit(plain)
    centers = [center.tolist() for center in clusters.clusterCenters()]
    far = {
        row["who"]: min(row["features"].squared_distance(center) for center in centers)
        for row in clusters.transform(plain).collect()
    }
    assert max(far.values()) > 0


def test_a_graph_is_walked(lab: Lab) -> None:
    """Two steps of PageRank: what flows out of a vertex flows into others."""
    suite = OpenSuite(lab.app())
    vertices, edges = suite.graph("features.paid")
    assert vertices.columns == ["id"]
    assert edges.columns == ["src", "dst", "weight"]
    assert {row["id"] for row in vertices.collect()} == set(PEOPLE)
    out = edges.groupBy("src").agg(F.sum("weight").alias("out"))
    shares = edges.join(out, "src").select(
        "src", "dst", (F.col("weight") / F.col("out")).alias("s")
    )
    ranks = vertices.withColumn("rank", F.lit(1.0))
    for _ in range(2):
        flow = shares.join(ranks, F.col("src") == F.col("id"))
        into = flow.groupBy(F.col("dst").alias("id")).agg(
            F.sum(F.col("s") * F.col("rank")).alias("r")
        )
        ranks = vertices.join(into, "id", "left").select(
            "id", (F.lit(0.15) + F.lit(0.85) * F.coalesce("r", F.lit(0.0))).alias("rank")
        )
    found = {row["id"]: row["rank"] for row in ranks.collect()}
    assert max(found, key=lambda name: found[name]) != min(found, key=lambda name: found[name])
    first, _ = suite.graph("features.paid", as_of="2026-03-01")
    assert {row["id"] for row in first.collect()} < {*PEOPLE}
