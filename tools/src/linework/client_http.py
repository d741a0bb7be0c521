"""The client's HTTP requests. Errors of httpx become `NotReached` here and nowhere else."""

import ssl
from functools import cache
from typing import Any

import httpx

_SECONDS = 30.0


class NotReached(Exception):
    """No answer arrived: nothing listens, the connection broke, or it took too long. The request may have been done."""


def new_http(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Connections to one service; `transport` replaces the network in tests.

    Not to several: for each request, httpx's pool looks at every connection that it has.
    """
    return httpx.AsyncClient(
        timeout=_SECONDS,
        # The callers bound the number of concurrent requests; a second limit would only delay them.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
        verify=_trusted_by_the_system(),
        # An HTTP proxy of this machine is of no use on the way to loopback or into a cluster.
        trust_env=False,
        transport=transport,
    )


@cache
def _trusted_by_the_system() -> ssl.SSLContext:
    return ssl.create_default_context()


async def send(http: httpx.AsyncClient, method: str, address: str, path: str, **request: Any) -> httpx.Response:
    """The response, whatever its status; raises `NotReached`."""
    try:
        return await http.request(method, address.rstrip("/") + path, **request)
    except httpx.TimeoutException as error:
        raise NotReached(f"{address} did not answer in time ({type(error).__name__})") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotReached(f"{address} cannot be reached: {error or type(error).__name__}") from error
