"""Commands on the rules of the wallboard."""

from chassis.unit_of_work import UnitOfWork
from reporting.wallboard.levels import WallboardRules
from reporting.wallboard.rules_store import StoredRules, put_wallboard_rules


async def set_wallboard_rules(rules: WallboardRules, *, uow: UnitOfWork) -> StoredRules:
    """Replaces the rules; raises `ThresholdsInverted`, `ShareBeyondOne` or `ColourUnreadable`."""
    rules.check()
    async with uow.command() as command:
        return await put_wallboard_rules(command.tx, rules, by=command.actor.sub, now=command.now)
