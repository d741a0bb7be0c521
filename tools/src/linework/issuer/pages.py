"""What a person sees: who they want to be, and why a sign-in goes no further. No scripts, Chinese or English."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse

from linework.issuer.accounts import ACCOUNTS, ROLE_NAMES, Account
from linework.issuer.requests import Params
from linework.reference_data import WORK_AREAS

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;
  max-width: 60rem; margin: 0 auto; padding: 0 1rem 3rem }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem }
.warning { background: #b42318; color: #fff; padding: .6rem 1rem; border-radius: .4rem; margin: 1rem 0 }
h1 { font-size: 1.5rem }
h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .5rem;
  list-style: none; padding: 0; margin: 0 }
button { width: 100%; font: inherit; text-align: left; padding: .6rem .8rem; border: 1px solid #8886;
  border-radius: .4rem; background: #8881; color: inherit; cursor: pointer }
button:hover { border-color: #1570ef }
button:focus-visible, a:focus-visible { outline: 3px solid #1570ef; outline-offset: 2px }
small { display: block; opacity: .8 }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


_CARRIED = (
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method", "ui_locales"),
)
"""What the page carries from the client to the choice; nothing else of a request is repeated."""


@dataclass(frozen=True, slots=True)
class Words:
    language: str
    other: str
    other_language: str
    warning: str
    choose: str
    for_client: str
    everywhere: str
    stopped: str
    signed_out: str
    nothing_kept: str


ZH = Words(
    language="zh-CN",
    other="English",
    other_language="en",
    warning="仅供本机试用：任何人无需密码即可以任何人的身份登录。切勿在其他地方使用。",
    choose="选择登录身份",
    for_client="登录到 {client}",
    everywhere="全部工区",
    stopped="无法继续",
    signed_out="已退出登录",
    nothing_kept="此处不保存登录状态，可以关闭本页。",
)
EN = Words(
    language="en",
    other="中文",
    other_language="zh-CN",
    warning="For this one machine only: anybody signs in as anybody, without a password. Never use it elsewhere.",
    choose="Choose who you are",
    for_client="Sign in to {client}",
    everywhere="All areas",
    stopped="This goes no further",
    signed_out="Signed out",
    nothing_kept="Nothing is remembered here. You can close this page.",
)


def choice(params: Params, client_id: str, redirect_uri: str, in_english: bool) -> HTMLResponse:
    """The people by role and area; each is a button that posts the client's parameters and the choice."""
    words = EN if in_english else ZH
    carried = {name: params[name] for name in _CARRIED if name in params}
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in carried.items())
    switch = "/authorize?" + urlencode({**carried, "ui_locales": words.other_language})
    body = f"""<p>{escape(words.for_client.format(client=client_id))}</p>
<form method="post" action="/sign-in">{hidden}{"".join(_sections(words))}</form>"""
    return _page(words, words.choose, body, switch, f"'self' {_origin(redirect_uri)}")


def _origin(address: str) -> str:
    """For `form-action`, which also holds for the redirect that follows a form. It cannot name an address of IPv6."""
    parts = urlsplit(address)
    return f"{parts.scheme}:" if "[" in parts.netloc else f"{parts.scheme}://{parts.netloc}"


def _sections(words: Words) -> Iterator[str]:
    people = sorted(ACCOUNTS.values(), key=lambda person: list(ROLE_NAMES).index(person.role))
    for role, group in groupby(people, key=lambda person: person.role):
        yield f"<h2>{escape(ROLE_NAMES[role][words is EN])}</h2><ul>"
        yield from (_button(person, words) for person in group)
        yield "</ul>"


def _button(person: Account, words: Words) -> str:
    area = WORK_AREAS[person.area] if person.area else None
    place = words.everywhere if area is None else area.en if words is EN else area.zh
    return (
        f'<li><button name="person" value="{escape(person.sub)}">'
        f'<span lang="zh-CN">{escape(person.name)}</span><small>{escape(place)}</small></button></li>'
    )


def stopped(reason: tuple[str, str], in_english: bool, status: int = 400) -> HTMLResponse:
    """Why the sign-in ends here; the reason in English and in Chinese."""
    words = EN if in_english else ZH
    return _page(words, words.stopped, f"<p>{escape(reason[not in_english])}</p>", status=status)


def signed_out(in_english: bool) -> HTMLResponse:
    words = EN if in_english else ZH
    return _page(words, words.signed_out, f"<p>{escape(words.nothing_kept)}</p>")


def _page(
    words: Words, title: str, body: str, switch: str | None = None, form_action: str = "'none'", status: int = 200
) -> HTMLResponse:
    link = f'<a href="{escape(switch)}" lang="{words.other_language}">{words.other}</a>' if switch else ""
    page = f"""<!doctype html>
<html lang="{words.language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(title)} · Linework</title>
<style>{_STYLE}</style>
<p class="warning" role="alert">{escape(words.warning)}</p>
<header><h1>{escape(title)}</h1>{link}</header>
<main>{body}</main>
</html>
"""
    return HTMLResponse(page, status, {"Content-Security-Policy": _policy(form_action), **_HEADERS})


def _policy(form_action: str) -> str:
    rules: Sequence[str] = (
        "default-src 'none'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        f"form-action {form_action}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    return "; ".join(rules)


_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
