"""Writes what is generated from the catalogue: JSON Schemas, the AsyncAPI document and `docs/events.md`.

    python -m contracts_tooling.generate [--check] [--root FOLDER]

The same code gives the same bytes. `--check` writes nothing, names each file that differs and exits 1.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from contracts_tooling import asyncapi, events_page, schemas

SCHEMAS_FOLDER = Path("libs/contracts/schemas")
PAGE = Path("docs/events.md")


def documents() -> dict[Path, str]:
    """The text of every generated file, by its path in the repository."""
    texts = {SCHEMAS_FOLDER / name: text for name, text in schemas.files().items()}
    texts[SCHEMAS_FOLDER / "asyncapi.json"] = schemas.json_text(asyncapi.document())
    texts[PAGE] = events_page.page()
    return texts


def differences(root: Path) -> list[str]:
    """What is missing, differs or is left over, one sentence each."""
    texts = documents()
    found = []
    for path, text in texts.items():
        if not (root / path).exists():
            found.append(f"{path} is missing")
        elif (root / path).read_text(encoding="utf-8") != text:
            found.append(f"{path} differs from the code")
    return found + [f"{path} is of no message of the catalogue" for path in _left_over(root, texts)]


def write(root: Path) -> None:
    texts = documents()
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    for path in _left_over(root, texts):
        (root / path).unlink()


def _left_over(root: Path, texts: Mapping[Path, str]) -> list[Path]:
    present = (file.relative_to(root) for file in sorted((root / SCHEMAS_FOLDER).glob("*.json")))
    return [path for path in present if path not in texts]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m contracts_tooling.generate", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something differs")
    parser.add_argument("--root", type=Path, default=_repository(), help="the repository's folder")
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.root)
        return 0
    found = differences(options.root)
    for sentence in found:
        print(sentence)
    if found:
        print("run: python -m contracts_tooling.generate")
    return 1 if found else 0


def _repository() -> Path:
    """The checkout that this file is in: where it is installed from, not where one stands."""
    return Path(__file__).resolve().parents[5]


if __name__ == "__main__":
    raise SystemExit(main())
