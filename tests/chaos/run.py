"""One run: load and faults from a seed, then peace, then everything is checked."""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.breakable import BreakableInstallation
from tests.chaos.checker import Report, check_history, read_stream
from tests.chaos.disks import why_no_small_disks
from tests.chaos.faults import plan
from tests.chaos.history import Command, History
from tests.chaos.injector import Injector
from tests.chaos.load import opened_load
from tests.chaos.poison import plant_poison

from linework.client import NotReached, Patience, Person, Refused, ServiceClients
from linework.verify import run as verification
from linework.verify.laws import Law, Violation

_REST_SECONDS = 120.0
_CHECK_SECONDS = 3600
_NOT_READABLE_YET = "(not readable yet; look again in a moment)"
_ASKED_AGAIN = 100

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    seed: int
    seconds: float
    rate: float = 2.0
    """Orders begun a second."""
    mean_gap: float = 1.5
    """Seconds between the beginnings of two faults, on average."""


@dataclass(slots=True)
class Outcome:
    timeline: list[str] = field(default_factory=list)
    report: Report = field(default_factory=Report)
    notes: list[str] = field(default_factory=list)


async def run(folder: Path, options: Options, say: Say) -> Outcome:
    """Everything of one run; raises only when the installation could not be brought up at all."""
    outcome = Outcome()
    say(f"seed {options.seed}, {options.seconds:.0f} s of faults, logs and history in {folder}")
    began_at = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    with closing(History(folder / "history.jsonl")) as history:
        async with BreakableInstallation(folder).running() as installation:
            say(f"everything is up after {time.monotonic() - began_at:.0f} s")
            await _break_and_check(installation, history, options, outcome, say)
    if why_no_small_disks():
        outcome.notes.append(f"No disk was full: {why_no_small_disks()}.")
    return outcome


async def _break_and_check(
    installation: BreakableInstallation, history: History, options: Options, outcome: Outcome, say: Say
) -> None:
    async with opened_load(installation.addresses_by_links, history, options.seed) as load:
        injector = Injector(installation)
        outcome.timeline = injector.timeline
        faults = plan(options.seed, options.seconds, injector.targets, mean_gap=options.mean_gap)
        telling = asyncio.create_task(load.run(options.seconds, options.rate), name="load")
        poison = asyncio.create_task(_poison(installation, injector, options), name="poison")
        await injector.run(faults)
        say(f"{len(faults)} faults; waiting until every command is answered")
        await asyncio.gather(telling, poison)
        injector.say("peace")
        await installation.all_ready()
        told = await load.finish()
    injector.say("every story has ended")
    outcome.notes.append(f"{told.stories} orders, {told.acts} acts, {told.retries} times asked again")
    outcome.report.check("no answer was impossible", told.acts, told.impossible)
    await _check(installation, history, poison.result(), outcome)


async def _poison(installation: BreakableInstallation, injector: Injector, options: Options) -> set[str]:
    await asyncio.sleep(options.seconds * 0.3)
    keys = await plant_poison(installation.bootstrap_servers, options.seed)
    injector.say(f"poison under {len(keys)} keys")
    return keys


async def _check(installation: BreakableInstallation, history: History, poison: set[str], outcome: Outcome) -> None:
    report = outcome.report
    async with ServiceClients(installation.addresses, patience=Patience(seconds=20)) as client:
        found = await verification.verify(
            client,
            wait_seconds=_REST_SECONDS,
            limit_seconds=_CHECK_SECONDS,
            acknowledged=None,
            say=lambda text: None,
        )
        report.check("the check came to its end", 1, [found.unfinished] if found.unfinished else [])
        for law in Law:
            if law in found.checked or law in found.findings.counts:
                broken = [violation for violation in found.findings.kept if violation.law is law]
                broken = [one for one in broken if not (law is Law.PARKED and _is_poison(one, poison))]
                report.check(law.value, found.checked.get(law, 0), (f"{one.where}: {one.what}" for one in broken))
        outcome.notes += found.notes
        report.check("every service parked the poison", len(client.services), await _missing_poison(client, poison))
        await _ask_again(client, history, report)
    check_history(history, await read_stream(installation.bootstrap_servers), report)
    deaths = [death for part in installation.parts.values() for death in part.deaths]
    report.check("nothing ended by itself", len(installation.parts), deaths)


def _is_poison(violation: Violation, poison: set[str]) -> bool:
    return any(f"key {key}:" in violation.what for key in poison)


async def _missing_poison(client: ServiceClients, poison: set[str]) -> list[str]:
    missing = []
    for name, service in client.services.items():
        parked = (await service.read("/v1/parked", by=Person("operator"), limit=200))["items"]
        missing += [f"{name} has not parked {key}" for key in sorted(poison - {row["key"] for row in parked})]
    return missing


async def _ask_again(client: ServiceClients, history: History, report: Report) -> None:
    """The same command with the same key, long afterwards: it must be told the same."""
    acknowledged = history.acknowledged
    sample = Random(len(acknowledged)).sample(acknowledged, min(_ASKED_AGAIN, len(acknowledged)))
    faults = [fault for command in sample if (fault := await _fault_of_second_answer(client, command))]
    report.check("the same command gets the same answer", len(sample), faults)


async def _fault_of_second_answer(client: ServiceClients, command: Command) -> str | None:
    service = client.services[command.service]
    try:
        answer = await service.call(
            "POST", command.path, command.body, by=command.by, version=command.version, key=command.key
        )
    except (Refused, NotReached) as error:
        return f"{command.path}, key {command.key}: {error}"
    if answer.status_code != command.status or not _is_as_before(command.answer, answer.json()):
        return f"{command.path}, key {command.key}: was {command.answer}, is {answer.text}"
    return None


def _is_as_before(was: Any, now: Any) -> bool:
    """Whether an answer is given again, but for a text whose key had not come when it was given first."""
    if isinstance(was, dict) and isinstance(now, dict):
        names = {*was, *now} - {"sealed_text"}
        return all(name in was and name in now and _is_as_before(was[name], now[name]) for name in names)
    if isinstance(was, list) and isinstance(now, list):
        return len(was) == len(now) and all(map(_is_as_before, was, now))
    return was == now or (isinstance(now, str) and was == _NOT_READABLE_YET)
