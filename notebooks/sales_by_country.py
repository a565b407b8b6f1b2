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
# # Sales by country
#
# What was sold on each day, by the country it went to: the mart `marts.sales_by_country`, from its
# file to a chart.
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
    suite.run("+marts.sales_by_country")
suite

# %% [markdown]
# This is the whole mart, as its file says it. When lines of a day change, only that day is made
# again.

# %%
print((root / "conf" / "marts" / "sales_by_country.yaml").read_text())

# %% [markdown]
# ## The numbers
#
# The table is small by now, so it can come over as a pandas frame. Lines without a country are
# shown as such; they are sales too.

# %%
from pyspark.sql import functions as F

mart = suite.table("marts.sales_by_country").select(
    F.col("ordered_at").alias("day"),
    F.coalesce("country", F.lit("not known")).alias("country"),
    F.col("revenue").cast("double").alias("revenue"),
    "units",
    "orders",
)
sales = mart.toPandas()
totals = sales.groupby("country")[["revenue", "units", "orders"]].sum()
totals = totals.sort_values("revenue", ascending=False)
totals.round(2)

# %% [markdown]
# Do they agree with the lines they were made from? To the cent, wherever nothing is due.

# %%
cents = {
    name: suite.table(name).agg(F.sum("revenue")).first()[0]
    for name in ("marts.sales_by_country", "clean.order_lines")
}
cents

# %% [markdown]
# ## The chart
#
# Revenue by day for the five countries with the most, and all others together.

# %%
import matplotlib.pyplot as plt

top = list(totals.index[:5])
named = sales.assign(country=sales["country"].where(sales["country"].isin(top), "others"))
daily = named.pivot_table(index="day", columns="country", values="revenue", aggfunc="sum")
daily = daily.fillna(0.0)[[*top, *(["others"] if len(totals) > len(top) else [])]]

figure, axes = plt.subplots(figsize=(9, 4.5))
daily.plot.bar(stacked=True, ax=axes, width=0.8, colormap="viridis")
axes.set_title("Sales by country")
axes.set_xlabel("")
axes.set_ylabel("revenue")
axes.set_xticklabels([str(day) for day in daily.index], rotation=45, ha="right")
axes.legend(title="", frameon=False, bbox_to_anchor=(1, 1), loc="upper left")
axes.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
