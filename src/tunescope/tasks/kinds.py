"""What a head may predict, and by what it can be scored. Nothing heavy is imported here."""

from __future__ import annotations

from typing import Literal

Kind = Literal["classification", "regression"]
MetricName = Literal["accuracy", "f1", "matthews", "pearson", "spearman"]

METRICS_OF: dict[str, tuple[MetricName, ...]] = {
    "classification": ("accuracy", "f1", "matthews"),
    "regression": ("pearson", "spearman"),
}
"""Metrics of each kind of task; the first is the one it is scored by unless another is named."""
