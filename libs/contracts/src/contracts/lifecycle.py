"""The life of a work order: statuses, acts, where an act leads and who may do it.

This table is the specification. Everything that is not in `STEPS` is refused.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from contracts.refusals import Conflict


class Service(StrEnum):
    INTAKE = "intake"
    DISPATCH = "dispatch"
    FIELDWORK = "fieldwork"
    QA = "qa"
    REPORTING = "reporting"


class Status(StrEnum):
    CREATED = "created"
    DISPATCHED = "dispatched"
    PROCESSING = "processing"
    REJECTED = "rejected"
    REDISPATCHING = "redispatching"
    COMPLETED = "completed"
    AUDITING = "auditing"
    ARCHIVED = "archived"
    CANCELLED = "cancelled"


class Act(StrEnum):
    DISPATCH = "dispatch"
    START = "start"
    REJECT = "reject"
    SEND_TO_REDISPATCH = "send_to_redispatch"
    COMPLETE = "complete"
    SUBMIT_FOR_AUDIT = "submit_for_audit"
    PASS_AUDIT = "pass_audit"
    FAIL_AUDIT = "fail_audit"
    REDISPATCH = "redispatch"
    ARCHIVE = "archive"
    CANCEL = "cancel"
    SUSPEND = "suspend"
    RESUME = "resume"
    URGE = "urge"
    NOTE = "note"
    ARRIVE = "arrive"
    EXTEND = "extend"
    REASSIGN = "reassign"
    RECALL = "recall"
    SUPERVISE = "supervise"
    ANSWER_SUPERVISION = "answer_supervision"
    AMEND = "amend"
    ACCEPT = "accept"
    CONTACT = "contact"


CUSTODIANS: Mapping[Status, Service | None] = {
    Status.CREATED: Service.DISPATCH,
    Status.REJECTED: Service.DISPATCH,
    Status.REDISPATCHING: Service.DISPATCH,
    Status.DISPATCHED: Service.FIELDWORK,
    Status.PROCESSING: Service.FIELDWORK,
    Status.COMPLETED: Service.QA,
    Status.AUDITING: Service.QA,
    Status.ARCHIVED: None,
    Status.CANCELLED: None,
}
"""Who holds an order, and so who alone may change it."""

_RUNNING = (Status.CREATED, Status.DISPATCHED, Status.PROCESSING, Status.REJECTED, Status.REDISPATCHING)
_OPEN = (*_RUNNING, Status.COMPLETED, Status.AUDITING)
_IN_THE_FIELD = (Status.DISPATCHED, Status.PROCESSING)

STEPS: Mapping[tuple[Status, Act], Status] = {
    (Status.CREATED, Act.DISPATCH): Status.DISPATCHED,
    (Status.REDISPATCHING, Act.DISPATCH): Status.DISPATCHED,
    (Status.DISPATCHED, Act.START): Status.PROCESSING,
    (Status.DISPATCHED, Act.REJECT): Status.REJECTED,
    (Status.PROCESSING, Act.REJECT): Status.REJECTED,
    (Status.REJECTED, Act.SEND_TO_REDISPATCH): Status.REDISPATCHING,
    (Status.PROCESSING, Act.COMPLETE): Status.COMPLETED,
    (Status.COMPLETED, Act.SUBMIT_FOR_AUDIT): Status.AUDITING,
    (Status.AUDITING, Act.PASS_AUDIT): Status.COMPLETED,
    (Status.AUDITING, Act.FAIL_AUDIT): Status.REDISPATCHING,
    (Status.COMPLETED, Act.REDISPATCH): Status.REDISPATCHING,
    (Status.COMPLETED, Act.ARCHIVE): Status.ARCHIVED,
    **{(status, Act.CANCEL): Status.CANCELLED for status in _RUNNING},
    **{(status, Act.URGE): status for status in _RUNNING},
    **{(status, Act.SUSPEND): status for status in _IN_THE_FIELD},
    **{(status, Act.RESUME): status for status in _IN_THE_FIELD},
    **{(status, Act.NOTE): status for status in _IN_THE_FIELD},
    **{(status, Act.ARRIVE): status for status in _IN_THE_FIELD},
    **{(status, Act.EXTEND): status for status in _RUNNING},
    **{(status, Act.REASSIGN): status for status in _IN_THE_FIELD},
    **{(status, Act.RECALL): Status.REDISPATCHING for status in _IN_THE_FIELD},
    **{(status, Act.SUPERVISE): status for status in _OPEN},
    **{(status, Act.ANSWER_SUPERVISION): status for status in _OPEN},
    **{(status, Act.AMEND): status for status in _OPEN},
    (Status.DISPATCHED, Act.ACCEPT): Status.DISPATCHED,
    **{(status, Act.CONTACT): status for status in _IN_THE_FIELD},
}

WITHOUT_DECISION = frozenset(
    {Act.ACCEPT, Act.CONTACT, Act.ARRIVE, Act.NOTE, Act.URGE, Act.EXTEND, Act.SUPERVISE, Act.ANSWER_SUPERVISION}
)
"""Acts that leave what others decide as it is: who decided on the version before them need not decide again."""

_WHILE_SUSPENDED = frozenset(
    {Act.RESUME, Act.CANCEL, Act.URGE, Act.NOTE, Act.EXTEND, Act.AMEND, Act.REASSIGN, Act.RECALL, Act.SUPERVISE}
    | {Act.ANSWER_SUPERVISION}
)


class ActNotAllowed(Conflict):
    """The order is {order_status:status} (custodian: {custodian:service}).
    Not allowed: {act:act}; allowed: {allowed_acts:act}."""

    zh = (
        "工单状态为“{order_status:status}”（保管方：{custodian:service}），不能执行“{act:act}”；"
        "可执行：{allowed_acts:act}。"
    )


@cache
def allowed_acts(status: Status, *, is_suspended: bool = False) -> tuple[Act, ...]:
    """What can be done with an order in this state, in the order of the table."""
    acts = [act for act in Act if (status, act) in STEPS]
    if is_suspended:
        return tuple(act for act in acts if act in _WHILE_SUSPENDED)
    return tuple(act for act in acts if act is not Act.RESUME)


def step(status: Status, act: Act, *, is_suspended: bool = False) -> Status:
    """Where the act leads; raises `ActNotAllowed` with the status, the custodian and what is allowed."""
    allowed = allowed_acts(status, is_suspended=is_suspended)
    if act not in allowed:
        raise ActNotAllowed(
            act=act.value,
            order_status="suspended" if is_suspended else status.value,
            custodian=CUSTODIANS[status],
            allowed_acts=[item.value for item in allowed],
        )
    return STEPS[status, act]
