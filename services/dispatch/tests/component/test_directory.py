"""Work areas, staff and rules over HTTP, and what the others are told of them."""

from contracts.directory import Names, StaffDefined, WorkAreaDefined

READERS = ("agent", "dispatcher", "technician", "auditor", "supervisor", "operator")


async def test_a_work_area_is_kept_shown_and_published(desk):
    answer = await desk.put_area(
        "north", name_en="North", name_zh="北区", territories=["west", "east", "west"], demand_types=["fault"]
    )
    assert answer.json() == {
        "work_area_id": "north",
        "name_en": "North",
        "name_zh": "北区",
        "territories": ["east", "west"],
        "demand_types": ["fault"],
        "device_types": [],
        "is_open": True,
        "version": 1,
        "staff": [],
    }
    (message,) = await desk.outbox()
    assert message.body == WorkAreaDefined(
        work_area_id="north",
        names=Names(en="North", zh="北区"),
        territories=("east", "west"),
        demand_types=("fault",),
    )
    assert (message.subject, message.entity_version, message.actor.role) == ("work_area:north", 1, "operator")


async def test_staff_are_kept_shown_with_their_area_and_published(desk):
    await desk.put_area("north")
    member = (await desk.put_staff("wang", name="王强", skills=["fibre", "aerial"])).json()
    assert member == {
        "staff_id": "wang",
        "name": "王强",
        "work_area_id": "north",
        "skills": ["aerial", "fibre"],
        "is_active": True,
        "person_id": None,
        "is_lead": False,
        "version": 1,
        "look_alikes": [],
    }
    (message,) = await desk.outbox("staff:wang")
    assert message.entity_version == 1
    assert message.body == StaffDefined(
        staff_id="wang", name="王强", work_area_id="north", skills=("aerial", "fibre"), is_active=True
    )
    assert (await desk.get("/v1/work-areas/north")).json()["staff"] == [member]
    assert (await desk.get("/v1/staff/wang")).json() == member


async def test_staff_who_look_like_others_are_defined_with_a_warning(desk):
    await desk.put_area("north")
    await desk.put_staff("north-1", name="Anna")
    member = (await desk.put_staff("north-l", name="\u0410nna")).json()
    assert member["look_alikes"] == [
        {"field": "staff_id", "likeness": "looks_like", "value": "north-1"},
        {"field": "name", "likeness": "looks_like", "value": "Anna"},
        {"field": "name", "likeness": "mixed_scripts", "value": None},
    ]
    assert (await desk.get("/v1/staff/north-l")).json()["look_alikes"] == []


async def test_each_change_is_a_version_and_what_is_so_already_is_none(desk):
    versions = [
        (await desk.put_area("north", **body)).json()["version"]
        for body in (
            {},
            {},
            {"is_open": False},
            {"is_open": False, "territories": []},
            {"territories": ["b", "a"]},
            {"territories": ["a", "b", "b"]},
        )
    ]
    assert versions == [1, 1, 2, 2, 3, 3]
    assert [message.entity_version for message in await desk.outbox("work_area:north")] == [1, 2, 3]
    versions = [
        (await desk.put_staff("wang", **body)).json()["version"] for body in ({}, {}, {"skills": ["x"]}, {"name": "W"})
    ]
    assert versions == [1, 1, 2, 3]
    assert [message.entity_version for message in await desk.outbox("staff:wang")] == [1, 2, 3]


async def test_nobody_is_put_into_an_area_that_is_not_there(desk):
    answer = await desk.put_staff("wang", work_area_id="nowhere")
    assert (answer.status_code, answer.json()["code"]) == (422, "work_area_unknown")
    assert (await desk.get("/v1/staff/wang")).json()["code"] == "staff_not_found"
    assert await desk.outbox() == []


async def test_staff_move_to_another_area_and_are_listed_there(staffed_desk):
    await staffed_desk.put_staff("wang", work_area_id="south")
    found = [
        [member["staff_id"] for member in (await staffed_desk.get("/v1/staff", **wanted)).json()["items"]]
        for wanted in ({"work_area_id": "north"}, {"work_area_id": "south"}, {}, {"work_area_id": "nowhere"})
    ]
    assert found == [["li"], ["wang", "zhao"], ["li", "wang", "zhao"], []]


