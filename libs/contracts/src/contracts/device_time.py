"""What the clock of a phone said, beside the time that was made of it.

A phone that works offline sends its acts later, each with its own time, and the time its clock shows at sending. From
the latter follows by how much the clock is off; the `occurred_at` of the act's message is the corrected time. A time
that cannot be, such as one of 1970, is kept here as it was said, and the act counts as of when it was received.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTime:
    device_id: str
    sequence: int
    """The act's place among those of the device."""
    said_at: datetime
    """What the device's clock showed when it was done, uncorrected."""
    clock_off_seconds: int = 0
    """By how much the clock was behind at sending, negative when it was ahead; 0 within what operators tolerate."""
    is_believed: bool = True
    """False where the time cannot be, even when it is corrected; then `occurred_at` is when it was received."""
