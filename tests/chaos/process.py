"""The entry of a process under test: its clock can be moved, and a bug can be planted in it.

    python -m tests.chaos.process dispatch.worker

Neither is a switch of the product: both are patched in here before the product's own entry runs.
`CHAOS_CLOCK` names a file with the seconds by which `chassis.clock` reads wrong, looked at on every reading;
`CHAOS_BUG` one with the name of the bug, looked at when the process starts.
Tokens are still verified by the machine's own time: a service whose clock is minutes slow refuses tokens that
are new, and rightly so, and then there is no load.
"""

import os
import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.chaos import planted

from chassis.clock import SystemClock


def move_clock(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)

    def now(_: SystemClock) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(os.pread(handle, 32, 0) or 0))

    SystemClock.now = now  # type: ignore[method-assign]


def main(module: str) -> None:
    move_clock(Path(os.environ["CHAOS_CLOCK"]))
    if bug := Path(os.environ["CHAOS_BUG"]).read_text():
        planted.plant(planted.Bug(bug))
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
