"""The page that the `type` of a problem document opens: every code of this service, in Chinese or English.

It is made of the refusals that this process has loaded, so no code can be without its entry. `docs/errors.md` has those
of all services.
"""

import re
from collections.abc import Iterator
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from chassis.problems import ERRORS_PATH, TITLES, language_for, status_of
from contracts.refusals import Refusal

_TITLE = {"en": "Error codes", "zh": "错误代码"}
_KIND = re.compile(r"{(\w+):\w+}")
"""A placeholder with the kind of its value, which says how `detail` shows it."""


def sentence_of(refusal: type[Refusal], language: str) -> str:
    """The sentence with the names of what stands in it, in braces."""
    return _KIND.sub("{\\1}", refusal.template(language))


def errors_route() -> Route:
    async def errors(request: Request) -> HTMLResponse:
        language = language_for(request)
        headers = {"content-language": language, "vary": "accept-language"}
        return HTMLResponse(_page(language), headers=headers)

    return Route(ERRORS_PATH, errors, include_in_schema=False)


def _page(language: str) -> str:
    entries = "".join(dict.fromkeys(_entry(refusal, language) for refusal in sorted(_loaded(), key=_code)))
    title, tag = _TITLE[language], "zh-CN" if language == "zh" else "en"
    return (
        f'<!doctype html><html lang="{tag}"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><dl>{entries}</dl></html>\n"
    )


def _entry(refusal: type[Refusal], language: str) -> str:
    status = status_of(refusal)
    title, sentence = TITLES[status][language == "zh"], escape(sentence_of(refusal, language))
    return f'<dt id="{refusal.code}"><code>{refusal.code}</code><dd>{status.value} {title}<br>{sentence}\n'


def _loaded(family: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for child in family.__subclasses__():
        yield child
        yield from _loaded(child)


def _code(refusal: type[Refusal]) -> str:
    return refusal.code
