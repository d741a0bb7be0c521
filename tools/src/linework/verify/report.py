"""Prints the findings of `verify` as text or JSON."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from linework.verify.laws import Law
from linework.verify.outcome import Outcome

_MOST_SHOWN = 50


def show(outcome: Outcome, console: Console) -> None:
    table = Table("law", "checked", "broken", title=f"Checked from the {outcome.source}", title_justify="left")
    for law in Law:
        if law in outcome.checked or law in outcome.findings.counts:
            broken = outcome.findings.counts.get(law, 0)
            table.add_row(law.value, str(outcome.checked.get(law, "–")), f"[red]{broken}[/]" if broken else "0")
    console.print(table)
    for note in outcome.notes:
        console.print(note, markup=False, highlight=False)
    for violation in outcome.findings.kept[:_MOST_SHOWN]:
        console.print(
            f"{violation.law.name.lower()}: {violation.where}: {violation.what}", markup=False, highlight=False
        )
    left = outcome.findings.count - _MOST_SHOWN
    if left > 0:
        console.print(f"… and {left} more.")
    if causes := str(outcome.causes):
        console.print(f"Causes of differences: {causes}.", markup=False, highlight=False)
    for name, count in outcome.causes.unknown_types.items():
        console.print(f"Unknown type {name}: {count} messages.", markup=False, highlight=False)
    if outcome.unfinished:
        console.print(f"Not everything was checked: {outcome.unfinished}.", markup=False, highlight=False)
    console.print("Every law holds." if outcome.is_lawful else f"{outcome.findings.count} violations.")


def as_json(outcome: Outcome) -> str:
    return json.dumps(
        {
            "is_lawful": outcome.is_lawful,
            "is_finished": outcome.unfinished is None,
            "unfinished_because": outcome.unfinished,
            "source": outcome.source,
            "laws": [
                {
                    "law": law.name.lower(),
                    "meaning": law.value,
                    "checked": outcome.checked.get(law),
                    "broken": outcome.findings.counts.get(law, 0),
                }
                for law in Law
            ],
            "violations": [
                {"law": violation.law.name.lower(), "where": violation.where, "what": violation.what}
                for violation in outcome.findings.kept
            ],
            "causes": asdict(outcome.causes),
            "notes": outcome.notes,
        },
        ensure_ascii=False,
        indent=2,
    )
