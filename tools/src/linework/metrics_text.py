"""Reads the metrics of a process, which Prometheus scrapes at `/metrics`."""

from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


def read_samples(text: str) -> list[Sample]:
    """Empty if the text is not in Prometheus' format, such as the error page of a gateway."""
    try:
        return [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except ValueError:
        return []


def totals(samples: Iterable[Sample]) -> dict[str, float]:
    """By name; a metric with labels is the sum over them."""
    found: dict[str, float] = {}
    for sample in samples:
        found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found
