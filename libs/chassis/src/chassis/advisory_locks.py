"""The registry of PostgreSQL advisory lock spaces in this repository.

A lock has two numbers: its space, and within it what is locked (a shard, a checksum of a key, or 0 for the only one).
Two uses that share a space would block each other, or deadlock, for no reason. Numbers never change: during a rolling
upgrade processes of two releases exclude each other only if they use the same space.
"""

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    RELAY_SHARD = 0x4C57_0001
    """A shard of the outbox: the relay that owns it, for as long as its connection lives."""
    RELAY_PRESENCE = 0x4C57_0002
    """Shared, one for each relay at work: how many there are, and whether publishing rests."""
    PARKED_KEY = 0x4C57_0003
    """A parked key: the worker that reads it and the operator who releases it."""
    MIGRATION = 0x4C57_0004
    """The schema, as a lock of a single number: one process migrates."""
    IDEMPOTENCY_KEY = 0x4C57_0005
    """A command that may arrive twice at once."""
    OUTBOX_KEY = 0x4C57_0006
    """A key of what is published where no row lock covers it, so that its outbox rows grow in commit order."""
    CAUGHT_UP = 0x4C57_0007
    """Workers of a restored database that may each be reading the last of what it missed."""
