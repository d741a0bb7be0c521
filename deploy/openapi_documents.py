"""Writes `docs/openapi`: the OpenAPI document of each service, as it serves it at `/openapi.json`.

    python -m deploy.openapi_documents [--check] [--root FOLDER]

Paths and schemas are sorted; the same code gives the same bytes. `--check` writes nothing, names each document that
differs and exits 1.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from chassis.openapi import Schema
from chassis.settings import Settings
from contracts.lifecycle import Service
from contracts_tooling import generated

FOLDER = Path("docs/openapi")
OWNED = f"{FOLDER}/*.json"
_SETTINGS = {
    "environment": "local",
    "database_url": "postgresql://nobody@localhost/nothing",
    "kafka_bootstrap_servers": "localhost:1",
    "oidc_issuer": "http://localhost",
    "oidc_audience": "linework",
    "sealing_master_keys": f"k1:{'A' * 43}=",
}
"""What a process needs to start; nothing of it is in a document."""


def document_of(service: Service) -> Schema:
    app: Any = importlib.import_module(f"{service.value}.main").app(Settings(**_SETTINGS))
    document: Schema = app.openapi()
    return document | {"paths": dict(sorted(document["paths"].items()))}


def documents(_: Path | None = None) -> dict[Path, str]:
    """The text of every document, by its path in the repository."""
    return {FOLDER / f"{service.value}.json": text_of(document_of(service)) for service in Service}


def text_of(document: Schema) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def differences(root: Path) -> list[str]:
    """The documents that are missing, outdated or left over."""
    return generated.differences(documents, root, owned=OWNED)


def main(arguments: list[str] | None = None) -> int:
    summary = (__doc__ or "").splitlines()[0]
    return generated.run("deploy.openapi_documents", summary, documents, arguments, owned=OWNED)


if __name__ == "__main__":
    sys.exit(main())
