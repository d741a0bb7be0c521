"""Files that follow from the code: written, or compared with what stands in the repository."""

import argparse
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

Texts = Callable[[Path], Mapping[Path, str]]
"""The text of every generated file, by its path in the repository whose folder is given."""
_REPOSITORY = Path(__file__).resolve().parents[5]
"""The checkout that this file is in, whatever the current folder is."""


def differences(texts: Texts, root: Path, *, owned: str | None = None) -> list[str]:
    """The files that are missing, outdated or left over, one sentence each.

    Every file that matches the pattern `owned` is generated, so that any other is left over.
    """
    found = []
    wanted = texts(root)
    for path, text in wanted.items():
        if not (root / path).exists():
            found.append(f"{path} is missing")
        elif (root / path).read_text(encoding="utf-8") != text:
            found.append(f"{path} differs from the code")
    return found + [f"{path} is left over" for path in _left_over(wanted, root, owned)]


def write(texts: Texts, root: Path, *, owned: str | None = None) -> None:
    wanted = texts(root)
    for path, text in wanted.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    for path in _left_over(wanted, root, owned):
        (root / path).unlink()


def _left_over(wanted: Collection[Path], root: Path, owned: str | None) -> list[Path]:
    present = [file.relative_to(root) for file in sorted(root.glob(owned))] if owned else []
    return [path for path in present if path not in wanted]


def run(
    program: str, summary: str, texts: Texts, arguments: list[str] | None = None, *, owned: str | None = None
) -> int:
    """The command line of a generator: writes its files, or with `--check` compares them; returns the exit status."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=summary)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something differs")
    parser.add_argument("--root", type=Path, default=_REPOSITORY, help="the repository's folder")
    options = parser.parse_args(arguments)
    if not options.check:
        write(texts, options.root, owned=owned)
        return 0
    found = differences(texts, options.root, owned=owned)
    if found:
        print(*found, f"run: python -m {program}", sep="\n", file=sys.stderr)
    return 1 if found else 0
