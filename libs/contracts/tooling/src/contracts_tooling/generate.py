"""Writes what is generated from the catalogue: JSON Schemas, the AsyncAPI document and `docs/events.md`.

    python -m contracts_tooling.generate [--check] [--root FOLDER]

The same code gives the same bytes. `--check` writes nothing, names each file that differs and exits 1.
"""

from pathlib import Path

from contracts_tooling import asyncapi, events_page, generated, schemas

SCHEMAS_FOLDER = Path("libs/contracts/schemas")
PAGE = Path("docs/events.md")
SCHEMAS = f"{SCHEMAS_FOLDER}/*.json"


def documents(_: Path | None = None) -> dict[Path, str]:
    """The text of every generated file, by its path in the repository."""
    texts = {SCHEMAS_FOLDER / name: text for name, text in schemas.files().items()}
    texts[SCHEMAS_FOLDER / "asyncapi.json"] = schemas.json_text(asyncapi.document())
    texts[PAGE] = events_page.page()
    return texts


def differences(root: Path) -> list[str]:
    return generated.differences(documents, root, owned=SCHEMAS)


def main(arguments: list[str] | None = None) -> int:
    summary = (__doc__ or "").splitlines()[0]
    return generated.run("contracts_tooling.generate", summary, documents, arguments, owned=SCHEMAS)


if __name__ == "__main__":
    raise SystemExit(main())
