"""The registry of metrics: what can be asked, from what it is counted, and in which version.

A metric is data. `figures` turns it into SQL over the projections; `recount` counts the same again from
the raw events. A change of a formula is a new version; one that is published never changes its meaning.
"""

from collections.abc import Mapping

from reporting.metrics import durations, orders
from reporting.metrics.metric import Dimension, Grain, Metric, Quotient, Source

REGISTRY: Mapping[str, Metric] = {metric.id: metric for metric in (*orders.METRICS, *durations.METRICS)}

__all__ = ["REGISTRY", "Dimension", "Grain", "Metric", "Quotient", "Source"]
