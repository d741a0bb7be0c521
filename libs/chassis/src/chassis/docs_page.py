"""The interactive documentation at `/docs`, with a content security policy that names what it loads.

FastAPI generates the page, with a script, a style sheet and an inline script. The files are Swagger UI's own, from a
package: the page needs no other server. All its addresses are relative, so it stands behind any prefix. The policy is
derived from the page: it permits our own address, and of inline scripts those with their digest.
"""

import hashlib
import re
from base64 import b64encode
from pathlib import Path

import fastapi_offline
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

_TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon.png": "image/png"}
_FOLDER = Path(fastapi_offline.__file__).parent / "static"
_CACHED = {"cache-control": "public, max-age=3600"}


def docs_routes(title: str) -> list[Route]:
    """The page, and the files that it loads."""
    script, style, icon = (f"docs/{name}" for name in _TYPES)
    made = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=title,
        swagger_js_url=script,
        swagger_css_url=style,
        swagger_favicon_url=icon,
    )
    page = bytes(made.body).decode()
    headers = {"content-security-policy": policy_of(page)}

    async def docs(_: Request) -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    return [
        Route("/docs", docs, include_in_schema=False),
        Route("/docs/{name}", _file, include_in_schema=False),
    ]


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _TYPES:
        raise HTTPException(404)
    return Response((_FOLDER / name).read_bytes(), media_type=_TYPES[name], headers=_CACHED)


def policy_of(page: str) -> str:
    """What the page may load and run, and that its requests go to this service only."""
    digests = [
        f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    ]
    scripts = _sources(re.findall(r'<script src="([^"]+)"', page))
    styles = _sources(re.findall(r'<link [^>]*rel="stylesheet"[^>]*href="([^"]+)"', page))
    icons = _sources(re.findall(r'<link rel="shortcut icon" href="([^"]+)"', page))
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


def _sources(addresses: list[str]) -> list[str]:
    """Our own address once, for all that is relative."""
    return sorted({address if "://" in address else "'self'" for address in addresses})
