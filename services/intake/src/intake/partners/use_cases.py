"""Registering partners, and agents with the names that partners have for them."""

from chassis.unit_of_work import UnitOfWork
from chassis.wakeup import JOBS
from contracts.directory import AgentDefined
from intake.partners import store
from intake.partners.domain import DeskAgent, Partner


async def define_partner(partner: Partner, *, uow: UnitOfWork) -> Partner:
    """Registers a partner or changes it; its topics are made by the worker within moments."""
    async with uow.command() as command:
        defined = await store.define_partner(command.tx, partner, now=command.now)
    uow.wakeup.send(JOBS)
    return defined


async def define_agent(agent: DeskAgent, *, uow: UnitOfWork) -> DeskAgent:
    """Registers an agent or changes them, with the names that partners have for them, and publishes it.

    Raises `AgentNameTaken`.
    """
    async with uow.command() as command:
        defined = await store.define_agent(command.tx, agent)
        event = AgentDefined(agent_id=agent.id, name=agent.name, team=agent.team, is_active=agent.is_active)
        command.publish(event, subject=f"agent:{agent.id}", entity_version=defined.version)
    return defined
