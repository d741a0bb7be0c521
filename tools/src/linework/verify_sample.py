"""`linework redraw PLAN`: repeats the draw of a sample from public data and compares the result.

Written from `docs/quality.md` alone: it shares no code with qa, so that an error in either shows as a difference.
"""

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linework.runtime.commands import StateFolder
from linework.session import in_installation
from linework.stopped import Stopped

if TYPE_CHECKING:
    from linework.client import ServiceClients

_MOST_SHOWN = 20
_ALGORITHM = "linework-draw-1"


def verify_sample(
    plan: Annotated[str, typer.Argument(help="Id of the sampling plan.")],
    committed: Annotated[
        str | None, typer.Option("--committed", help="SHA-256 of the seed, noted when the plan was published.")
    ] = None,
    state_folder: StateFolder = None,
) -> None:
    """Repeat the draw of a sampling plan from its seed and frame; exit status 1 if the sample differs."""
    drawn, frame = in_installation(lambda city: _read(city, plan), state_folder)
    if drawn["drawn"] is None:
        raise Stopped(f"Plan {plan} has not been drawn yet: its period ends at {drawn['content']['period_end']}.")
    faults = differences(drawn, frame, committed=committed)
    for fault in faults[:_MOST_SHOWN]:
        typer.echo(fault)
    if len(faults) > _MOST_SHOWN:
        typer.echo(f"… and {len(faults) - _MOST_SHOWN} more.")
    if not faults:
        size = sum(row["is_drawn"] for row in frame)
        typer.echo(f"The same sample: {size} of {len(frame)} recordings, each with the published probability.")
    raise typer.Exit(1 if faults else 0)


async def _read(city: "ServiceClients", plan_id: str) -> tuple[Any, list[Any]]:
    from linework.client import OPERATOR

    path = f"/v1/sampling-plans/{plan_id}"
    plan = await city.qa.read(path, by=OPERATOR)
    return plan, [row async for row in city.qa.items(f"{path}/frame", by=OPERATOR)]


def differences(plan: Any, frame: list[Any], *, committed: str | None = None) -> list[str]:
    """Deviations from the published sample, one sentence each."""
    drawn, faults = plan["drawn"], []
    seed = bytes.fromhex(drawn["seed"])
    content = plan["content"] | {name: _moment(plan["content"][name]) for name in ("period_start", "period_end")}
    for what, found, said in (
        ("the algorithm", drawn["algorithm"], _ALGORITHM),
        ("the seed's hash", hashlib.sha256(seed).hexdigest(), plan["seed_digest"]),
        ("the seed's hash", plan["seed_digest"], committed or plan["seed_digest"]),
        ("the plan's hash", hashlib.sha256(_canonical(content)).hexdigest(), plan["plan_digest"]),
        ("the frame's hash", _frame_digest(frame), drawn["frame_digest"]),
    ):
        if found != said:
            faults.append(f"{what} is {found}, {said} was committed to.")
    again = draw(content, [row["facts"] for row in frame], seed)
    for row in frame:
        name = row["facts"]["recording_id"]
        found = (row["stratum"], Fraction(row["numerator"], row["denominator"]), row["is_drawn"])
        if again[name] != found:
            faults.append(f"recording {name}: published {_said(found)}, drawn again {_said(again[name])}.")
    return faults


Luck = tuple[str | None, Fraction, bool]
"""Stratum, chance, and whether it is in the sample."""


def _said(luck: Luck) -> str:
    stratum, chance, is_drawn = luck
    return f"{'in' if is_drawn else 'not in'} the sample with chance {chance} in {stratum or 'no stratum'}"


def draw(content: Any, frame: list[Any], seed: bytes) -> dict[str, Luck]:
    """By recording id."""
    luck: dict[str, Luck] = {}
    strata: dict[str, list[tuple[str, int]]] = defaultdict(list)
    quotas: dict[str, int] = {}
    for facts in frame:
        name = facts["recording_id"]
        fitting = next((one for one in content["strata"] if _fits(one["where"], facts)), None)
        if any(_fits(where, facts) for where in content["mandatory"]):
            luck[name] = ("mandatory", Fraction(1), True)
        elif fitting is None:
            luck[name] = (None, Fraction(0), False)
        else:
            stratum = f"{fitting['stratum']}/{facts['agent_id']}"
            quotas[stratum] = fitting["quota_per_agent"]
            strata[stratum].append((name, _size(content["risk_weights"], facts)))
    for stratum, members in strata.items():
        luck |= _draw_stratum(stratum, members, quotas[stratum], seed)
    return luck


def _size(weights: Iterable[Any], facts: Any) -> int:
    size = 1
    for weight in weights:
        if _fits(weight["where"], facts):
            size = min(size * weight["factor"], 1_000_000)
    return size


def _draw_stratum(stratum: str, members: list[tuple[str, int]], quota: int, seed: bytes) -> dict[str, Luck]:
    luck: dict[str, Luck] = {}
    quota = min(quota, len(members))
    while quota:
        total = sum(size for _, size in members)
        certain = [name for name, size in members if quota * size >= total]
        if not certain:
            break
        luck |= dict.fromkeys(certain, (stratum, Fraction(1), True))
        members = [(name, size) for name, size in members if name not in luck]
        quota -= len(certain)
    if not quota:
        return luck | {name: (stratum, Fraction(0), False) for name, _ in members}
    total = sum(size for _, size in members)
    points = {_start(stratum, total, seed) + step * total for step in range(quota)}
    begin = 0
    for name, size in sorted(members, key=lambda member: _hmac(seed, f"order\n{member[0]}")):
        end = begin + quota * size
        luck[name] = (stratum, Fraction(quota * size, total), any(begin <= point < end for point in points))
        begin = end
    return luck


def _start(stratum: str, total: int, seed: bytes) -> int:
    counter = 0
    while True:
        number = int.from_bytes(_hmac(seed, f"start\n{stratum}\n{counter}"), "big")
        if number < 2**256 // total * total:
            return number % total
        counter += 1


def _hmac(seed: bytes, text: str) -> bytes:
    return hmac.new(seed, text.encode(), hashlib.sha256).digest()


def _fits(where: Any, facts: Any) -> bool:
    for plural, fact in (("agents", "agent_id"), ("queues", "queue"), ("channels", "channel")):
        if where[plural] and facts[fact] not in where[plural]:
            return False
    if where["demand_types"] and facts["demand_type"] not in where["demand_types"]:
        return False
    for quantity in ("length_{}_seconds", "seniority_{}_months"):
        low, high = where[quantity.format("from")], where[quantity.format("below")]
        known = facts[quantity.format("x").replace("_x", "")]
        if low is None and high is None:
            continue
        if known is None or (low is not None and known < low) or (high is not None and known >= high):
            return False
    return True


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _frame_digest(frame: list[Any]) -> str:
    lines = sorted((row["facts"]["recording_id"], _canonical(row["facts"])) for row in frame)
    return hashlib.sha256(b"".join(line + b"\n" for _, line in lines)).hexdigest()


def _moment(text: str) -> str:
    from datetime import UTC, datetime

    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
