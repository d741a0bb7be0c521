"""Files that follow from the code: written, or compared with what stands in the repository."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

Texts = Callable[[Path], Mapping[Path, str]]
"""The text of every generated file, by its path in the repository whose folder is given."""


def differences(texts: Texts, root: Path) -> list[str]:
    """The files that are missing or not what the code says, one sentence each."""
    return [
        f"{path} differs from the code"
        for path, text in texts(root).items()
        if not (root / path).exists() or (root / path).read_text(encoding="utf-8") != text
    ]


def run(program: str, summary: str, texts: Texts, arguments: list[str] | None = None) -> int:
    """The command line of a generator: writes its files, or with `--check` compares them; returns the exit status."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=summary)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something differs")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="the repository's folder")
    options = parser.parse_args(arguments)
    if options.check:
        found = differences(texts, options.root)
        print("\n".join(found), file=sys.stderr)
        return 1 if found else 0
    for path, text in texts(options.root).items():
        (options.root / path).write_text(text, encoding="utf-8")
    return 0
