"""Writes requirements.lock from every pyproject.toml of the repository; what `make lock` calls.

`uv.lock` would name package hosts. A compiled requirements file names packages and hashes only,
and plain pip reads it too.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
LOCK = REPOSITORY / "requirements.lock"
HEADER = "# Every package of this repository's environment, pinned by hash. Written by `make lock`.\n"


def wanted(projects: list[dict]) -> list[str]:
    """All that the packages, the groups of tools and the builds ask for, without our own packages."""
    own = {_name(project["project"]["name"]) for project in projects}
    asked: set[str] = set()
    for project in projects:
        asked.update(project["project"].get("dependencies", []))
        asked.update(project.get("build-system", {}).get("requires", []))
        for group in project.get("dependency-groups", {}).values():
            asked.update(group)
    return sorted(requirement for requirement in asked if _name(requirement) not in own)


def _name(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def main() -> None:
    parts = (".", "libs/*", "libs/*/tooling", "services/*", "tools", "tools/partner")
    files = [path for part in parts for path in REPOSITORY.glob(f"{part}/pyproject.toml")]
    requirements = wanted([tomllib.loads(path.read_text()) for path in files])
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "-", "--universal", "--python-version", "3.11"),
        *("--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"),
        *("--quiet", "--output-file", str(LOCK), *(["--upgrade"] if os.environ.get("UPGRADE") else [])),
    ]
    done = subprocess.run(command, input="\n".join(requirements), text=True, cwd=REPOSITORY)
    if done.returncode:
        sys.exit(done.returncode)
    LOCK.write_text(HEADER + LOCK.read_text())


if __name__ == "__main__":
    main()
