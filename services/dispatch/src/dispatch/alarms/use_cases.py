"""What people do about alarms: change the ladder, and say that they have seen one."""

from chassis.one_statement import execute_together
from chassis.unit_of_work import UnitOfWork
from chassis.wakeup import JOBS
from contracts.escalation import SUBJECT, EscalationRulesDefined
from contracts.refusals import NotFound
from dispatch.alarms import store
from dispatch.alarms.ladder import check_escalation_rules


class AlarmNotFound(NotFound):
    """There is no alarm {alarm_id} that you may see."""

    zh = "没有您可以查看的告警 {alarm_id}。"


async def set_escalation_rules(rules: EscalationRulesDefined, *, uow: UnitOfWork) -> None:
    """Defines the next version of the ladder; unchanged rules make none.

    Raises what `check_escalation_rules` raises.
    """
    check_escalation_rules(rules)
    async with uow.command() as command:
        await store.ESCALATION.lock(command.tx)
        present = await store.ESCALATION.newest(command.tx)
        if rules != present.rules:
            message = command.publish(rules, subject=SUBJECT, entity_version=present.version + 1)
            await execute_together(command.tx, store.ESCALATION.added([message]))
            await store.look_at_all(command.tx)
    uow.wakeup.send(JOBS)


async def acknowledge_alarm(alarm_id: str, *, uow: UnitOfWork) -> None:
    """Raises `AlarmNotFound`, also for an order of another area."""
    async with uow.command() as command:
        is_there = await store.acknowledge(command.tx, alarm_id, uow.areas, by=command.actor.sub, at=command.now)
        if not is_there:
            raise AlarmNotFound(alarm_id=alarm_id)
