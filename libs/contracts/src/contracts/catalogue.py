"""Every message there is: its stable type name, its shape, its topic and the services that may write it.

The list is the catalogue. `docs/events.md`, the JSON Schemas and the AsyncAPI document are generated from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contracts import (
    calls,
    directory,
    escalation,
    events,
    facts,
    handling,
    limits,
    links,
    partners,
    quality,
    requests,
    sealing,
)
from contracts.lifecycle import Service
from contracts.topics import (
    CALLS,
    DEADLINES,
    DIRECTORY,
    PARTNER_IN,
    PARTNER_OUT,
    QUALITY,
    SEALING_KEYS,
    WORK_ORDERS,
    Topic,
)


class MessageKind(StrEnum):
    EVENT = "event"
    """Changes the order: has an order version and a place in the chain."""
    REQUEST = "request"
    ANSWER = "answer"
    ENTITY = "entity"
    FACT = "fact"
    """Has a version in its own stream, where a later revision of the fact may replace it."""
    NOTICE = "notice"
    """Accompanies an order without changing it; has no version."""
    PARTNER_EVENT = "partner_event"
    PARTNER_ANSWER = "partner_answer"


# Inside `Entry` the word `type` is the field.
Shape = type[Any]


@dataclass(frozen=True, slots=True)
class Entry:
    type: str
    body: Shape
    kind: MessageKind
    topic: Topic
    owners: tuple[Service, ...]
    description: str


_CUSTODIANS = (Service.DISPATCH, Service.FIELDWORK, Service.QA)
_EVERYBODY = (Service.INTAKE, *_CUSTODIANS)


def _event(name: str, body: Shape, owners: tuple[Service, ...], description: str) -> Entry:
    return Entry(f"linework.work_order.{name}.v1", body, MessageKind.EVENT, WORK_ORDERS, owners, description)


def _request(name: str, body: Shape, wish: str) -> Entry:
    return Entry(
        f"linework.work_order.{name}_requested.v1",
        body,
        MessageKind.REQUEST,
        WORK_ORDERS,
        (Service.INTAKE, *_CUSTODIANS),
        f"Intake asks the custodian {wish}; a custodian that handed over forwards it.",
    )


def _fact(name: str, body: Shape, description: str, owners: tuple[Service, ...] = (Service.FIELDWORK,)) -> Entry:
    return Entry(f"linework.work_order.{name}.v1", body, MessageKind.NOTICE, WORK_ORDERS, owners, description)


def _entity(name: str, body: Shape, owner: Service, description: str) -> Entry:
    return Entry(f"linework.directory.{name}.v1", body, MessageKind.ENTITY, DIRECTORY, (owner,), description)


def _call(name: str, body: Shape, description: str) -> Entry:
    return Entry(f"linework.call.{name}.v1", body, MessageKind.FACT, CALLS, (Service.INTAKE,), description)


def _quality(name: str, body: Shape, description: str) -> Entry:
    return Entry(f"linework.quality.{name}.v1", body, MessageKind.NOTICE, QUALITY, (Service.QA,), description)


def _alarm(name: str, body: Shape, description: str) -> Entry:
    return Entry(f"linework.deadlines.{name}.v1", body, MessageKind.NOTICE, DEADLINES, (Service.DISPATCH,), description)


def _of_partner(name: str, body: Shape, description: str) -> Entry:
    return Entry(f"linework.partner.{name}.v1", body, MessageKind.PARTNER_EVENT, PARTNER_IN, (), description)


def _to_partner(name: str, body: Shape, description: str) -> Entry:
    return Entry(
        f"linework.partner.{name}.v1", body, MessageKind.PARTNER_ANSWER, PARTNER_OUT, (Service.INTAKE,), description
    )


def _sealing_key(name: str, body: Shape, description: str) -> Entry:
    return Entry(
        f"linework.sealing_key.{name}.v1", body, MessageKind.ENTITY, SEALING_KEYS, (Service.INTAKE,), description
    )


CATALOGUE: tuple[Entry, ...] = (
    _event("created", events.WorkOrderCreated, (Service.INTAKE,), "An agent created the order 生成表单."),
    _event(
        "dispatched", events.WorkOrderDispatched, (Service.DISPATCH,), "It was given to a work area and staff 调度."
    ),
    _event("started", events.WorkOrderStarted, (Service.FIELDWORK,), "The work area works on it 处理."),
    _event("rejected", events.WorkOrderRejected, (Service.FIELDWORK,), "The work area sent it back 反单."),
    _event(
        "redispatch_requested",
        events.WorkOrderRedispatchRequested,
        (Service.DISPATCH, Service.QA),
        "It waits to be dispatched again 重复派单.",
    ),
    _event("completed", events.WorkOrderCompleted, (Service.FIELDWORK,), "The work is finished 完成."),
    _event("audit_requested", events.WorkOrderAuditRequested, (Service.QA,), "It was submitted for audit 审核."),
    _event("audited", events.WorkOrderAudited, (Service.QA,), "The audit has a verdict 审核完成."),
    _event("archived", events.WorkOrderArchived, (Service.QA,), "It is closed for good 归档."),
    _event(
        "cancelled",
        events.WorkOrderCancelled,
        (Service.DISPATCH, Service.FIELDWORK),
        "Its custodian granted a cancel request 作废.",
    ),
    _event("urged", events.WorkOrderUrged, (Service.DISPATCH, Service.FIELDWORK), "Its custodian noted an urge 催办."),
    _event("suspended", events.WorkOrderSuspended, (Service.FIELDWORK,), "Work on it rests until a time 挂起."),
    _event("resumed", events.WorkOrderResumed, (Service.FIELDWORK,), "Work on it goes on."),
    _event("note_added", events.WorkOrderNoteAdded, (Service.FIELDWORK,), "The work area noted something."),
    _event("arrived", events.WorkOrderArrived, (Service.FIELDWORK,), "Staff are on site 到达."),
    _event(
        "extended",
        events.WorkOrderExtended,
        (Service.DISPATCH, Service.FIELDWORK),
        "Its custodian granted an extension 延期.",
    ),
    _event("reassigned", events.WorkOrderReassigned, (Service.FIELDWORK,), "Other staff of the area have it 改派."),
    _event("recalled", events.WorkOrderRecalled, (Service.FIELDWORK,), "The work area gave it back 撤回."),
    _event("supervised", events.WorkOrderSupervised, _CUSTODIANS, "A supervisor wants an answer about it 督办."),
    _event(
        "supervision_answered",
        events.WorkOrderSupervisionAnswered,
        _CUSTODIANS,
        "The supervisor has the answer 答复督办.",
    ),
    _request("recall", requests.WorkOrderRecallRequested, "to give the order back 撤回"),
    _request("supervision", requests.WorkOrderSupervisionRequested, "for an answer by a moment 督办"),
    _request("reopen", requests.WorkOrderReopenRequested, "to reopen a completed order that is not solved"),
    _event("accepted", events.WorkOrderAccepted, (Service.FIELDWORK,), "The work area will see to it 接单."),
    _event("contacted", events.WorkOrderContacted, (Service.FIELDWORK,), "The subscriber was contacted 联系用户."),
    _fact("remarked", facts.WorkOrderRemarked, "Somebody who may see it added a remark 备注.", _EVERYBODY),
    _fact("departed", facts.WorkOrderDeparted, "Staff are on their way 出发."),
    _fact("eta_revised", facts.WorkOrderEtaRevised, "Staff expect to be on site at another time 预计到达."),
    _fact("note_recorded", facts.WorkOrderNoteRecorded, "A note of a work area that does not hold it at present."),
    _fact("reading_taken", facts.WorkOrderReadingTaken, "A reading was taken 读数."),
    _fact("part_used", facts.WorkOrderPartUsed, "A part was used 用料."),
    _fact("acceptance_recorded", facts.WorkOrderAcceptanceRecorded, "An acceptance that stops no clock."),
    _fact("contact_recorded", facts.WorkOrderContactRecorded, "A contact with the subscriber that stops no clock."),
    _fact("arrival_recorded", facts.WorkOrderArrivalRecorded, "An arrival that stops no clock."),
    _event("amended", events.WorkOrderAmended, _CUSTODIANS, "What was entered was corrected 变更 or moved 改约."),
    Entry(
        "linework.work_order.cancel_requested.v1",
        requests.WorkOrderCancelRequested,
        MessageKind.REQUEST,
        WORK_ORDERS,
        (Service.INTAKE, *_CUSTODIANS),
        "Intake asks the custodian to cancel; a custodian that handed over forwards it.",
    ),
    Entry(
        "linework.work_order.urge_requested.v1",
        requests.WorkOrderUrgeRequested,
        MessageKind.REQUEST,
        WORK_ORDERS,
        (Service.INTAKE, *_CUSTODIANS),
        "Intake asks the custodian to hurry; a custodian that handed over forwards it.",
    ),
    Entry(
        "linework.work_order.extension_requested.v1",
        requests.WorkOrderExtensionRequested,
        MessageKind.REQUEST,
        WORK_ORDERS,
        (Service.INTAKE, *_CUSTODIANS),
        "Intake asks the custodian for more time; a custodian that handed over forwards it.",
    ),
    Entry(
        "linework.work_order.amend_requested.v1",
        requests.WorkOrderAmendRequested,
        MessageKind.REQUEST,
        WORK_ORDERS,
        (Service.INTAKE, *_CUSTODIANS),
        "Another service asks the custodian to amend the order; a custodian that handed over forwards it.",
    ),
    Entry(
        "linework.work_order.request_refused.v1",
        requests.WorkOrderRequestRefused,
        MessageKind.ANSWER,
        WORK_ORDERS,
        _CUSTODIANS,
        "The custodian refused a request.",
    ),
    _entity("work_area", directory.WorkAreaDefined, Service.DISPATCH, "A work area 工区."),
    _entity("staff", directory.StaffDefined, Service.DISPATCH, "A member of a work area's repair staff 维修人员."),
    _entity("calendar", directory.CalendarDefined, Service.DISPATCH, "A calendar of working days and hours 工作日历."),
    _entity(
        "handling_rules", handling.HandlingRulesDefined, Service.DISPATCH, "The rules of handling orders 工单处理规则."
    ),
    _entity("device_type", directory.DeviceTypeDefined, Service.INTAKE, "A device type 设备类型."),
    _entity("demand_type", directory.DemandTypeDefined, Service.INTAKE, "A demand type 需求类型."),
    _entity("agent", directory.AgentDefined, Service.INTAKE, "An agent 坐席 and their team 班组."),
    Entry(
        "linework.work_order.linked.v1",
        links.WorkOrderLinked,
        MessageKind.NOTICE,
        WORK_ORDERS,
        (Service.INTAKE,),
        "It belongs together with another order or an outage.",
    ),
    Entry(
        "linework.work_order.unlinked.v1",
        links.WorkOrderUnlinked,
        MessageKind.NOTICE,
        WORK_ORDERS,
        (Service.INTAKE,),
        "A link was undone.",
    ),
    Entry(
        "linework.deadlines.time_limits.v1",
        limits.TimeLimitsDefined,
        MessageKind.FACT,
        DEADLINES,
        (Service.DISPATCH,),
        "The time limits 时限 as an operator has defined them.",
    ),
    Entry(
        "linework.deadlines.escalation_rules.v1",
        escalation.EscalationRulesDefined,
        MessageKind.FACT,
        DEADLINES,
        (Service.DISPATCH,),
        "The ladder of alarms 升级规则 as an operator has defined it.",
    ),
    _alarm("clock_warned", escalation.ClockWarned, "预警."),
    _alarm("clock_breached", escalation.ClockBreached, "超时."),
    _alarm("clock_escalated", escalation.ClockEscalated, "升级."),
    _call("offered", calls.CallOffered, "呼叫到达."),
    _call("queued", calls.CallQueued, "进入队列."),
    _call("rang_unanswered", calls.CallRangUnanswered, "振铃未应答."),
    _call("answered", calls.CallAnswered, "接听."),
    _call("held", calls.CallHeld, "The agent put the caller on hold 保持."),
    _call("resumed", calls.CallResumed, "The hold ended 恢复通话."),
    _call("transferred", calls.CallTransferred, "转接."),
    _call("abandoned", calls.CallAbandoned, "放弃."),
    _call("lost", calls.CallLost, "流失."),
    _call("ended", calls.CallEnded, "通话结束."),
    _call("after_call_work_ended", calls.AfterCallWorkEnded, "The agent has finished the call's paperwork 话后处理."),
    _call("recording_available", calls.RecordingAvailable, "录音."),
    _call("rated", calls.CallRated, "满意度评价."),
    _call("classified", calls.CallClassified, "来电归类."),
    _call("settled", calls.CallSettled, "来电办结方式."),
    _call("department_answered", calls.DepartmentAnswered, "The department that a call was passed to has answered."),
    _call("reply_promised", calls.ReplyPromised, "承诺答复."),
    _call("reply_warned", calls.ReplyWarned, "答复临期预警."),
    _call("reply_overdue", calls.ReplyOverdue, "答复超期."),
    _call("reply_given", calls.ReplyGiven, "The subscriber has the promised reply 已答复."),
    _call("agent_state_changed", calls.AgentStateChanged, "坐席状态."),
    _quality("recording_opened", quality.RecordingOpened, "调听录音."),
    _quality("sampling_plan_committed", quality.SamplingPlanCommitted, "抽样计划公示."),
    _quality("sample_drawn", quality.SampleDrawn, "样本抽取."),
    _quality("recording_sampled", quality.RecordingSampled, "录音入样."),
    _quality("recording_evaluated", quality.RecordingEvaluated, "录音评分."),
    _quality("evaluation_appealed", quality.EvaluationAppealed, "评分申诉."),
    _quality("appeal_decided", quality.AppealDecided, "申诉裁定."),
    _quality("calibration_closed", quality.CalibrationClosed, "质检校准."),
    _quality("follow_up_planned", quality.FollowUpPlanned, "安排回访."),
    _quality("follow_up_joined", quality.FollowUpJoined, "并入回访."),
    _quality("follow_up_attempted", quality.FollowUpAttempted, "A subscriber was called 回访拨打."),
    _quality("follow_up_ended", quality.FollowUpEnded, "回访结束."),
    _quality("satisfaction_given", quality.SatisfactionGiven, "满意度."),
    _quality("finding_opened", quality.FindingOpened, "回访发现."),
    _quality("finding_closed", quality.FindingClosed, "回访发现办结."),
    _of_partner("call_offered", partners.PartnerCallOffered, "A call reached the switch, or was dialled."),
    _of_partner("call_queued", partners.PartnerCallQueued, "A leg entered its queue."),
    _of_partner("call_rang_unanswered", partners.PartnerCallRangUnanswered, "An agent let it ring."),
    _of_partner("call_answered", partners.PartnerCallAnswered, "An agent answered."),
    _of_partner("call_held", partners.PartnerCallHeld, "The agent put the caller on hold."),
    _of_partner("call_resumed", partners.PartnerCallResumed, "The hold ended."),
    _of_partner("call_transferred", partners.PartnerCallTransferred, "The agent passed the caller on."),
    _of_partner("call_abandoned", partners.PartnerCallAbandoned, "The caller hung up while waiting."),
    _of_partner("call_lost", partners.PartnerCallLost, "The leg left its queue unanswered for another reason."),
    _of_partner("call_ended", partners.PartnerCallEnded, "The talk ended."),
    _of_partner("after_call_work_ended", partners.PartnerAfterCallWorkEnded, "The agent's paperwork is done."),
    _of_partner("recording_available", partners.PartnerRecordingAvailable, "A recording can be listened to."),
    _of_partner("call_rated", partners.PartnerCallRated, "The caller was asked how content they were."),
    _of_partner("agent_state_changed", partners.PartnerAgentStateChanged, "What an agent does from then on."),
    _of_partner("order_requested", partners.PartnerOrderRequested, "The partner asks for a work order."),
    _of_partner("order_cancel_requested", partners.PartnerOrderCancelRequested, "The partner cancels its order 作废."),
    _of_partner("order_urge_requested", partners.PartnerOrderUrgeRequested, "The partner urges its order 催办."),
    _of_partner("outage_reported", partners.PartnerOutageReported, "Supply fails or will fail 停电信息."),
    _of_partner("outage_restore_time_changed", partners.PartnerOutageRestoreTimeChanged, "恢复供电时间变更."),
    _of_partner("outage_restored", partners.PartnerOutageRestored, "Supply is back 恢复供电."),
    _of_partner(
        "subscriber_changed", partners.PartnerSubscriberChanged, "A subscriber's data have changed 用户资料变更."
    ),
    _of_partner("replay_requested", partners.PartnerReplayRequested, "The partner asks for a replay 重放."),
    _to_partner("events_accepted", partners.PartnerEventsAccepted, "These events were taken."),
    _to_partner("event_refused", partners.PartnerEventRefused, "This event was not taken."),
    _to_partner("order_status_changed", partners.PartnerOrderStatusChanged, "What became of the partner's order."),
    _to_partner("replay_ended", partners.PartnerReplayEnded, "A replay is over."),
    _sealing_key("issued", sealing.SealingKeyIssued, "A subscriber's sealing key, wrapped with a master key."),
    _sealing_key("destroyed", sealing.SealingKeyDestroyed, "The subscriber was erased, and the key with them."),
)

BY_TYPE: Mapping[str, Entry] = {entry.type: entry for entry in CATALOGUE}
BY_BODY: Mapping[type, Entry] = {entry.body: entry for entry in CATALOGUE}
