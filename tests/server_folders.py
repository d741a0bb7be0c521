"""Where the servers of tests keep their data: in memory, where a machine has enough of it.

A new database is a thousand small files. Copied in memory they take a tenth of the processor time.
"""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

_MEMORY = Path("/dev/shm")
_ENOUGH = 4 << 30


def server_folder(server: str) -> TemporaryDirectory[str]:
    """A new folder that is gone after its block.

    Not in pytest's folder: under root PostgreSQL is another user, who must pass through, and every other run of
    pytest on the machine closes that folder again.
    """
    return TemporaryDirectory(prefix=f"linework-{server}-", dir=_MEMORY if _is_enough_memory() else None)


def _is_enough_memory() -> bool:
    if not os.access(_MEMORY, os.W_OK):
        return False
    return min(shutil.disk_usage(_MEMORY).free, psutil.virtual_memory().available) > _ENOUGH
