"""What fields of fieldwork's API mean beside the common vocabulary, see `chassis.field_words`."""

from collections.abc import Mapping

TAGS: Mapping[str, str] = {
    "work orders": "Orders in the field: start, reject, complete, suspend, note.",
    "work areas": "The work areas that the caller may see, with their staff.",
}
"""What each group of routes is about."""

WORDS: Mapping[str, str] = {
    "Form.type_names": "What the order's device type and demand type are called.",
    "NoteBody.note": "What is to be noted.",
    "RejectBody.reason": "Which kind of misdirection it is.",
    "SuspendBody.reason": "Why the work rests.",
}
