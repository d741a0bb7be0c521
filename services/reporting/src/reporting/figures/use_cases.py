"""Commands on the rules of figures."""

from collections.abc import Mapping
from typing import Any

from chassis.unit_of_work import UnitOfWork
from reporting.figures.rules import FigureRules
from reporting.figures.rules_store import put_figure_rules


async def set_figure_rules(rules: Mapping[str, Any], *, uow: UnitOfWork) -> FigureRules:
    """Writes the rules by their names; the seconds of silence and of three rings stay as they are where None.

    Raises `TimeZoneUnknown`.
    """
    async with uow.command() as command:
        return await put_figure_rules(command.tx, rules, by=command.actor.sub, now=command.now)
