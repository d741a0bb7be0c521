"""Asks the index of packages which of the locked ones are known to be vulnerable, and says how far each reaches.

    python -m deploy.audit [options of pip-audit, such as --vulnerability-service osv]

What `make audit` calls; it needs a network, and an index that knows of vulnerabilities. Exit status 1 when a package
in the images or the tools is vulnerable and `NOT_REACHED` does not say why that does not matter, and when nobody could
be asked about one: pip-audit itself takes an index that does not know a package for one that knows nothing bad of it.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from deploy.dependencies import LOCK, Part, installed, locked, parts

NOT_REACHED: Mapping[str, str] = {}
"""By the id of a vulnerability, why it cannot be reached here; to be taken out when its package is mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something known about a package."""

    package: str
    version: str
    vulnerability: str
    mended_in: tuple[str, ...]
    part: Part

    def __str__(self) -> str:
        mended = f"mended in {', '.join(self.mended_in)}" if self.mended_in else "not mended"
        why = f"; not reached: {NOT_REACHED[self.vulnerability]}" if self.vulnerability in NOT_REACHED else ""
        return f"{self.vulnerability} in {self.package} {self.version}, {self.part}; {mended}{why}"

    @property
    def matters(self) -> bool:
        return self.part is not Part.DEVELOPMENT and self.vulnerability not in NOT_REACHED


@dataclass(frozen=True, slots=True)
class Audit:
    findings: tuple[Finding, ...]
    asked: frozenset[str]
    """The packages of which the index told what it knows."""
    unasked: frozenset[str]

    @property
    def is_good(self) -> bool:
        return not self.unasked and not any(finding.matters for finding in self.findings)

    def told(self, reach: Mapping[str, Part]) -> str:
        counts = [f"{sum(reach[name] is part for name in self.asked)} {part}" for part in Part]
        lines = [f"asked about {len(self.asked)} packages: {', '.join(counts)}"]
        lines += map(str, sorted(self.findings, key=lambda one: (not one.matters, one.package)))
        if self.unasked:
            lines.append(f"nobody could be asked about {len(self.unasked)}: {', '.join(sorted(self.unasked))}")
        return "\n".join([*lines, "nothing known that matters" if self.is_good else "this is not a clean audit"])


def read(report: str, wanted: Mapping[str, Part]) -> Audit:
    """What pip-audit's JSON says about the packages that are wanted."""
    told = {canonicalize_name(one["name"]): one for one in json.loads(report)["dependencies"] if "vulns" in one}
    findings = [
        Finding(name, told[name]["version"], one["id"], tuple(one["fix_versions"]), wanted[name])
        for name in sorted(told)
        for one in told[name]["vulns"]
    ]
    return Audit(tuple(findings), frozenset(told), frozenset(wanted) - frozenset(told))


def applicable() -> dict[str, Part]:
    """The locked packages that are installed on machines like this one; pip-audit leaves out the others too."""
    there = installed()
    return {name: part for name, part in parts().items() if name in there and name in locked()}


def main(options: Sequence[str]) -> int:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--requirement", str(LOCK)]
    done = subprocess.run(
        [*command, "--format", "json", "--progress-spinner", "off", *options], capture_output=True, text=True
    )
    if not done.stdout.strip():
        print(done.stderr, file=sys.stderr)
        return 1
    wanted = applicable()
    audit = read(done.stdout, wanted)
    print(audit.told(wanted))
    return 0 if audit.is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
