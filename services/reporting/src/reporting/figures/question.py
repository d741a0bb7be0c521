"""What is asked: one metric in one version, a window, a grouping, a grain, and as of which moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.refusals import Forbidden, Invalid, NotFound
from reporting.figures.periods import TimeZoneUnknown, check_time_zone
from reporting.figures.rules import FigureRules
from reporting.metrics import REGISTRY, Dimension, Grain, Metric


class MetricNotFound(NotFound):
    """There is no metric {metric}. Metrics: {known}."""

    zh = "没有指标 {metric}；现有：{known}。"


class MetricVersionNotFound(NotFound):
    """Metric {metric} has no version {version}. Versions: {versions}."""

    zh = "指标 {metric} 没有版本 {version}；现有版本：{versions}。"


class MetricNotForRole(Forbidden):
    """Metric {metric} requires one of the roles {needed:role}."""

    zh = "指标 {metric} 仅限角色{needed:role}。"


class MetricWithoutAreas(Forbidden):
    """Metric {metric} is not divided by work area, and you may see only {areas}."""

    zh = "指标 {metric} 不区分工区，而您只能查看工区 {areas}。"


class DimensionNotOfMetric(Invalid):
    """Metric {metric} cannot be grouped by {dimension}. Allowed: {dimensions}."""

    zh = "指标 {metric} 不能按 {dimension} 分组；可用：{dimensions}。"


class MetricWithoutTime(Invalid):
    """Metric {metric} shows the present state and takes no from, to or grain."""

    zh = "指标 {metric} 反映当前状况，不接受 from、to 或 grain。"


class ParameterNotOfMetric(Invalid):
    """Metric {metric} has no parameter {parameter}. Parameters: {parameters}."""

    zh = "指标 {metric} 不接受参数 {parameter}；可用：{parameters}。"


class WindowInverted(Invalid):
    """The window ends before it starts."""

    zh = "时间窗口的结束早于开始。"


QUESTION_REFUSALS = (
    MetricNotFound,
    MetricVersionNotFound,
    MetricNotForRole,
    MetricWithoutAreas,
    DimensionNotOfMetric,
    MetricWithoutTime,
    ParameterNotOfMetric,
    WindowInverted,
    TimeZoneUnknown,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One figure that is asked for. `areas` is the caller's scope, None for every work area."""

    metric: Metric
    at: datetime
    """The moment of the figure: of `as_of`, or when it was asked."""
    rules: FigureRules
    """Those that were in force when it was asked: they hold where nothing else was given."""
    time_zone: str
    group_by: tuple[Dimension, ...] = ()
    grain: Grain | None = None
    begin: datetime | None = None
    end: datetime | None = None
    areas: tuple[str, ...] | None = None
    as_of: datetime | None = None
    """Counts what was recorded by then; None: everything that was read."""
    parameters: Mapping[str, int] = field(default_factory=dict)
    """Thresholds that were given."""
    only: tuple[tuple[Dimension, str | None], ...] = ()
    """Counts rows with these values."""

    @property
    def keys(self) -> tuple[str, ...]:
        period = ("period",) if self.grain else ()
        return (*period, *(dimension.value for dimension in self.group_by))

    @property
    def thresholds(self) -> dict[str, int]:
        """Every threshold that the metric takes, as given or by the rules."""
        known = self.rules.thresholds | dict(self.parameters)
        return {name: known[name] for name in self.metric.parameters}


def metric_of(metric_id: str, version: int | None, *, roles: frozenset[str]) -> Metric:
    """The metric in a version, the newest unless one is named; raises `MetricNotFound` and the like."""
    versions = REGISTRY.get(metric_id)
    if versions is None:
        raise MetricNotFound(metric=metric_id, known=sorted(REGISTRY))
    metric = next((one for one in versions if one.version == version), None) if version else versions[-1]
    if metric is None:
        raise MetricVersionNotFound(metric=metric_id, version=version, versions=[one.version for one in versions])
    if roles.isdisjoint(metric.roles):
        raise MetricNotForRole(metric=metric_id, needed=list(metric.roles))
    return metric


def check(question: Question) -> None:
    """Raises what is wrong with a question."""
    metric = question.metric
    for dimension in (*question.group_by, *(dimension for dimension, _ in question.only)):
        if dimension not in metric.dimensions:
            allowed = [one.value for one in metric.dimensions]
            raise DimensionNotOfMetric(metric=metric.id, dimension=dimension.value, dimensions=allowed)
    for name in question.parameters:
        if name not in metric.parameters:
            raise ParameterNotOfMetric(metric=metric.id, parameter=name, parameters=list(metric.parameters))
    if not metric.has_periods and (question.grain or question.begin or question.end):
        raise MetricWithoutTime(metric=metric.id)
    if question.areas is not None and Dimension.WORK_AREA not in metric.dimensions:
        raise MetricWithoutAreas(metric=metric.id, areas=list(question.areas))
    if question.begin and question.end and question.end < question.begin:
        raise WindowInverted()
    check_time_zone(question.time_zone)
