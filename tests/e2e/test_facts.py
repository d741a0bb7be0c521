"""Facts beside an order: told to any service, in any status, and shown wherever the order is shown."""

from tests.installation import Installation

from chassis.testing import eventually

SERVICES = ("intake", "dispatch", "fieldwork", "qa")


async def test_everybody_who_sees_an_order_adds_remarks_that_all_others_see(installation: Installation) -> None:
    order = await installation.act(await installation.completed(), "archive")
    people = dict(
        zip(
            SERVICES,
            (installation.agent, installation.dispatcher, installation.north, installation.auditor),
            strict=True,
        )
    )
    told = [
        (await person.post(service, f"/work-orders/{order['id']}/remarks", {"remark": f"备注 {service}"}))["id"]
        for service, person in people.items()
    ]
    for service, person in people.items():

        async def seen(service=service, person=person) -> list[str]:
            page = await person.get(service, f"/work-orders/{order['id']}/facts")
            return [fact["id"] for fact in page["items"]]

        assert sorted(await eventually(seen, until=lambda ids: len(ids) == len(told))) == sorted(told)
        assert (await person.get(service, f"/work-orders/{order['id']}"))["version"] == order["version"]
    history = await installation.agent.get("intake", f"/work-orders/{order['id']}/history")
    remarks = [entry["data"]["remark"] for entry in history if entry["type"].endswith("remarked.v1")]
    assert sorted(remarks) == sorted(f"备注 {service}" for service in SERVICES)
