"""What the benchmarks read from /proc."""

import os

import pytest
from benchmarks.processors import (
    Machine,
    Meter,
    Process,
    parse_machine,
    parse_process,
    processes,
    resident_megabytes,
    seconds_by_root,
)

_TICKS = os.sysconf("SC_CLK_TCK")


def stat(*, name: str = "postgres", user: int, system: int, children_user: int, children_system: int) -> str:
    times = f"{user * _TICKS} {system * _TICKS} {children_user * _TICKS} {children_system * _TICKS}"
    return f"4711 ({name}) S 17 4711 4711 0 -1 4194560 9 8 7 6 {times} 20 0 1 0 555 1000 200"


@pytest.mark.parametrize("name", ["postgres", "a) S 1 (b", "with room"])
def test_a_process_has_its_own_time_and_that_of_its_ended_children(name: str) -> None:
    text = stat(name=name, user=1, system=2, children_user=4, children_system=8)
    assert parse_process(text) == Process(parent=17, seconds=15.0)


def test_the_machine_is_idle_also_while_it_waits_for_a_disk() -> None:
    ticks = " ".join(str(number * _TICKS) for number in (10, 1, 5, 100, 20, 2, 3, 4, 7, 7))
    text = f"cpu  {ticks}\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
    assert parse_machine(text) == Machine(busy=25.0, idle=120.0)  # guests are part of user, not counted twice


def test_the_machine_is_told_by_the_difference() -> None:
    passed = Machine(busy=30.0, idle=80.0).since(Machine(busy=10.0, idle=20.0))
    assert (passed.busy, passed.idle, passed.all) == (20.0, 60.0, 80.0)


def test_descendants_count_for_the_nearest_root() -> None:
    seen = {
        1: Process(0, 100.0),
        10: Process(1, 1.0),  # the supervisor
        11: Process(10, 2.0),  # postgres
        12: Process(11, 4.0),  # one of its processes
        13: Process(12, 8.0),
        20: Process(10, 16.0),  # a child of the supervisor that is no root
    }
    assert seconds_by_root(seen, {"supervisor": 10, "postgres": 11}) == {"supervisor": 17.0, "postgres": 14.0}


def test_a_root_that_has_ended_has_no_time() -> None:
    assert seconds_by_root({1: Process(0, 1.0)}, {"postgres": 99}) == {"postgres": 0.0}


def test_a_meter_shares_out_all_but_the_client_and_knows_what_others_took() -> None:
    meter = Meter({})
    meter.used = {"client": 1.0, "postgres": 2.0, "qa": 4.0}
    meter.machine = Machine(busy=9.0, idle=11.0)
    assert meter.milliseconds_each(100) == 60.0
    assert (meter.idle_percent, meter.others_percent) == (55.0, 10.0)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="there is no /proc")
def test_this_process_is_found_in_proc() -> None:
    assert processes()[os.getpid()].parent == os.getppid()
    assert resident_megabytes(os.getpid()) > 1
