"""The live wallboard: one snapshot of the present state, sent again whenever it has changed."""

from reporting.wallboard.stream import events
from reporting.wallboard.views import Viewer, snapshot

__all__ = ["Viewer", "events", "snapshot"]
