import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.lifecycle import Status
from intake.subscribers.domain import Subscriber, as_seen_by, mask_address, mask_name, mask_phone, plain_phone

SUBSCRIBER = Subscriber(
    id="subscriber-1",
    version=1,
    subscriber_no="111",
    name="王小明",
    phones=("+8613800000042",),
    address="Chengdong Road 12, flat 3",
    kind="household",
    zone="urban",
    territory=None,
    notes="key under the mat",
)
IN_THE_FIELD = (Status.DISPATCHED, Status.PROCESSING)


@pytest.mark.parametrize("role", ["agent", "supervisor"])
def test_who_speaks_with_subscribers_sees_them_whole(role: str) -> None:
    assert as_seen_by(SUBSCRIBER, {role}) == SUBSCRIBER


@pytest.mark.parametrize("status", Status)
def test_a_technician_sees_the_subscriber_whole_while_the_work_is_with_them(status: Status) -> None:
    seen = as_seen_by(SUBSCRIBER, {"technician"}, visiting_status=status)
    assert (seen == SUBSCRIBER) == (status in IN_THE_FIELD)
    assert seen.is_masked == (status not in IN_THE_FIELD)


def test_a_technician_who_is_not_visiting_sees_nobody_whole() -> None:
    assert as_seen_by(SUBSCRIBER, {"technician"}).is_masked


@pytest.mark.parametrize("status", IN_THE_FIELD)
def test_no_other_role_sees_more_because_the_order_is_in_the_field(status: Status) -> None:
    assert as_seen_by(SUBSCRIBER, {"auditor"}, visiting_status=status).is_masked


def test_a_dispatcher_sees_where_but_not_who() -> None:
    seen = as_seen_by(SUBSCRIBER, {"dispatcher"})
    assert (seen.address, seen.name, seen.phones, seen.notes) == (SUBSCRIBER.address, "王**", ("************42",), "")
    assert seen.is_masked


@pytest.mark.parametrize("role", ["auditor", "operator", "partner", ""])
def test_everybody_else_can_recognise_but_not_reach(role: str) -> None:
    seen = as_seen_by(SUBSCRIBER, {role})
    assert (seen.name, seen.phones, seen.address, seen.notes) == ("王**", ("************42",), "Chengd****", "")
    assert (seen.id, seen.subscriber_no) == (SUBSCRIBER.id, SUBSCRIBER.subscriber_no)


# Few characters, among them the mask itself; preparing to draw from all of Unicode takes seconds.
@given(st.text("*1a王 +\n", min_size=2))
def test_a_masked_text_never_has_the_whole_text_in_it(text: str) -> None:
    for mask in (mask_name, mask_phone, mask_address):
        if text.strip("*"):
            assert mask(text) != text or set(text[1:]) <= {"*"} or set(text[:-2]) <= {"*"}


@pytest.mark.parametrize(("phone", "masked"), [("", ""), ("1", "*"), ("1234", "****"), ("12345", "***45")])
def test_a_short_phone_number_is_masked_whole(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("phone", "plain"),
    [
        ("+86 138-0000 0042", "+8613800000042"),
        ("020 1234", "0201234"),
        ("(021) 6123.4567", "02161234567"),
        ("0086 138 0000 0042", "+8613800000042"),
        ("001", "001"),
        ("sip:13800000042@pbx", "sip:13800000042@pbx"),
        ("anonymous", "anonymous"),
        ("", ""),
    ],
)
def test_a_phone_number_is_stored_and_searched_without_its_spaces(phone: str, plain: str) -> None:
    assert plain_phone(phone) == plain
