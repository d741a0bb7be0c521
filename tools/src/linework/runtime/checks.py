"""Checks before the start."""

import shutil
from pathlib import Path

from linework.stopped import Stopped

GIB = 1 << 30
ROOM_NEEDED = 2 * GIB


def refuse_small_disk(folder: Path, needed: int = ROOM_NEEDED) -> None:
    """Databases and topics that fill a disk break later and less clearly."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Stopped(
            f"The disk of {folder} has {free / GIB:.1f} GiB free and {needed / GIB:.1f} GiB are needed; "
            "make room or choose another --state-folder."
        )
