"""Whose the minutes of an order are 责任方: between its creation and its end each belongs to exactly one holder."""

from enum import StrEnum


class Holder(StrEnum):
    DISPATCH = "dispatch"
    AREA = "area"
    """The work area, until somebody of it works on the order."""
    STAFF = "staff"
    QA = "qa"
    SUBSCRIBER = "subscriber"
    """It waits for the subscriber: for the appointment, or for what only they can give."""
    HOUSE = "house"
    """It waits for the house itself: for parts, for permission, for others."""
