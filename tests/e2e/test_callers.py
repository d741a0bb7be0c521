"""Callers without a number: a broken pole is repaired, and whose it was turns out later."""

from tests.installation import Installation


async def test_an_order_for_a_place_goes_its_way_and_is_tied_to_a_subscriber_later(installation: Installation) -> None:
    pole = {"kind": "place", "name": "张先生", "phones": ["13911113333"], "address": "漕溪路 251 弄路口灯杆"}
    caller = await installation.agent.post("intake", "/callers", pole)
    order = await installation.completed(
        await installation.processing(
            await installation.dispatched(await installation.create(subscriber_no=caller["subscriber_no"]))
        )
    )
    assert order["subscriber_no"] == caller["subscriber_no"]
    tie = {"subscriber_no": installation.subscriber_no}
    await installation.agent.post("intake", f"/callers/{caller['id']}/tie", tie)
    shown = await installation.looked_up(order)
    assert (shown["status"], shown["subscriber_no"]) == ("completed", caller["subscriber_no"])


async def test_the_work_area_sees_where_the_place_is_while_the_work_is_with_it(installation: Installation) -> None:
    caller = await installation.agent.post("intake", "/callers", {"kind": "place", "address": "漕溪路路口燃气异味"})
    order = await installation.dispatched(
        await installation.create(subscriber_no=caller["subscriber_no"], urgency="emergency")
    )
    form = await installation.north.get("fieldwork", f"/work-orders/{order['id']}/form", at_least=order["version"])
    assert (form["subscriber"]["kind"], form["subscriber"]["address"]) == ("place", "漕溪路路口燃气异味")
    assert form["order"]["urgency"] == "emergency"
