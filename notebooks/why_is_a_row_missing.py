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
# # Why is a row missing?
#
# A row that came in and is not in a clean table left by one of four doors: a rule rejected it, a
# step left it out, it was a duplicate, or the gate closed on its whole window. Here is how to tell
# which, for every missing row of one day at once.
#
# It works on the lake that `make demo` fills. Where there is none, the next cell makes a small one
# in a temporary folder, which takes a minute.

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
    suite.run("+clean.order_lines")
suite

# %% [markdown]
# ## Did its window get through at all?
#
# If the gate closed, no row of the window is there, and the message says why. A run that is
# `blocked` keeps nothing for good: the window is run again when its input or its rules change.

# %%
suite.runs("clean.order_lines", rows=6)

# %% [markdown]
# ## What did not arrive
#
# Every ingested row knows its file and its record's number, and takes both along. So the rows of a
# day that are not in the clean table are one anti-join away.

# %%
from pyspark.sql import functions as F

clean = suite.table("clean.order_lines")
window = clean.agg(F.max("_window")).first()[0]
came_in = suite.table("ingested.order_lines").where(F.col("_window") == window)
origin = ["_file", "_row"]
missing = came_in.join(clean.select(*origin), origin, "left_anti")
print(f"{window}: {came_in.count()} rows came in, {missing.count()} are missing")

# %% [markdown]
# The run's own count says the same. It was taken while the rows flowed, and it has to add up:
# `read + added = written + quarantined + deduplicated + filtered`.

# %%
seen = suite.preview("clean.order_lines", window=window)
seen.rows

# %% [markdown]
# ## The first door: a rule
#
# Rejected rows are in quarantine, with every rule they broke.

# %%
rejected = suite.quarantine("clean.order_lines").where(F.col("_window") == window)
rejected = rejected.where("_state = 'open'")
rejected.select("order_id", "line", "quantity", "unit_price", "_reasons").toPandas()

# %% [markdown]
# ## The second door: a step
#
# A step that leaves rows out says why, and the run counts them under that reason.

# %%
seen.slices[0].reasons

# %% [markdown]
# `upto` stops the preview after a step, with no rule and no key applied. The rows that are there
# after `map` and no more after the last `where` are those that the filters took.

# %%
before = suite.preview("clean.order_lines", window=window, upto="map").accepted
after = suite.preview("clean.order_lines", window=window, upto="where").accepted
left_out = before.join(after.select(*origin), origin, "left_anti")
left_out.select("order_id", "line", "quantity", "status", *origin).limit(6).toPandas()

# %% [markdown]
# ## The third door: a duplicate
#
# What is missing and was neither rejected nor left out has a twin that was published: equal in all
# columns, or newer by `latest_by`.
#
# ## All missing rows, each with its door

# %%
reason = F.array_join("_reasons", "; ")
by_rule = rejected.select(*origin, F.concat(F.lit("rejected: "), reason).alias("rule"))
by_step = left_out.select(*origin, F.lit("left out by a step").alias("step"))
fates = missing.join(by_rule, origin, "left").join(by_step, origin, "left")
fates = fates.select(
    "order_id",
    "line",
    "quantity",
    "unit_price",
    "status",
    *origin,
    F.coalesce("rule", "step", F.lit("a duplicate of a published row")).alias("why"),
)
told = fates.orderBy(*origin).toPandas()
told

# %%
told.groupby("why").size()

# %% [markdown]
# ## A door before these
#
# A record that never became a row (it could not be read, or a value did not fit its type) waits in
# the quarantine of the *ingested* table, with its text as it came.

# %%
unread = suite.quarantine("ingested.order_lines")
unread.select("_window", "_file", "_row", "_reasons", "_record").limit(5).toPandas()