async def test_the_directory_is_read_page_by_page(staffed_desk):
    for path, names in (("/v1/work-areas", ["north", "south"]), ("/v1/staff", ["li", "wang", "zhao"])):
        seen, cursor = [], {}
        while cursor is not None:
            page = (await staffed_desk.get(path, limit=1, **cursor)).json()
            seen += [item.get("staff_id") or item["work_area_id"] for item in page["items"]]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
        assert seen == names


async def test_the_whole_staff_may_read_and_operators_and_supervisors_may_change(staffed_desk):
    for path in ("/v1/work-areas", "/v1/work-areas/north", "/v1/staff", "/v1/staff/wang"):
        for role in READERS:
            assert (await staffed_desk.get(path, role)).status_code == 200, (path, role)
        assert (await staffed_desk.get(path, "partner")).status_code == 403
    for role in ("agent", "dispatcher", "technician", "auditor", "partner"):
        answer = await staffed_desk.put("/v1/work-areas/north", role, name_en="N", name_zh="北")
        assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
    assert (await staffed_desk.put("/v1/work-areas/x", "supervisor", name_en="N", name_zh="北")).status_code == 200


# Paths and bodies that are no definition of a work area.
BROKEN = [
    ("/v1/work-areas/-north", {"name_en": "N", "name_zh": "北"}),
    ("/v1/work-areas/n%00", {"name_en": "N", "name_zh": "北"}),
    ("/v1/work-areas/" + "n" * 65, {"name_en": "N", "name_zh": "北"}),
    ("/v1/work-areas/north", {"name_en": "N"}),
    ("/v1/work-areas/north", {"name_en": "N\n", "name_zh": "\x00"}),
    ("/v1/work-areas/north", {"name_en": "N", "name_zh": "北", "territories": ["a\x00"]}),
    ("/v1/work-areas/north", {"name_en": "N", "name_zh": "北", "territories": ["a"] * 501}),
    ("/v1/work-areas/north", {"name_en": "N", "name_zh": "北", "demand_types": ["no spaces"]}),
    ("/v1/work-areas/north", {"name_en": "N", "name_zh": "北", "colour": "red"}),
    ("/v1/staff/wang", {"name": "", "work_area_id": "north"}),
    ("/v1/rules/rejection-budget", {"budget": 0}),
    ("/v1/rules/rejection-budget", {"budget": 10**30}),
    ("/v1/rules/rejection-budget", {}),
]


async def test_a_broken_definition_is_refused_and_changes_nothing(desk):
    for path, body in BROKEN:
        answer = await desk.put(path, **body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), (path, body)
    assert await desk.outbox() == []


async def test_the_rejection_budget_is_two_until_an_operator_changes_it(desk):
    shown = [
        (await desk.get("/v1/rules/rejection-budget", "operator")).json(),
        (await desk.put("/v1/rules/rejection-budget", budget=3)).json(),
        (await desk.put("/v1/rules/rejection-budget", "supervisor", budget=3)).json(),
    ]
    assert [(rule["budget"], rule["version"], rule["changed_by"]) for rule in shown] == [
        (2, 1, "linework"),
        (3, 2, "operator-1"),
        (3, 2, "operator-1"),
    ]
    assert (await desk.get("/v1/rules/rejection-budget", "dispatcher")).status_code == 403
    assert (await desk.put("/v1/rules/rejection-budget", "dispatcher", budget=1)).status_code == 403


class Woken:
    def __init__(self):
        self.channels = []

    def send(self, channel):
        self.channels.append(channel)


async def test_the_relay_is_woken_for_what_was_published_and_for_nothing_else(desk):
    desk.app.state.wakeup = woken = Woken()
    await desk.put_area("north")
    await desk.put_staff("wang")
    assert woken.channels == ["linework_publish"] * 2
    await desk.put_area("north")
    await desk.put_staff("wang")
    await desk.put_staff("li", work_area_id="nowhere")
    assert len(woken.channels) == 2
