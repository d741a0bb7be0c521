"""What fields of fieldwork's API mean beside the common vocabulary, see `chassis.field_words`."""

from collections.abc import Mapping
from typing import Any

TAGS: Mapping[str, str] = {
    "work orders": "Orders in the field: start, reject, complete, suspend.",
    "reports of the field": "What happened on the way and on site; taken in any status and without a version.",
    "work areas": "The work areas that the caller may see, with their staff.",
}
"""What each group of routes is about."""

WORDS: Mapping[str, str] = {
    "FieldworkForm.type_names": "What the order's device type and demand type are called.",
    "ActResult.client_id": "The phone's own id of the act.",
    "ActResult.fact_id": "The fact that the act recorded; null where it moved the order or was not applied.",
    "ActResult.is_repeat": "Whether the act had its result before.",
    "ActResult.order": "The order as the act left it, or as it was when the act was refused.",
    "ActResult.outcome": "What became of the act.",
    "ActResult.problem": "Why it was refused or has to be tried again: the problem document of its own route.",
    "ActResult.sequence": "The act's place among all acts of the phone.",
    "FieldBatchBody.acts": "What was done, in any order; it is carried out in the order of the sequence.",
    "FieldBatchResult.received_at": "When the batch was received, by the server's clock.",
    "OrderState.id": "The work order's id.",
    "OrderState.version": "The order's version.",
    "EtaBody.reason": "Why it is another time than before.",
    "NoteBody.note": "What is to be noted.",
    "RejectBody.reason": "Which kind of misdirection it is.",
    "SuspendBody.reason": "Why the work rests.",
}

EXAMPLES: Mapping[str, Any] = {
    "explanation": "不属于本工区",
    "note": "用户不在家",
    "reason": "等待备件",
    "FieldAct.act": "arrive",
    "FieldAct.body": {"place": "东门"},
    "FieldAct.client_id": "7f1c2a90",
    "FieldAct.device_time": "2026-03-02T09:12:04+08:00",
    "FieldAct.order_id": "0f5e8a52-6f0c-4d1b-9a41-2c6a3f3b7d10",
    "FieldAct.seen_version": 3,
    "FieldAct.sequence": 12,
    "FieldBatchBody.answered_until": 11,
    "FieldBatchBody.device_id": "phone-7",
    "FieldBatchBody.sent_at": "2026-03-02T18:03:00+08:00",
    "ContactBody.note": "约定下午三点上门",
    "EtaBody.expected_at": "2026-03-03T09:00:00+08:00",
    "EtaBody.reason": "堵车",
    "PartBody.count": "12.5",
    "PartBody.part_no": "RG6",
    "PartBody.unit": "m",
    "ReadingBody.quantity": "signal_level",
    "ReadingBody.unit": "dBmV",
    "ReadingBody.value": "-12.5",
    "ArriveBody.place": "漕溪路 251 号",
    "SuspendBody.until": "2026-03-03T09:00:00+08:00",
}
