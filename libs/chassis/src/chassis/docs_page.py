"""The interactive documentation at `/docs`, with a content security policy that names what it loads.

FastAPI generates the page, with a script, a style sheet and an inline script. The policy is derived from the
page: it permits the two addresses and the digest of the inline script only.
"""

import hashlib
import re
from base64 import b64encode

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route


def docs_route(title: str, openapi_url: str) -> Route:
    page = bytes(get_swagger_ui_html(openapi_url=openapi_url, title=title).body).decode()
    headers = {"content-security-policy": policy_of(page)}

    async def docs(_: Request) -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    return Route("/docs", docs, include_in_schema=False)


def policy_of(page: str) -> str:
    """What the page may load and run, and that its requests go to this service only."""
    digests = [
        f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    ]
    scripts = re.findall(r'<script src="([^"]+)"', page)
    styles = re.findall(r'<link [^>]*rel="stylesheet"[^>]*href="([^"]+)"', page)
    icons = re.findall(r'<link rel="shortcut icon" href="([^"]+)"', page)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join([*scripts, *digests])}",
            # Its components set styles of their own.
            f"style-src {' '.join(styles)} 'unsafe-inline'",
            f"img-src data: {' '.join(icons)}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
