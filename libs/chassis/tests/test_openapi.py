"""What the OpenAPI document of a service says beside what FastAPI derives."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from chassis.any_route import ANY
from chassis.http import create_app
from chassis.openapi import Documentation
from chassis.problems import Responses, VersionRequired
from chassis.request_context import CommandContext
from chassis.testing import settings_for
from chassis.unit_of_work import ThingChanged
from contracts.access import EVERY_AREA, Role

router = APIRouter(prefix="/v1", tags=["toys"])


@dataclass
class Part:
    size: int
    """In millimetres."""
    colour: str = "red"


class Toy(BaseModel):
    name: str
    version: int
    part: Part
    price: int = Field(description="In cents.")


class NewToy(BaseModel):
    name: str
    is_new: bool


@router.put("/toys/{name}", response_model=Toy, responses=Responses.of((*ANY, ThingChanged, VersionRequired)))
async def change_toy(name: str, body: NewToy, context: CommandContext) -> Response:
    """Changes a toy."""
    raise NotImplementedError


@router.post("/toys", response_model=Toy, responses=Responses.of(ANY))
async def make_toy(body: NewToy, context: CommandContext) -> Response:
    """Makes a toy."""
    raise NotImplementedError


@router.get("/toys", responses=Responses.of(ANY))
async def list_toys(colour: Annotated[str | None, Query()] = None) -> list[Toy]:
    """All toys."""
    raise NotImplementedError


DOCUMENTATION = Documentation(
    tags={"toys": "What children play with."},
    vocabularies={
        "": {
            "size": "How large.",
            "colour": "The colour.",
            "name": "The name.",
            "Toy.name": "What the box says.",
            "price": "The price.",
            "list_toys.colour": "Only toys of this colour.",
        }
    },
    examples={"name": "bear"},
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    access = {key: {Role.AGENT: EVERY_AREA} for key in ("PUT /v1/toys/{name}", "POST /v1/toys", "GET /v1/toys")}
    settings = settings_for("postgresql://a@b/c")
    return create_app(
        "toy", settings, [router], description="Toys.", access=access, documentation=DOCUMENTATION
    ).openapi()


def operation(document: dict[str, Any], method: str, path: str = "/v1/toys") -> dict[str, Any]:
    return document["paths"][path][method]


def meaning(document: dict[str, Any], model: str, field: str) -> str | None:
    return document["components"]["schemas"][model]["properties"][field].get("description")


def test_an_operation_is_called_like_its_function(document: dict[str, Any]) -> None:
    asked = operation(document, "put", "/v1/toys/{name}")
    assert (asked["operationId"], asked["summary"]) == ("change_toy", "Change toy")


def test_what_stands_at_a_field_comes_before_the_vocabulary(document: dict[str, Any]) -> None:
    assert meaning(document, "Part", "size") == "In millimetres."
    assert meaning(document, "Toy", "price") == "In cents."


def test_a_word_of_the_model_comes_before_the_word_of_all(document: dict[str, Any]) -> None:
    assert meaning(document, "Toy", "name") == "What the box says."
    assert meaning(document, "NewToy", "name") == "The name."
    assert meaning(document, "Part", "colour") == "The colour."


def test_a_parameter_has_the_word_of_its_operation(document: dict[str, Any]) -> None:
    (parameter,) = operation(document, "get")["parameters"]
    assert parameter["description"] == "Only toys of this colour."


def test_if_match_is_required_where_its_absence_is_refused_and_nowhere_asked_in_vain(document: dict[str, Any]) -> None:
    required = {one["name"]: one["required"] for one in operation(document, "put", "/v1/toys/{name}")["parameters"]}
    assert required == {"name": True, "If-Match": True, "Idempotency-Key": False, "X-Correlation-Id": False}
    assert "If-Match" not in {one["name"] for one in operation(document, "post")["parameters"]}


def test_a_command_that_shows_a_version_has_its_entity_tag(document: dict[str, Any]) -> None:
    assert list(operation(document, "post")["responses"]["200"]["headers"]) == ["ETag", "X-Request-Id"]
    assert "ETag" not in operation(document, "get")["responses"]["200"]["headers"]


def test_refusals_are_defined_once_with_their_headers(document: dict[str, Any]) -> None:
    refused = operation(document, "get")["responses"]["429"]
    assert refused == {"$ref": "#/components/responses/TooManyRequests"}
    shared = document["components"]["responses"]
    assert (
        list(shared["TooManyRequests"]["headers"])
        == list(shared["ServiceUnavailable"]["headers"])
        == ["Retry-After", "X-Request-Id"]
    )
    assert shared["Unauthorized"]["content"]["application/problem+json"]["schema"]["$ref"].endswith("/Problem")


def test_a_body_has_an_example_of_what_it_requires(document: dict[str, Any]) -> None:
    assert document["components"]["schemas"]["NewToy"]["examples"] == [{"name": "bear", "is_new": True}]


def test_a_group_of_routes_has_a_text(document: dict[str, Any]) -> None:
    assert {"name": "toys", "description": "What children play with."} in document["tags"]
