"""What a table of measurements says."""

from __future__ import annotations

import io

import matplotlib
import pandas as pd

matplotlib.use("Agg")

from matplotlib import pyplot as plt


def read(text: str) -> pd.DataFrame:
    """A table from CSV text with the columns `name` and `value`."""
    table = pd.read_csv(io.StringIO(text))
    missing = {"name", "value"} - set(table.columns)
    if missing:
        raise ValueError(f"no column {', '.join(sorted(missing))}")
    return table


def summary(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Count, mean and standard deviation of each name."""
    grouped = table.groupby("name")["value"].agg(["count", "mean", "std"]).fillna(0.0)
    return {str(name): {key: float(row[key]) for key in grouped.columns} for name, row in grouped.iterrows()}


def picture(table: pd.DataFrame) -> bytes:
    """A box plot as PNG."""
    figure, axes = plt.subplots()
    table.boxplot(column="value", by="name", ax=axes)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    plt.close(figure)
    return out.getvalue()
