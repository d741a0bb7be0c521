"""When a consumer gets on, and when it does not: decided without a broker and without waiting."""

import pytest

from chassis.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    return Progress(clock)


def test_a_partition_whose_end_moves_on_without_its_position_is_stalled(progress: Progress, clock: Clock) -> None:
    progress.note({0: 5, 1: 5}, {0: 5, 1: 5})
    for step in range(1, 8):
        clock.now += 10
        progress.note({0: 5, 1: 5 + step}, {0: 9, 1: 5 + step})
    assert progress.stalled(60) == [0]
    assert progress.stalled(80) == []


def test_a_partition_at_its_end_is_not_stalled_however_long(progress: Progress, clock: Clock) -> None:
    progress.note({0: 5}, {0: 5})
    clock.now += 10_000
    assert progress.stalled(60) == [], "though the broker was not asked again"
    progress.note({0: 5}, {0: 5})
    assert progress.stalled(60) == []
    progress.note({0: 5}, {0: 6})
    assert progress.stalled(60) == [], "its record has just come"


def test_a_position_that_moves_is_not_stalled_however_far_behind(progress: Progress, clock: Clock) -> None:
    for step in range(100):
        progress.note({0: step}, {0: 10_000})
        clock.now += 10
    assert progress.stalled(60) == []


def test_only_a_partition_that_this_process_has_moved_may_be_mended_by_a_restart(
    progress: Progress, clock: Clock
) -> None:
    progress.note({0: 5, 1: 5}, {0: 9, 1: 9})
    clock.now += 10
    progress.note({0: 5, 1: 6}, {0: 9, 1: 9})
    clock.now += 100
    assert progress.stalled(60) == [0, 1]
    assert progress.stalled(60, has_moved=True) == [1]


def test_a_batch_that_waits_for_the_database_stalls_no_other_partition(progress: Progress, clock: Clock) -> None:
    progress.note({0: 5, 1: 5}, {0: 9, 1: 9})
    progress.begin()
    clock.now += 120
    assert progress.stalled(60) == []
    assert progress.busy_seconds() == 120
    assert progress.silent_seconds() == 0
    progress.end()
    assert progress.stalled(60) == []
    assert progress.silent_seconds() == 0
    clock.now += 61
    assert progress.stalled(60) == [0, 1]


def test_many_short_batches_of_other_partitions_hide_no_stalled_one(progress: Progress, clock: Clock) -> None:
    progress.note({0: 5, 1: 0}, {0: 9, 1: 9_000})
    for step in range(100):
        progress.begin()
        clock.now += 0.9
        progress.end()
        progress.note({0: 5, 1: step}, {0: 9, 1: 9_000})
    assert progress.stalled(60) == [0]


def test_revoked_partitions_are_not_watched(progress: Progress, clock: Clock) -> None:
    progress.note({0: 5}, {0: 9})
    clock.now += 100
    progress.forget()
    assert progress.stalled(60) == []


def test_an_end_offset_missing_in_a_response_stays_the_last_known_one(progress: Progress, clock: Clock) -> None:
    progress.note({0: 5}, {0: 9})
    clock.now += 100
    progress.note({0: 5}, {})
    assert progress.stalled(60) == [0]


def test_a_broker_is_silent_from_its_last_answer_on(progress: Progress, clock: Clock) -> None:
    clock.now += 30
    assert progress.silent_seconds() == 30
    progress.answered()
    assert progress.silent_seconds() == 0
