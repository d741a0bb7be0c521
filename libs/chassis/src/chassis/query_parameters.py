"""A query with a parameter that the route does not know is refused: a filter that is misspelt would filter nothing.

So is one that is given twice where the route takes one value: another reader of the query might take the other value.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl

from fastapi._compat import ModelField, field_annotation_is_sequence
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


class RepeatedParameters(Invalid):
    """The query has parameters more than once of which this route takes one value: {repeated}."""

    zh = "此处只接受一个值的查询参数出现了多次：{repeated}。"


class KnownParameters(NamedTuple):
    """The query parameters of a route."""

    names: frozenset[str]
    lists: frozenset[str]
    """Those that take several values."""


def known_parameters(route: Route) -> KnownParameters | None:
    """The query parameters of a route of the API; None for pages and probes, whose callers may add what they like."""
    if not isinstance(route, APIRoute) or not route.include_in_schema:
        return None
    # A model of parameters counts as one parameter until it is flattened.
    asked = Dependant(query_params=[*_query_fields(route.dependant)])
    fields = get_flat_params(asked)
    lists = frozenset(field.alias for field in fields if field_annotation_is_sequence(field.field_info.annotation))
    return KnownParameters(EVERYWHERE | {field.alias for field in fields}, lists)


def _query_fields(dependant: Dependant) -> Iterator[ModelField]:
    yield from dependant.query_params
    for needed in dependant.dependencies:
        yield from _query_fields(needed)


def check_parameters(scope: Scope, known: KnownParameters) -> None:
    """Raises `UnknownParameters` or `RepeatedParameters`."""
    query = scope["query_string"].decode("latin-1")
    if not query:
        return
    counts = Counter(name for name, _ in parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(counts.keys() - known.names):
        raise UnknownParameters(unknown=unknown[:_MOST_NAMED], known=sorted(known.names))
    if repeated := sorted(name for name, count in counts.items() if count > 1 and name not in known.lists):
        raise RepeatedParameters(repeated=repeated)
