"""Records that cannot be applied, written directly into the stream."""

from aiokafka import AIOKafkaProducer

from contracts.topics import WORK_ORDERS

_EVENT = {
    "content-type": b"application/json",
    "ce_specversion": b"1.0",
    "ce_id": b"poison",
    "ce_source": b"/linework/fieldwork",
    "ce_type": b"linework.work_order.started.v1",
    "ce_time": b"2026-01-01T00:00:00Z",
    "ce_recordedtime": b"2026-01-01T00:00:00Z",
    "ce_actor": b"nobody",
    "ce_actorrole": b"technician",
    "ce_orderversion": b"2",
    "ce_prevhash": b"0" * 64,
}


async def plant_poison(bootstrap_servers: str, seed: int) -> set[str]:
    """Plants one record of each sort; the keys under which every service must park them, and nothing else."""
    keys = {kind: f"poison-{seed}-{kind}" for kind in ("garbage", "foreign", "bare", "empty", "binary", "again")}
    event = [*_EVENT.items(), ("ce_subject", b"somebody-else")]
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers, enable_idempotence=True) as producer:
        sends = [
            (keys["garbage"], b"{not json", []),
            (keys["foreign"], b"{}", event),  # it says that it is about another order than its key does
            (keys["bare"], b'{"looks": "well"}', []),
            (keys["empty"], None, [("nothing", None)]),
            (keys["binary"], b"{}", [("ce_type", b"\xff\xfe"), ("reply_to", b"nowhere")]),
            (keys["again"], b"\xff\x00", []),
            (keys["again"], b"\xff\x00", []),  # parked behind the first
        ]
        for key, value, headers in sends:
            await producer.send_and_wait(WORK_ORDERS.name, value, key=key.encode(), headers=headers)
    return set(keys.values())
