"""What a group has committed: an error is no answer, and no answer is not "nothing"."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupAuthorizationFailedError,
    NotCoordinatorError,
    UnknownTopicOrPartitionError,
)
from aiokafka.protocol.commit import OffsetFetchResponse_v3

from chassis import group_offsets as module
from chassis.group_offsets import commit_offsets, group_offsets, group_state
from chassis.kafka import admin_of

from .conftest import Toy
from .toy import TOPIC

ANSWER = OffsetFetchResponse_v3(0, [("toys", [(0, 7, "", 0), (1, -1, "", 0)])], 0)


class Admin:
    """An admin client whose broker gives these answers, one after the other; the last one for ever."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def find_coordinator(self, group: str) -> int:
        return 1

    async def _send_request(self, request: Any, node: int) -> Any:
        self.asked += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def failed(error: type[Any]) -> OffsetFetchResponse_v3:
    """As a real broker answers: the code, and no topic."""
    return OffsetFetchResponse_v3(0, [], error.errno)


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0)


@pytest.mark.parametrize("error", [CoordinatorLoadInProgressError, NotCoordinatorError, CoordinatorNotAvailableError])
async def test_a_coordinator_that_is_not_there_yet_is_asked_again(error: type[Any]) -> None:
    admin = Admin([failed(error), failed(error), ANSWER])
    assert await group_offsets(admin, "toy.toys") == {TopicPartition("toys", 0): 7, TopicPartition("toys", 1): -1}
    assert admin.asked == 3


async def test_a_coordinator_that_does_not_come_is_an_error_and_not_an_empty_answer() -> None:
    with pytest.raises(CoordinatorLoadInProgressError):
        await group_offsets(Admin([failed(CoordinatorLoadInProgressError)]), "toy.toys", retry_for_seconds=0)


async def test_a_missing_right_is_named_and_not_asked_for_again() -> None:
    admin = Admin([failed(GroupAuthorizationFailedError), ANSWER])
    with pytest.raises(GroupAuthorizationFailedError, match=r"Describe .* toy\.toys"):
        await group_offsets(admin, "toy.toys")
    assert admin.asked == 1


async def test_an_error_of_one_partition_is_an_error() -> None:
    answer = OffsetFetchResponse_v3(0, [("toys", [(0, -1, "", UnknownTopicOrPartitionError.errno)])], 0)
    with pytest.raises(UnknownTopicOrPartitionError, match="toys/0"):
        await group_offsets(Admin([answer]), "toy.toys", retry_for_seconds=0)


async def test_a_broker_returns_committed_offsets_or_that_there_are_none(toy: Toy) -> None:
    """Fails when an upgrade of aiokafka moves what `group_offsets` leans on."""
    await commit_offsets(toy.settings(), "toy", TOPIC, {0: 7})
    async with admin_of(toy.settings()) as admin:
        assert isinstance(admin, AIOKafkaAdminClient)
        assert await group_offsets(admin, f"{toy.prefix}toy.{TOPIC}") == {TopicPartition(toy.topic, 0): 7}
        assert await group_offsets(admin, f"{toy.prefix}nobody.{TOPIC}") == {}
        assert await group_state(admin, f"{toy.prefix}nobody.{TOPIC}") == "Dead"
        assert await group_state(admin, f"{toy.prefix}toy.{TOPIC}") == "Empty"
