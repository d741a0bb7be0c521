"""The bill of materials of the services as CycloneDX 1.6; what `make bill` calls, and each build of their image.

    python -m deploy.bill [--site FOLDER] [--everything] OUTPUT

Every package that the services need, with its licence, its hashes from the lock, what it needs in turn, and what it
says is compiled into it. With `--site` the packages are those of that folder, and one that no service needs is a
mistake. `--everything` has the tools, the tests and the jars of one machine's Kafka too. The same installation gives
the same bytes.

The documents are made by cyclonedx-python-lib. Its generator, cyclonedx-bom, reads an environment (without hashes, and
with the paths of our own packages) or a lock (without licences and dependencies), in both cases without a choice of
roots and without what is compiled into a wheel.
"""

import argparse
import json
import sys
import tomllib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from deploy.dependencies import OURS, ROOTS, TOOLS, Locked, closure, installed, locked, parts
from deploy.licences import licence_of

JARS = Path(__file__).parents[1] / "tools" / "src" / "linework" / "kafka" / "jgo.lock.toml"
_OF_A_WHEEL = "sboms"
_licence = LicenseFactory()


class NotInTheBill(Exception):
    """Something is installed that no service needs."""


def bill(there: Mapping[str, Distribution], *, everything: bool = False) -> Bom:
    """The bill of the services as they would run from these installed packages."""
    lock = locked()
    needs = closure([*ROOTS, TOOLS, *(set(lock) & set(there))] if everything else ROOTS, there)
    components = {name: _package(there[name], lock.get(name), everything) for name in sorted(needs)}
    version = there[ROOTS[0]].version
    linework = Component(name="linework", type=ComponentType.APPLICATION, version=version, bom_ref="linework")
    made = Bom(components=components.values())
    made.metadata.component = linework
    # A time would make two bills of one image differ.
    made.metadata.timestamp = None  # type: ignore[assignment]
    made.register_dependency(linework, [components[root] for root in ROOTS])
    for name, needed in needs.items():
        made.register_dependency(components[name], [components[one] for one in sorted(needed)])
    if everything:
        made.components |= set(jars(JARS.read_text(encoding="utf-8")))
    texts = sorted(component.bom_ref.value or "" for component in made.components)
    made.serial_number = uuid.uuid5(uuid.NAMESPACE_OID, "\n".join(texts))
    return made


def _package(distribution: Distribution, found: Locked | None, everything: bool) -> Component:
    name, version = distribution.metadata["Name"], distribution.version
    if name.startswith(OURS):
        return Component(name=name, version=version, type=ComponentType.APPLICATION, bom_ref=name)
    assert found is not None, f"{name} is installed and not locked"
    assert found.version == version, f"{name} is locked as {found.version} and installed as {version}"
    purl = PackageURL("pypi", None, found.name, version)
    return Component(
        name=found.name,
        bom_ref=str(purl),
        version=version,
        type=ComponentType.LIBRARY,
        purl=purl,
        licenses=[_licence.make_from_string(licence_of(distribution))],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in found.hashes],
        components=_compiled_into(distribution),
        properties=[Property(name="linework:part", value=parts()[found.name].name.lower())] if everything else [],
    )


def _compiled_into(distribution: Distribution) -> Iterator[Component]:
    """What a wheel says of itself (PEP 770): crates, OpenSSL. By name and version; addresses are left out."""
    seen = set()
    for file in distribution.files or ():
        if file.parent.name != _OF_A_WHEEL or not file.name.endswith(".json"):
            continue
        content = json.loads(Path(str(distribution.locate_file(file))).read_text(encoding="utf-8"))
        for one in _with_nested(content.get("components", [])):
            text = str(one.get("purl", "")).split("?")[0]
            if text and text not in seen:
                seen.add(text)
                reference = f"{distribution.metadata['Name']}#{text}"
                purl = PackageURL.from_string(text)
                yield Component(name=one["name"], version=one.get("version"), purl=purl, bom_ref=reference)


def _with_nested(components: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in components:
        yield one
        yield from _with_nested(one.get("components", []))


def jars(text: str) -> Iterator[Component]:
    """The jars of one machine's Kafka, by the lock of jgo."""
    for one in tomllib.loads(text)["dependencies"]:
        purl = PackageURL("maven", one["groupId"], one["artifactId"], one["version"])
        yield Component(
            group=one["groupId"],
            name=one["artifactId"],
            version=one["version"],
            type=ComponentType.LIBRARY,
            purl=purl,
            bom_ref=str(purl),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one["sha256"])],
        )


def refuse_strangers(there: Mapping[str, Distribution]) -> None:
    if strangers := sorted(set(there) - set(closure(ROOTS, there))):
        raise NotInTheBill(f"no service needs {', '.join(strangers)}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.bill", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--site", type=Path, help="the folder in which the packages of an image are")
    parser.add_argument("--everything", action="store_true", help="tools, tests and Kafka's jars too")
    parser.add_argument("output", type=Path)
    options = parser.parse_args(arguments)
    there = installed(options.site)
    if options.site:
        refuse_strangers(there)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    text = JsonV1Dot6(bill(there, everything=options.everything)).output_as_string(indent=1)
    options.output.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
