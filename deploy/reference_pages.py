"""Writes the reference pages: every setting of a process, every error code with its sentences, who may do what.

    python -m deploy.reference_pages [--check] [--root FOLDER]

Reads the packages of `libs` and `services` that are installed. The same code gives the same bytes. `--check`
writes nothing, names each page that differs and exits 1.
"""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from chassis import access as of_every_service
from chassis.errors_page import sentence_of
from chassis.problems import TITLES, status_of
from chassis.settings import Settings
from contracts import access
from contracts.lifecycle import Service
from contracts.refusals import Refusal
from contracts_tooling import generated

CONFIGURATION = Path("docs/configuration.md")
ERRORS = Path("docs/errors.md")
ACCESS = Path("docs/access.md")
_NOT_PART_OF_A_PROCESS = ("chassis.testing",)


def packages_of(root: Path) -> list[str]:
    """The packages of the repository, by name."""
    return sorted(
        init.parent.name for kind in ("libs", "services") for init in root.glob(f"{kind}/*/src/*/__init__.py")
    )


def refusals_of(packages: Sequence[str]) -> list[type[Refusal]]:
    """Every refusal that is defined in the packages, by code."""
    found = {refusal for module in _modules(packages) for refusal in _defined_in(module)} - {Refusal}
    return sorted(found, key=lambda refusal: (refusal.code, refusal.__module__))


def _modules(packages: Sequence[str]) -> Iterator[str]:
    for package in packages:
        folder = importlib.import_module(package).__path__
        yield package
        for found in pkgutil.walk_packages(folder, f"{package}."):
            if found.name not in _NOT_PART_OF_A_PROCESS and not found.name.endswith("__main__"):
                yield found.name


def _defined_in(module: str) -> Iterator[type[Refusal]]:
    for value in vars(importlib.import_module(module)).values():
        if (
            inspect.isclass(value)
            and issubclass(value, Refusal)
            and value.__module__ == module
            and value is not Refusal
        ):
            yield value


def configuration_page() -> str:
    lines = [
        "# Configuration",
        "",
        "Every process reads its settings from environment variables; a wrong or missing one stops the start with one",
        "sentence. Written by `python -m deploy.reference_pages`.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "**required**" if field.is_required() else f"`{field.default}`" if str(field.default) else "empty"
        lines.append(f"| `{name.upper()}` | {default} | {_in_a_cell(field.description or '')} |")
    return "\n".join(lines) + "\n"


def errors_page(packages: Sequence[str]) -> str:
    lines = [
        "# Errors",
        "",
        "A refused request is answered with an RFC 9457 problem document (`application/problem+json`). Its `code`",
        "never changes; `detail` is in Chinese or English by `Accept-Language`. What stands in braces here is also a",
        "member of the document: members have codes and UTC, `detail` has names and local times. The time zone is the",
        "one that the request names as `time_zone`, otherwise that of the setting `TIME_ZONE`.",
        "",
        "`type` opens the entry of the code: in the page that every service has at `/v1/errors`, or in this one",
        "where `ERRORS_URL` names its address. `instance` is the path and, behind `#`, the id of the request: the one",
        "that client or gateway sent as `X-Request-Id` (1 to 128 of `A-Za-z0-9._:+=/-`), or one of our own. The",
        "answer's `X-Request-Id` has it, and as `request_id` every log line of the request; a refusal logs `refused`.",
        "",
        "Of invalid input, `errors` has a row for each value: `in` (body, query, path, header), `pointer` as a",
        "fragment such as `#/age`, `wrong`, `detail`, `right`. A query parameter unknown to a route is refused.",
        "",
        "Written by `python -m deploy.reference_pages`.",
        "",
        "| code | status | English | 中文 |",
        "|---|---|---|---|",
    ]
    # Two services may refuse the same thing with the same code and sentence.
    return "\n".join([*lines, *dict.fromkeys(map(_row, refusals_of(packages)))]) + "\n"


def _row(refusal: type[Refusal]) -> str:
    status = status_of(refusal)
    english, chinese = (_in_a_cell(sentence_of(refusal, language)) for language in ("en", "zh"))
    # The anchor is what the `type` of a problem document leads to, where ERRORS_URL is the address of this page.
    anchor = f'<a id="{refusal.code}"></a>'
    return f"| {anchor}`{refusal.code}` | {status.value} {TITLES[status][0]} | {english} | {chinese} |"


_REACHES = {
    access.EVERY_AREA: "every work area; if the token names areas, those only",
    access.OWN_AREAS: "the work areas that the token names; nothing if it names none",
    access.WHOLE: "what cannot be divided by work area; refused to a token that names areas",
    access.NO_AREA: "what belongs to no work area, the same for everybody with the role",
    access.SELF: "what is the caller's own; within the areas that the token names, if it names any",
}


def access_tables() -> dict[str, access.AccessTable]:
    """By service, who may use its routes; those that every service has come first."""
    own = {service.value: importlib.import_module(f"{service.value}.access").ROUTES for service in Service}
    return {"every service": of_every_service.ROUTES, **own}


def access_page() -> str:
    lines = [
        "# Who may do what",
        "",
        "The services' own `access.ROUTES`, enforced before a route runs. A role without an entry is refused with",
        "`role_not_allowed`; a route that is not here is not served. Written by `python -m deploy.reference_pages`.",
        "",
        *(f"- **{reach}**: {meaning}" for reach, meaning in _REACHES.items()),
        "- **public**: without a token",
        "",
        "A token without the claim `areas` names none; an empty list means that none was given. The token of",
        "the request decides on everything in an answer, also in a remembered one and a report that was built before:",
        "[decision 19](decisions/0019-access-is-judged-by-the-present-token.md).",
        "",
    ]
    for service, routes in access_tables().items():
        lines += [f"## {service}", "", f"| route | {' | '.join(access.Role)} |", f"|---|{'---|' * len(access.Role)}"]
        lines += [
            f"| `{_in_a_cell(row)}` | {' | '.join(_reach_of_each_role(grants))} |" for row, grants in routes.items()
        ]
        lines.append("")
    return "\n".join(lines)


def _reach_of_each_role(grants: access.Grants | None) -> list[str]:
    return ["public" if grants is None else str(grants.get(role, "")) for role in access.Role]


def _in_a_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def pages(root: Path) -> dict[Path, str]:
    return {CONFIGURATION: configuration_page(), ERRORS: errors_page(packages_of(root)), ACCESS: access_page()}


def differences(root: Path) -> list[str]:
    """The pages that are missing or not what the code says."""
    return generated.differences(pages, root)


def main(arguments: list[str] | None = None) -> int:
    return generated.run("deploy.reference_pages", (__doc__ or "").splitlines()[0], pages, arguments)


if __name__ == "__main__":
    sys.exit(main())
