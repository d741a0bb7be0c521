"""Metrics of difficult cases: how many replies were promised, and how many were there by then."""

from functools import partial

from reporting.metrics.calls import ROLES
from reporting.metrics.metric import Dimension, Metric, MetricKind, Source

DOMAIN = "the domain's section 4: the promised reply time of a difficult case is watched"
SOURCE = Source(
    name="promised replies",
    table="promises",
    subject="call_id",
    moment="reply_by",
    known="promised_known_at <= {upto}",
    known_at="promised_known_at",
    late="false",
    versions=("promised_version", "ended_version"),
    key=("call_id", "promised_version"),
    inputs=("linework.call.reply_promised.v1", "linework.call.reply_given.v1"),
)
DIMENSIONS = (Dimension.QUEUE, Dimension.AGENT, Dimension.TEAM, Dimension.CHANNEL, Dimension.DEMAND_TYPE)
_BY = "in the period in which the promised time lies; agent_id and team are theirs who gave the promise"
_IN_TIME = "ended_at <= reply_by and ended_known_at <= {upto}"
_STANDS = f"not coalesce(not is_replied and {_IN_TIME}, false)"

_of_promises = partial(Metric, formula_source=DOMAIN, source=SOURCE, dimensions=DIMENSIONS, roles=ROLES)

METRICS = (
    _of_promises(
        id="replies_promised",
        kind=MetricKind.COUNT,
        unit="promises",
        name_en="Promised replies",
        name_zh="承诺答复数",
        formula=f"count of promises, those left out in whose place another time was agreed before it was over, {_BY}",
        where=_STANDS,
    ),
    _of_promises(
        id="replies_in_time",
        kind=MetricKind.RATIO,
        unit="share",
        name_en="Promised replies in time",
        name_zh="承诺答复按时率",
        formula=(
            "replies given by the promised time / promises that were replied to or whose time is over, those left out "
            f"in whose place another time was agreed before it was over, {_BY}"
        ),
        where=f"{_STANDS} and (reply_by <= {{at}} or (is_replied and ended_known_at <= {{upto}}))",
        numerator=f"coalesce(is_replied and {_IN_TIME}, false)::int",
        denominator="1",
    ),
)
