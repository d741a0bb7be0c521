"""`make chaos`: a run as long as one likes. The exit status is 1 when anything was lost, doubled or out of order."""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import Options, Outcome, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="the same seed, the same faults")
    parser.add_argument("--minutes", type=float, default=10, help="how long faults are made")
    parser.add_argument("--rate", type=float, default=2.0, help="orders begun a second")
    parser.add_argument("--gap", type=float, default=2.0, help="seconds between two faults, on average")
    parser.add_argument("--folder", type=Path, help="keep data, logs and history here")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="linework-chaos-"))
    outcome = asyncio.run(run(folder, Options(given.seed, given.minutes * 60, given.rate, given.gap), say))
    show(outcome, given.seed)
    if not outcome.report.faults and given.folder is None:
        shutil.rmtree(folder)
    return 1 if outcome.report.faults else 0


def say(text: str) -> None:
    print(text, flush=True)


def show(outcome: Outcome, seed: int) -> None:
    say("\nWhat happened:")
    for line in outcome.timeline:
        say(line)
    say("\nWhat was checked:")
    for what, count in outcome.report.checked.items():
        say(f"{count:8d}  {what}")
    for note in outcome.notes:
        say(note)
    for fault in outcome.report.faults[:100]:
        say(f"BROKEN  {fault}")
    say(
        f"\nSeed {seed}: " + (f"{len(outcome.report.faults)} faults." if outcome.report.faults else "everything holds.")
    )


if __name__ == "__main__":
    sys.exit(main())
