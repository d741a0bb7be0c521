"""The live wallboard: one snapshot of how things stand, told again whenever it has changed."""

from reporting.wallboard.snapshot import Viewer, snapshot
from reporting.wallboard.stream import events

__all__ = ["Viewer", "events", "snapshot"]
