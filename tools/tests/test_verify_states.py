import msgspec
import pytest

from contracts import events as e
from contracts.lifecycle import Status
from linework.importer.rows import Row
from linework.verify.states import difference
from linework.verify.stream import message_of
from work_orders.testing import Stream, make_order

ORDER = make_order(e.WorkOrderNoteAdded(note="asked"), status=Status.PROCESSING)


def shown() -> dict:
    return msgspec.json.decode(msgspec.json.encode(ORDER))


def test_the_order_as_it_should_be_has_no_difference() -> None:
    assert difference(ORDER, shown()) is None
    assert difference(None, None) is None


def test_an_order_that_one_side_does_not_have_is_told() -> None:
    assert difference(None, shown()) == "is not in the stream"
    assert difference(ORDER, None) == "is missing; the stream has version 4, processing"


def test_another_version_is_told_as_such() -> None:
    assert difference(ORDER, shown() | {"version": 3}) == "is at version 3; the stream has version 4"


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (["content"], "other", "content: 'other', the stream gives '测试'"),
        (["assignment", "staff_ids"], ["a", "b"], "assignment.staff_ids: ['a', 'b'], the stream gives ['north-1']"),
        (["notes", 0, "note"], "x", "notes[0].note: 'x', the stream gives 'asked'"),
        (["created", "by", "sub"], None, "created.by.sub: None, the stream gives 'agent-1'"),
        (["unheard_of"], 1, "unheard_of: 1, the stream gives None"),
    ],
)
def test_any_field_at_any_depth_that_differs_is_told(path: list, value: object, told: str) -> None:
    changed = place = shown()
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert difference(ORDER, changed) == f"differs in {told}"


def test_many_differences_are_told_in_part() -> None:
    changed = {name: None if name != "version" else value for name, value in shown().items()}
    told = difference(ORDER, changed)
    assert told is not None
    assert told.count(";") == 4
    assert " more" in told


def test_a_message_of_reportings_record_is_the_message_of_the_stream() -> None:
    message = Stream("o-1").until(Status.DISPATCHED).messages[-1]
    item = {
        "id": message.id,
        "type": message.type,
        "source": message.source,
        "subject": message.subject,
        "time": message.occurred_at.isoformat(),
        "recorded_time": message.recorded_at.isoformat(),
        "actor": message.actor.sub,
        "actor_role": message.actor.role,
        "actor_name": message.actor.name,
        "order_version": message.order_version,
        "entity_version": None,
        "prev_hash": message.prev_hash,
        "data": message.data.decode(),
    }
    assert message_of(item) == message


def test_a_column_that_a_row_does_not_have_is_empty() -> None:
    assert Row(2, {"a": " 1 "})["b"] == ""
