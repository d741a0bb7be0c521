"""The Bruno collection has every route once, with the token of a role that may use it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from deploy import bruno
from deploy.reference_pages import access_tables

from chassis import access as of_every_service
from contracts.lifecycle import Service

Files = dict[Path, str]


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    return bruno.documents()


@pytest.fixture(scope="module")
def files(documents: dict[str, dict[str, Any]]) -> Files:
    return bruno.files(documents)


def requests_of(files: Files, service: str) -> dict[str, str]:
    """By method and path, the text of its file."""
    found = {}
    for path, text in files.items():
        if path.parts[0] == service:
            request = re.search(r"^(get|post|put|patch|delete) {\n  url: \{\{\w+\}\}(\S+)", text, re.MULTILINE)
            assert request is not None, path
            address = re.sub(r":(\w+)", r"{\1}", request[2])
            found[f"{request[1].upper()} {address}"] = text
    return found


@pytest.mark.parametrize("service", list(Service))
def test_every_route_has_a_request(files: Files, documents: dict[str, dict[str, Any]], service: Service) -> None:
    paths = documents[service.value]["paths"]
    assert set(requests_of(files, service.value)) == {
        f"{method.upper()} {path}" for path in paths for method in paths[path]
    }


@pytest.mark.parametrize("service", list(Service))
def test_every_request_has_the_token_of_a_role_that_may_use_the_route(files: Files, service: Service) -> None:
    table = {**of_every_service.ROUTES, **access_tables()[service.value]}
    for route, text in requests_of(files, service.value).items():
        used = re.search(r"token: \{\{(\w+)_token\}\}", text)
        assert (used is None and not table[route]) or (used is not None and used[1] in table[route]), route


def test_every_parameter_of_a_path_and_every_required_field_of_a_body_is_there(files: Files) -> None:
    text = requests_of(files, "dispatch")["POST /v1/work-orders/{order_id}/dispatch"]
    assert "params:path {\n  order_id:" in text
    body = re.search(r"^body:json {\n(.*?)^}", text, re.MULTILINE | re.DOTALL)
    assert body is not None
    assert {"work_area_id", "staff_ids"} <= set(json.loads(body[1]))


def test_a_text_ends_no_block(files: Files) -> None:
    for text in (text for path, text in files.items() if path.suffix == ".bru"):
        opened, closed = (len(re.findall(pattern, text, re.MULTILINE)) for pattern in (r"^[\w:]+ [{[]$", r"^[}\]]$"))
        assert opened == closed > 0


def test_a_folder_that_is_no_collection_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").write_text("")
    monkeypatch.setattr("sys.argv", ["bruno", str(tmp_path)])
    with pytest.raises(SystemExit, match="is no collection"):
        bruno.main()
    assert (tmp_path / "mine").exists()
