"""Routes of commands: a valid request is read without FastAPI's solving of dependencies.

FastAPI looks for every kind of parameter and parses the body a second time, in a profile a fifth of what Python needs
for an act. A command has one shape, namely path, body and context, and is validated here by the same pydantic types. A
request that does not fit is left to FastAPI, which reports its errors.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from fastapi import Request, Response
from fastapi.params import Depends, Path
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect

from chassis.http_limits import JSON

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class CommandRoute(APIRoute):
    """The `route_class` of a router with commands; routes of another shape are handled by FastAPI."""

    def get_route_handler(self) -> _Handler:
        whole, endpoint = super().get_route_handler(), self.endpoint
        shape = shape_of(endpoint)
        if shape is None:
            return whole

        async def handle(request: Request) -> Response:
            values = await shape.read(request)
            if values is None:
                return await whole(request)
            response: Response = await endpoint(**values)
            return response

        return handle


@dataclass(frozen=True, slots=True)
class CommandShape:
    """The parameters of a command's route, by name."""

    context: str
    context_of: Callable[[Request], Awaitable[Any]]
    body: str
    body_model: type[BaseModel]
    path: Mapping[str, TypeAdapter[Any]]

    async def read(self, request: Request) -> dict[str, Any] | None:
        """The arguments of the route; None when the request does not fit. Raises what the context raises."""
        try:
            await request.body()
        except ClientDisconnect:
            return None
        if JSON not in request.scope:
            return None
        try:
            values: dict[str, Any] = {self.body: self.body_model.model_validate(request.scope[JSON])}
            for name, adapter in self.path.items():
                values[name] = adapter.validate_python(request.path_params[name])
        except ValidationError:
            return None
        values[self.context] = await self.context_of(request)
        return values


def shape_of(endpoint: Callable[..., Any]) -> CommandShape | None:
    """The shape of a command's route; None for a route that has other parameters or does not return a `Response`."""
    hints = get_type_hints(endpoint, include_extras=True)
    if hints.pop("return", None) is not Response or not inspect.iscoroutinefunction(endpoint):
        return None
    contexts = {name: found for name, hint in hints.items() if (found := _marked(hint, Depends))}
    bodies = {name: hint for name, hint in hints.items() if isinstance(hint, type) and issubclass(hint, BaseModel)}
    path = {name: TypeAdapter(hint) for name, hint in hints.items() if _marked(hint, Path)}
    if len(contexts) != 1 or len(bodies) != 1 or len(path) + 2 != len(inspect.signature(endpoint).parameters):
        return None
    ((context, depends),), ((body, model),) = contexts.items(), bodies.items()
    if depends.dependency is None or [*inspect.signature(depends.dependency).parameters] != ["request"]:
        return None
    return CommandShape(context, depends.dependency, body, model, path)


def _marked(hint: Any, kind: type[Any]) -> Any:
    """The FastAPI marker of this kind in an `Annotated` type, or None."""
    return next((part for part in get_args(hint)[1:] if isinstance(part, kind)), None)
