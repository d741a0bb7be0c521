"""Who may do what on Kafka, from the published language: writers by the catalogue, readers by what services listen to.

Nothing here is decided a second time. A topic's writers are the owners of its messages, a service's readers are its
`consumers.SUBSCRIPTIONS`, and a partner has the two topics of its own: it writes one and reads the other. What a
service takes back after its database was restored (`consumers.OWN`), it may read too: the command comes as the worker.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from contracts.catalogue import CATALOGUE
from contracts.lifecycle import Service
from contracts.topics import PARTNER_IN, PARTNER_OUT, TEMPLATES, TOPICS, Topic, topic_of_partner


@dataclass(frozen=True, slots=True)
class Rights:
    """What one user may do. Whoever reads also keeps positions in groups that begin with `group_prefix`."""

    user: str
    writes: tuple[str, ...]
    reads: tuple[str, ...]
    group_prefix: str


def topics(partners: Sequence[str]) -> list[Topic]:
    """Every topic of an installation with these partners."""
    return [*TOPICS, *(topic_of_partner(template, partner) for partner in partners for template in TEMPLATES)]


def writers(topic: Topic) -> set[Service]:
    """The services that a message of this topic can come from."""
    return {owner for entry in CATALOGUE if entry.topic.name == topic.kind for owner in entry.owners}


def readers(topic: Topic) -> set[Service]:
    """The services that listen to this topic. A partner is heard by whoever answers it."""
    if topic.kind == PARTNER_IN.name:
        return writers(PARTNER_OUT)
    return {service for service in Service if topic.kind in _listened_to(service)}


def _listened_to(service: Service) -> set[str]:
    return {subscription.topic.kind for subscription in _consumers(service).SUBSCRIPTIONS}


def takes_back(service: Service) -> set[str]:
    """The topics that `python -m chassis.restored` reads from their beginning, besides where the others end."""
    return {subscription.topic.kind for subscription in getattr(_consumers(service), "OWN", ())}


def _consumers(service: Service) -> ModuleType:
    return importlib.import_module(f"{service.value}.consumers")


def worker_of(service: Service) -> str:
    """The user that a service's worker is at the broker; its HTTP process never talks to Kafka."""
    return f"{service.value}-worker"


def rights_of_services(partners: Sequence[str]) -> list[Rights]:
    every = topics(partners)
    return [
        Rights(
            user=worker_of(service),
            writes=tuple(topic.name for topic in every if service in writers(topic)),
            reads=tuple(
                topic.name for topic in every if service in readers(topic) or topic.kind in takes_back(service)
            ),
            group_prefix=f"{service.value}.",
        )
        for service in Service
    ]


def rights_of_partner(partner: str) -> Rights:
    return Rights(
        user=f"partner-{partner}",
        writes=(topic_of_partner(PARTNER_IN, partner).name,),
        reads=(topic_of_partner(PARTNER_OUT, partner).name,),
        group_prefix=f"partner.{partner}.",
    )
