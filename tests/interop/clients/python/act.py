"""What a client that is generated from `docs/openapi` does: registers a subscriber, changes it, and meets a refusal.

python act.py ADDRESS TOKEN
"""

import json
import sys

from linework_intake_client import AuthenticatedClient
from linework_intake_client.api.subscribers import change_subscriber, create_subscriber
from linework_intake_client.models import NewSubscriber, Problem, SubscriberChanges, SubscriberOfOrder


def main(address: str, token: str) -> None:
    client = AuthenticatedClient(base_url=address, token=token)
    wanted = NewSubscriber(subscriber_no="py-1", name="王小明", phones=["13800001111"], address="漕溪路 251 号")
    made = create_subscriber.sync(client=client, body=wanted, idempotency_key="py-1")
    assert isinstance(made, SubscriberOfOrder), made

    def change(address: str) -> SubscriberOfOrder | Problem | None:
        changes = SubscriberChanges(address=address)
        return change_subscriber.sync(made.id, client=client, body=changes, if_match='"1"')

    changed, refused = change("漕溪路 252 号"), change("漕溪路 253 号")
    assert isinstance(changed, SubscriberOfOrder), changed
    assert isinstance(refused, Problem), refused
    print(json.dumps({"version": changed.version, "address": changed.address, "code": refused.code}))


if __name__ == "__main__":
    main(*sys.argv[1:])
