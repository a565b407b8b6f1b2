# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Explore a suite
#
# A suite is one `conf/` folder: all tables of a project, layer by layer. Here it is the retail
# suite, on the lake that `make demo` fills. Where there is no such lake yet, the next cell makes a
# small one in a temporary folder, which takes a minute.

# %%
import tempfile
from pathlib import Path

import headgate

here = Path.cwd()
root = next(up for up in (here, *here.parents) if (up / "conf" / "suite.yaml").exists())
lake = root / "data" / "lake"
if lake.exists():
    suite = headgate.open(str(root / "conf"))
else:
    from shop.generate import generate

    print("no lake yet (`make demo` makes one): here is a small one of three days")
    folder = Path(tempfile.mkdtemp(prefix="headgate-"))
    generate(folder / "raw", rows=600, days=3, seed=7)
    suite = headgate.open(str(root / "conf"), raw=folder / "raw", lake=folder / "lake")
    suite.run("+marts.sales_by_country")
suite

# %% [markdown]
# ## Where every table stands
#
# A line a table: the last window that readers see, how it is, how many rejected rows wait for
# somebody, and the command to type next. Most of it is what the demo planted.

# %%
suite.status()

# %% [markdown]
# `plan` says what a run would do now, and why. After the demo nothing is due; put a file into the
# raw zone, or change a rule, and it says which windows that concerns.

# %%
suite.plan()

# %% [markdown]
# ## A table
#
# Every table is a plain Delta table, and `table` gives it as a Spark DataFrame. Columns that begin
# with `_` are Headgate's own: the file a row came from, its record's number there, its window.

# %%
lines = suite.table("clean.order_lines")
lines.limit(5).toPandas()

# %% [markdown]
# The table is what readers see. How did each of its windows come to be? One row a run: what went
# in, what was let through, what was kept back.

# %%
suite.runs("clean.order_lines", rows=8)

# %% [markdown]
# ## Rows that were kept back
#
# Rejected rows are in quarantine, whole, with every rule they broke, as written in the table's
# file. `quarantine` gives them with typed columns, as they entered the table.

# %%
from pyspark.sql import functions as F

rejected = suite.quarantine("clean.order_lines")
(
    rejected.select(F.explode("_reasons").alias("rule"), "_state")
    .groupBy("rule", "_state")
    .count()
    .orderBy("rule", "_state")
    .toPandas()
)

# %% [markdown]
# `superseded` rows belong to a run whose window was run again since: they are history. `open` ones
# are still kept back.
#
# ## Try a rule before it goes live
#
# `preview` runs a window up to the gate and writes nothing. With `quality` it judges by other rules
# than the table's own, written as in its file.

# %%
window = lines.agg(F.max("_window")).first()[0]
tried = suite.preview(
    "clean.order_lines",
    window=window,
    quality=[
        {"expect_column_values_to_be_between": {"column": "quantity", "min_value": 1}},
        {"row": {"costs less than 5": "unit_price < 5"}},
    ],
)
tried

# %% [markdown]
# The frames behind it are there too: what would be written, and what would be rejected, with the
# reasons.

# %%
tried.rejected.select("order_id", "line", "quantity", "unit_price", "_reasons").limit(8).toPandas()

# %% [markdown]
# Next: [why is a row missing](why_is_a_row_missing.py), and
# [sales by country](sales_by_country.py) with a chart.
