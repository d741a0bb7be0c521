"""Which figures `verify` holds against the recount: every metric of the registry, in every version."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from linework.recount import Asked


def questions(metrics: Iterable[Mapping[str, Any]]) -> Iterator[Asked]:
    """Of each metric of reporting's `/v1/metrics`: hour by hour, day by day for a pair of groups, and by each group."""
    for declared in metrics:
        metric, version, dimensions = declared["id"], declared["version"], declared["dimensions"]
        if declared["has_periods"]:
            yield Asked(metric=metric, version=version, grain="hour")
            yield Asked(metric=metric, version=version, grain="day", group_by=tuple(dimensions[:2]))
        else:
            yield Asked(metric=metric, version=version, group_by=tuple(dimensions[:2]))
        for dimension in dimensions:
            yield Asked(metric=metric, version=version, group_by=(dimension,))
