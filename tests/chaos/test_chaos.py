"""A short run, in which the PostgreSQL of reporting dies under its worker; `make chaos` makes long ones."""

from pathlib import Path

import pytest
from tests.chaos.__main__ import show
from tests.chaos.run import Options, run
from tests.server_folders import server_folder

SEED = 3_762


@pytest.mark.timeout(420)
async def test_whatever_breaks_nothing_is_lost_doubled_or_out_of_order() -> None:
    with server_folder("chaos") as folder:
        outcome = await run(Path(folder), Options(SEED, seconds=20, mean_gap=1.2), print)
    show(outcome, SEED)
    assert outcome.report.faults == []
    assert outcome.report.checked["each acknowledged act is in the stream once, as it was answered"] > 100
