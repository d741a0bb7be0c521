"""What an example can be about; apart from the examples, so that a command line loads without the contracts."""

from enum import StrEnum


class ExampleKind(StrEnum):
    CALL = "call"
    ORDER = "order"
    OUTAGE = "outage"
    SUBSCRIBER = "subscriber"
    REPLAY = "replay"
