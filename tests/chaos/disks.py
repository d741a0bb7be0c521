"""A small file system of its own for one server's data, so that a disk can be full without filling the machine's."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BALLAST = "ballast"
_PIECE = 1 << 20


def why_no_small_disks() -> str | None:
    """Why no small file system can be made here; None when it can."""
    return None if os.geteuid() == 0 and os.access("/usr/bin/mount", os.X_OK) else "only root can mount a small disk"


class SmallDisk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Takes every free byte: each further write fails because no space is left."""
        with (self.folder / _BALLAST).open("wb", buffering=0) as ballast:
            for size in (_PIECE, 4096):
                try:
                    while ballast.write(b"\0" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        (self.folder / _BALLAST).unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk | None]:
    """The folder as a file system of this size; None, and only a folder, where that cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=0755"
    can_mount = why_no_small_disks() is None
    if not can_mount or subprocess.run(["mount", "-t", "tmpfs", "-o", options, "chaos", str(folder)]).returncode:
        yield None
        return
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily, because a server that is just ending may still hold a file.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
