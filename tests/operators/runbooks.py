"""Types what the runbooks say on an installation of its own, page by page, and says what did not work.

    python -m tests.operators.runbooks [PAGE …]

Examples in the pages are given for what is at hand here: an order, a parked record. What only a cluster has (`kubectl`,
Kafka's own scripts) is left out and listed. Each page leaves the installation lawful: its last command is
`linework verify`, or it has none that changes anything.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from tests.running import Running

from linework.ports import OFFSETS, SERVICES
from linework.runtime.installation import REPOSITORY

RUNBOOKS = REPOSITORY / "docs/runbooks"
_FENCE = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ELSEWHERE = ("kubectl", "kafka-configs.sh")
_MAY_FAIL = ("linework status", "linework rebuild reporting --accept")
"""What answers with 1 while something is still on its way, or when there is nothing to accept."""
_URGE = "linework.work_order.urge_requested.v1"


@dataclass(frozen=True)
class Typed:
    """One command of a page."""

    page: str
    text: str

    @property
    def is_elsewhere(self) -> bool:
        return self.text.startswith(_ELSEWHERE)


def commands_of(page: Path) -> Iterator[Typed]:
    """Every line of the page's shell blocks; a line that ends with a backslash goes on."""
    for block in _FENCE.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip() and not line.startswith("#"):
                yield Typed(page.name, line.strip())


class Typist:
    """Types on a running installation what a page says."""

    def __init__(self, running: Running) -> None:
        self.running = running

    def adapted(self, text: str) -> str:
        """The text with the ports and the folder of this installation."""
        parts = {f"{offset:02}": part for part, offset in OFFSETS.items()}
        text = re.sub(r"127\.0\.0\.1:80(\d\d)", lambda port: f"127.0.0.1:{self.running.ports[parts[port[1]]]}", text)
        return text.replace(".local/", f"{self.running.state_folder}/")

    def parked(self, service: str) -> list[Mapping[str, Any]]:
        return json.loads(self.running.linework("parked", "list", service, "--json").rsplit("]", 1)[0] + "]")

    def orders(self) -> list[Mapping[str, Any]]:
        token = self.running.linework("token", "supervisor").strip()
        url = f"{self.running.addresses.services['fieldwork']}/v1/work-orders?status=archived"
        return httpx.get(url, headers={"authorization": f"Bearer {token}"}).raise_for_status().json()["items"]

    def plant(self, order_id: str, *, is_whole: bool) -> None:
        """A request for the order that cannot be read: without a header, or with a value that is not JSON."""
        headers = {
            "ce_id": f"planted-{order_id}-{is_whole}",
            "ce_source": "/linework/intake",
            "ce_type": _URGE,
            "ce_subject": order_id,
            "ce_time": "2026-11-27T08:00:00Z",
            **({} if is_whole else {"ce_specversion": "1.0"}),
        }
        value = {"request_id": f"planted-{order_id}", "reason": "x", "hop": 0}
        asyncio.run(self._send(order_id, json.dumps(value) if is_whole else "not JSON", headers))

    async def _send(self, key: str, value: str, headers: Mapping[str, str]) -> None:
        pairs = [(name, text.encode()) for name, text in headers.items()]
        async with AIOKafkaProducer(bootstrap_servers=self.running.addresses.bootstrap_servers) as producer:
            await producer.send_and_wait("work-orders", value.encode(), key=key.encode(), headers=pairs)

    def parked_by_all(self, count: int) -> None:
        give_up_at = time.monotonic() + 60
        while any(len(self.parked(service)) < count for service in SERVICES):
            if time.monotonic() > give_up_at:
                raise SystemExit(f"not every service has parked {count} records")


class ParkedKey:
    """The page on parked keys: one record is repaired and released, another is given up, by every service alike."""

    def __init__(self, typist: Typist) -> None:
        self._typist = typist
        self._mended, self._given_up = typist.orders()[:2]
        typist.plant(self._mended["id"], is_whole=True)
        typist.plant(self._given_up["id"], is_whole=False)
        typist.parked_by_all(2)
        self._ids = {service: self._ids_at(service) for service in SERVICES}

    def _ids_at(self, service: str) -> dict[str, int]:
        return {row["key"]: row["id"] for row in self._typist.parked(service)}

    def commands(self, text: str) -> list[str]:
        """The page's example, in each service where it changes something."""
        text = text.replace("ORDER_ID", self._mended["id"]).replace("20261122-000123", self._mended["order_no"])
        reason = json.dumps({"request_id": f"planted-{self._mended['id']}", "reason": "sealed", "hop": 0})
        text = re.sub(r"--value '.*?'", f"--value '{reason}'", text)
        changes = any(word in text for word in (" repair ", " discard ", " release "))
        key = self._given_up["id"] if " discard " in text else self._mended["id"]
        return [
            text.replace("fieldwork", service).replace(" 17", f" {self._ids[service][key]}")
            for service in (SERVICES if changes else ("fieldwork",))
        ]


def type_page(typist: Typist, page: Path) -> list[str]:
    """Types the commands of a page; what went wrong."""
    special = ParkedKey(typist) if page.name == "parked-key.md" else None
    if page.name == "restore-a-database.md":
        dump = 'pg_dump --format custom --file fieldwork.dump "$DATABASE_URL"'
        typist.running.linework("run", "fieldwork", "--", "sh", "-c", dump)
        typist.running.linework("simulate", "--orders", "5")
    faults = []
    for typed in commands_of(page):
        if typed.is_elsewhere:
            print(f"    left out: {typed.text}")
            continue
        for text in special.commands(typed.text) if special else [typed.text]:
            began = time.monotonic()
            done = typist.running.run("bash", "-c", typist.adapted(text))
            is_good = not done.returncode or text.startswith(_MAY_FAIL)
            print(f"    {'' if is_good else 'FAILED '}{time.monotonic() - began:5.1f} s  {text}", flush=True)
            if not is_good:
                faults.append(f"{page.name}: {text}: {(done.stdout + done.stderr)[-2000:]}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.operators.runbooks", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="such as lost-topic; else all")
    options = parser.parse_args()
    pages = [page for page in sorted(RUNBOOKS.glob("*.md")) if not options.pages or page.stem in options.pages]
    faults = []
    try:
        with tempfile.TemporaryDirectory(prefix="runbooks-") as folder, Running.here(Path(folder)).up() as running:
            running.linework("verify")
            for page in pages:
                print(page.name, flush=True)
                faults += type_page(Typist(running), page)
            print("afterwards", flush=True)
            running.linework("verify")
    finally:
        (REPOSITORY / "fieldwork.dump").unlink(missing_ok=True)
    print("\n".join(faults) or "every command did what its page says")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
