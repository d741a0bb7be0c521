"""The copy of the directory: a newer entry takes the older one's place, and nothing else changes it."""

import asyncio

from contracts.directory import DeviceTypeDefined, Names
from work_orders import directory
from work_orders.testing import ServiceUnderTest, defined, staff, work_area


async def _staff(fieldwork: ServiceUnderTest, staff_id: str):
    async with fieldwork.db.statements() as statements:
        return (await directory.find_staff(statements, [staff_id])).get(staff_id)


async def test_a_newer_entry_takes_the_older_ones_place_even_when_versions_were_skipped(fieldwork) -> None:
    await fieldwork.receive(staff("a", "north", 2, name="before"))
    await fieldwork.receive(staff("a", "south", 9, name="after"))
    assert ((await _staff(fieldwork, "a")).name, (await _staff(fieldwork, "a")).work_area_id) == ("after", "south")


async def test_an_older_entry_and_the_same_version_again_change_nothing(fieldwork) -> None:
    await fieldwork.receive(staff("a", "north", 5, name="present"))
    await fieldwork.receive(staff("a", "south", 4, name="older"), staff("a", "south", 5, name="again"))
    assert (await _staff(fieldwork, "a")).name == "present"


async def test_of_many_versions_in_one_batch_the_newest_stays(fieldwork) -> None:
    await fieldwork.receive(*(staff("a", "north", version, name=f"v{version}") for version in (1, 3, 2)))
    assert (await _staff(fieldwork, "a")).name == "v3"


async def test_a_person_who_moved_is_listed_in_the_new_area_only(fieldwork) -> None:
    await fieldwork.receive(staff("a", "north", 1))
    await fieldwork.receive(staff("a", "south", 2))
    async with fieldwork.db.statements() as statements:
        north, south = await directory.find_work_areas_with_staff(statements, ["north", "south"])
    assert [one.staff_id for one in north.staff] == ["north-1"]
    assert [one.staff_id for one in south.staff] == ["a", "south-1"]


async def test_an_area_a_person_and_a_type_may_have_the_same_id(fieldwork) -> None:
    names = Names(en="x", zh="x")
    await fieldwork.receive(work_area("x"), staff("x", "x"), defined(DeviceTypeDefined(device_type="x", names=names)))
    async with fieldwork.db.statements() as statements:
        (area,) = await directory.find_work_areas_with_staff(statements, ["x"])
        assert [one.staff_id for one in area.staff] == ["x"]
        named = await directory.find_type_names(statements, "x", "x")
    assert named == directory.TypeNames(device_type=names, demand_type=None)


async def test_two_workers_that_read_overlapping_batches_do_not_deadlock(fieldwork) -> None:
    entries = [staff(f"s-{number:03}", "north", 1) for number in range(60)]
    for version in (2, 3, 4):
        newer = [staff(f"s-{number:03}", "south", version) for number in range(60)]
        await asyncio.gather(fieldwork.receive(*entries, *newer), fieldwork.receive(*reversed(newer)))
    rows = await fieldwork.rows("select distinct entity_version, work_area_id from directory where id like 's-%'")
    assert [tuple(row) for row in rows] == [(4, "south")]
