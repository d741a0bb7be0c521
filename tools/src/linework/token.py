"""`linework token`: a bearer token of the local issuer, for curl and scripts."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from linework.stopped import Stopped


def request_token(
    issuer: str, role: str, areas: Sequence[str] = (), sub: str | None = None, name: str | None = None
) -> str:
    """Ask the issuer at this address for a token that is good for twelve hours."""
    body: dict[str, Any] = {"role": role, "areas": list(areas)}
    body |= {key: value for key, value in (("sub", sub), ("name", name)) if value is not None}
    request = urllib.request.Request(
        f"{issuer}/token", data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    # An HTTP proxy of the machine is of no use on the way to loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as response:
            token: str = json.load(response)["access_token"]
            return token
    except urllib.error.HTTPError as error:
        raise Stopped(f"The issuer refuses the token: {_detail(error)}") from error
    except (OSError, ValueError) as error:
        raise Stopped(
            f"No issuer responds at {issuer} ({error}); start the installation with `linework up`."
        ) from error


def _detail(error: urllib.error.HTTPError) -> str:
    with error:
        try:
            detail: str = json.load(error)["detail"]
            return detail
        except (ValueError, KeyError):
            return f"status {error.code}"
