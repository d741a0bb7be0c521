"""What a MyLA311 row means, for rows made up here and for every row of the real file."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from linework.importer.plan import CHANNELS, COLUMNS, DEMAND_NAMES, Fate, Plan, RowRefused, plan_of, slug
from linework.importer.rows import Row, count_rows, read_rows

REAL_FILE = Path(__file__).parents[3] / "shared" / "data" / "myla311-2017.csv"


def make_row(**overrides: str) -> Row:
    values = {
        "SRNumber": "1-870704831",
        "CreatedDate": "12/31/2017 11:59:58 PM",
        "RequestSource": "Call",
        "RequestType": "Homeless Encampment",
        "Status": "Closed",
        "Owner": "BOS",
        "AssignTo": "NC",
        "ServiceDate": "01/05/2018 12:00:00 AM",
        "ClosedDate": "04/09/2018 09:18:35 AM",
        "Address": "2111 W BELLEVUE AVE, 90026",
        "AddressVerified": "Y",
        "Anonymous": "N",
        "CD": "13",
        "PolicePrecinct": "RAMPART",
    }
    return Row(2, values | overrides)


def test_a_row_becomes_an_order_with_its_original_times() -> None:
    plan = plan_of(make_row())
    assert plan.order == {
        "subscriber_no": plan.subscriber["subscriber_no"],
        "device_type": "city_service",
        "demand_type": "homeless_encampment",
        "content": "Homeless Encampment, from Call, for BOS, in precinct RAMPART.",
        "channel": "phone",
        "external_reference": "1-870704831",
        # Midnight in Los Angeles is eight in the morning in Greenwich.
        "occurred_at": datetime(2018, 1, 1, 7, 59, 58, tzinfo=UTC),
        "appointment": {"start": datetime(2018, 1, 5, 8, tzinfo=UTC), "end": datetime(2018, 1, 6, 8, tzinfo=UTC)},
    }
    assert plan.demand_names == ("Homeless Encampment", "露宿点处置")
    assert (plan.work_area_id, plan.staff_id) == ("la-nc", "la-nc-crew")
    assert plan.ended_at == datetime(2018, 4, 9, 16, 18, 35, tzinfo=UTC)
    assert plan.remarks == []


def test_the_day_of_an_appointment_is_as_long_as_the_clock_makes_it() -> None:
    window = plan_of(make_row(ServiceDate="03/11/2018 02:15:00 PM")).order["appointment"]
    assert window["end"] - window["start"] == timedelta(hours=23)


def test_the_acts_lie_between_creation_and_end_in_their_order() -> None:
    plan = plan_of(make_row())
    times = [plan.at(share) for share in (0, 1 / 3, 2 / 3, 1)]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (plan.created_at, plan.ended_at)


def test_an_address_is_one_subscriber_however_it_is_written() -> None:
    first = plan_of(make_row()).subscriber
    again = plan_of(make_row(Address="  2111 w Bellevue   Ave, 90026 ")).subscriber
    other = plan_of(make_row(Address="2113 W BELLEVUE AVE, 90026")).subscriber
    assert first["subscriber_no"] == again["subscriber_no"] != other["subscriber_no"]
    assert first["territory"] == "CD 13"


def test_the_address_is_nowhere_but_with_the_subscriber() -> None:
    assert "BELLEVUE" not in str(plan_of(make_row()).order)


@pytest.mark.parametrize(
    ("odd", "remark"),
    [
        ({"Address": " "}, "without an address, kept under one subscriber of that name"),
        ({"AddressVerified": "N"}, "with an address that the city could not verify, kept as it is"),
        ({"AssignTo": ""}, "without AssignTo, given to the bureau in Owner"),
        ({"ClosedDate": ""}, "without ClosedDate, ended when it was created"),
        ({"ClosedDate": "12/30/2017 09:18:35 AM"}, "with ClosedDate before CreatedDate, ended when it was created"),
    ],
)
def test_an_odd_row_is_taken_and_remarked_on(odd: dict[str, str], remark: str) -> None:
    plan = plan_of(make_row(**odd))
    assert plan.remarks == [remark]
    assert plan.ended_at >= plan.created_at


def test_a_bureau_and_a_yard_of_the_same_name_are_two_work_areas() -> None:
    bureau = plan_of(make_row(AssignTo="", Owner="OCB"))
    yard = plan_of(make_row(AssignTo="OCB", Owner="OCB"))
    assert (bureau.work_area_id, yard.work_area_id) == ("la-bureau-ocb", "la-ocb")


def test_an_open_request_has_no_end_and_no_remark() -> None:
    plan = plan_of(make_row(Status="Open", ClosedDate="", ServiceDate=""))
    assert (plan.fate, plan.remarks) == (Fate.OPEN, [])
    assert "appointment" not in plan.order


def test_a_request_type_that_nobody_has_named_keeps_its_name_in_both_languages() -> None:
    plan = plan_of(make_row(RequestType="Moth Plague"))
    assert (plan.demand_type, plan.demand_names) == ("moth_plague", ("Moth Plague", "Moth Plague"))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"SRNumber": ""}, "SRNumber is empty"),
        ({"Status": "Lost"}, "Status 'Lost' is none of Open, Closed, Cancelled, Referred Out"),
        ({"RequestSource": "Pigeon"}, "RequestSource 'Pigeon' is none of Call, "),
        ({"RequestType": "?"}, "RequestType '\\?' names no demand type"),
        ({"CreatedDate": ""}, "CreatedDate is empty"),
        ({"CreatedDate": "2017-12-31"}, "CreatedDate '2017-12-31' is not a time such as"),
        ({"ServiceDate": "13/45/2018 12:00:00 AM"}, "ServiceDate '13/45/2018 12:00:00 AM' is not a time"),
        ({"AssignTo": "", "Owner": " "}, "neither AssignTo nor Owner"),
    ],
)
def test_a_row_that_cannot_be_an_order_is_refused_with_the_reason(wrong: dict[str, str], reason: str) -> None:
    with pytest.raises(RowRefused, match=reason):
        plan_of(make_row(**wrong))


@pytest.mark.parametrize("name", ["Care Review Group", "F-DT", "NEGB_ELA", "Ärger & Söhne", "x" * 90])
def test_a_name_becomes_an_identifier_that_the_services_take(name: str) -> None:
    assert set(slug(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert 0 < len(f"la-bureau-{slug(name)}-crew") <= 64


@pytest.fixture(scope="module")
def real_plans() -> list[Plan]:
    if not REAL_FILE.exists():
        pytest.skip(f"the city's file is not here: it is expected at {REAL_FILE.relative_to(REAL_FILE.parents[3])}")
    return [plan_of(row) for row in read_rows(REAL_FILE, COLUMNS)]


def test_every_row_of_the_real_file_becomes_an_order(real_plans: list[Plan]) -> None:
    assert len(real_plans) == count_rows(REAL_FILE, COLUMNS) == 9999
    assert len({plan.reference for plan in real_plans}) == 9999
    assert [plan.line for plan in real_plans] == list(range(2, 10001))


def test_the_real_file_adds_up_by_status_source_and_type(real_plans: list[Plan]) -> None:
    fates = Counter(plan.fate for plan in real_plans)
    assert fates == {Fate.CLOSED: 9739, Fate.CANCELLED: 246, Fate.REFERRED_OUT: 9, Fate.OPEN: 5}
    channels = Counter(plan.order["channel"] for plan in real_plans)
    assert set(channels) <= set(CHANNELS.values())
    assert channels == {
        "phone": 4188,
        "app": 2131,
        "partner": 2024,
        "web": 1621,
        "email": 33,
        "self_service_voice": 1,
        "walk_in": 1,
    }
    types = Counter(plan.demand_names[0] for plan in real_plans)
    assert set(types) == set(DEMAND_NAMES)
    assert (types["Bulky Items"], types["Graffiti Removal"], types["Feedback"]) == (4432, 2863, 1)
    assert sum(types.values()) == 9999


def test_the_odd_rows_of_the_real_file_are_all_remarked_on(real_plans: list[Plan]) -> None:
    assert Counter(remark for plan in real_plans for remark in plan.remarks) == {
        "without AssignTo, given to the bureau in Owner": 184,
        "with ClosedDate before CreatedDate, ended when it was created": 12,
        "with an address that the city could not verify, kept as it is": 4,
    }
    assert sum("appointment" not in plan.order for plan in real_plans) == 500
    assert sum("gave no name" in plan.order["content"] for plan in real_plans) == 823
    assert all(plan.created_at <= plan.ended_at for plan in real_plans)
    assert len({plan.subscriber["subscriber_no"] for plan in real_plans}) == 8017
    assert len({plan.work_area_id for plan in real_plans}) == 37
