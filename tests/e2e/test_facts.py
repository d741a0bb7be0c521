"""Facts beside an order: told to any service, in any status, and shown wherever the order is shown."""

from datetime import UTC, datetime

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


async def test_a_visit_without_a_network_is_sent_twice_and_shown_everywhere_once(installation: Installation) -> None:
    order = await installation.dispatched()
    await installation.north.see("fieldwork", order)
    now = datetime.now(UTC)
    steps = [("accept", {}), ("depart", {}), ("arrive", {"place": "东门"}), ("start", {}), ("notes", {"note": "有狗"})]
    acts = [
        {
            "client_id": f"{order['id'][:8]}-{number}",
            "sequence": number,
            "order_id": order["id"],
            "act": act,
            "seen_version": order["version"],
            "device_time": now.isoformat(),
            "body": body,
        }
        for number, (act, body) in enumerate(steps, start=1)
    ]
    batch = {"device_id": f"phone-{order['id'][:8]}", "sent_at": now.isoformat(), "acts": acts}
    first, second = [await installation.north.post("fieldwork", "/field-batches", batch) for _ in range(2)]
    assert [result["outcome"] for result in first["results"]] == ["applied"] * 5, first["results"][0]
    assert [result["outcome"] for result in second["results"]] == ["already_applied"] * 5
    version = first["results"][-1]["order"]["version"]
    looked_up = await installation.agent.get("intake", f"/work-orders/{order['id']}", at_least=version)
    assert (looked_up["status"], looked_up["version"]) == ("processing", version)
    assert (looked_up["accepted"]["by"]["role"], len(looked_up["arrivals"])) == ("technician", 1)

    async def facts() -> list[str]:
        page = await installation.agent.get("intake", f"/work-orders/{order['id']}/facts")
        return [fact["kind"] for fact in page["items"]]

    assert await eventually(facts, until=bool) == ["departure"]
