"""A query with a parameter that the route does not know is refused: a filter that is misspelt would filter nothing."""

from collections.abc import Iterator
from urllib.parse import parse_qsl

from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.routing import Route
from starlette.types import Scope

from contracts.refusals import Invalid

EVERYWHERE = frozenset({"time_zone"})
"""The zone of the times in a problem document: `problems.zone_of` reads it on every route."""
_MOST_NAMED = 20


class UnknownParameters(Invalid):
    """The query has parameters that this route does not know: {unknown}. It knows: {known}."""

    zh = "此处没有查询参数 {unknown}；可用的参数：{known}。"


def known_parameters(route: Route) -> frozenset[str] | None:
    """The query parameters of a route of the API; None for pages and probes, whose callers may add what they like."""
    if not isinstance(route, APIRoute) or not route.include_in_schema:
        return None
    # A model of parameters counts as one parameter until it is flattened.
    asked = Dependant(query_params=[*_query_fields(route.dependant)])
    return EVERYWHERE | {field.alias for field in get_flat_params(asked)}


def _query_fields(dependant: Dependant) -> Iterator[ModelField]:
    yield from dependant.query_params
    for needed in dependant.dependencies:
        yield from _query_fields(needed)


def check_parameters(scope: Scope, known: frozenset[str]) -> None:
    """Raises `UnknownParameters`."""
    query = scope["query_string"].decode("latin-1")
    unknown = sorted({name for name, _ in parse_qsl(query, keep_blank_values=True)} - known) if query else []
    if unknown:
        raise UnknownParameters(unknown=unknown[:_MOST_NAMED], known=sorted(known))
