"""The registry of metrics: what can be asked, from what it is counted, and in which version.

A metric is data. `figures` turns it into SQL over the projections; the recount of `linework verify` counts
the same again from the raw events. A change of a formula is a new version; one that is published never
changes its meaning.
"""

from collections.abc import Mapping

from reporting.metrics import agents, calls, durations, follow_ups, handled, holders, orders, promises, sla_clocks
from reporting.metrics.metric import Dimension, Grain, Metric, MetricKind, Source

METRICS = (
    *orders.METRICS,
    *durations.METRICS,
    *holders.METRICS,
    *sla_clocks.METRICS,
    *calls.METRICS,
    *handled.METRICS,
    *promises.METRICS,
    *agents.METRICS,
    *follow_ups.METRICS,
)


def _by_id(metrics: tuple[Metric, ...]) -> Mapping[str, tuple[Metric, ...]]:
    found: dict[str, list[Metric]] = {}
    for metric in metrics:
        found.setdefault(metric.id, []).append(metric)
    return {metric_id: tuple(sorted(versions, key=lambda one: one.version)) for metric_id, versions in found.items()}


REGISTRY: Mapping[str, tuple[Metric, ...]] = _by_id(METRICS)
"""By id, the versions of a metric, the newest last."""

__all__ = ["METRICS", "REGISTRY", "Dimension", "Grain", "Metric", "MetricKind", "Source"]
