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
    "EtaBody.reason": "Why it is another time than before.",
    "NoteBody.note": "What is to be noted.",
    "RejectBody.reason": "Which kind of misdirection it is.",
    "SuspendBody.reason": "Why the work rests.",
}

EXAMPLES: Mapping[str, Any] = {
    "explanation": "不属于本工区",
    "note": "用户不在家",
    "reason": "等待备件",
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
