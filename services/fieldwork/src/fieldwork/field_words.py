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
    "NoteBody.note": "What is to be noted.",
    "RejectBody.reason": "Which kind of misdirection it is.",
    "SuspendBody.reason": "Why the work rests.",
}

EXAMPLES: Mapping[str, Any] = {
    "explanation": "不属于本工区",
    "note": "用户不在家",
    "reason": "等待备件",
    "ArriveBody.place": "漕溪路 251 号",
    "SuspendBody.until": "2026-03-03T09:00:00+08:00",
}
