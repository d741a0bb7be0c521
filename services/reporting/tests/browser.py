"""A real browser, driven over its debugging pipe: no driver, no port, nothing to download."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from linework.processes import die_with_parent

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--remote-debugging-pipe",
)


class Page:
    """One page, by Chrome's DevTools protocol."""

    def __init__(self, writer: int, reader: int) -> None:
        self._writer, self._reader = writer, reader
        self._number = 0
        self._read = b""
        self._session: str | None = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def ask(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writer, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> Any:
        while b"\0" not in self._read:
            self._read += os.read(self._reader, 65536)
        message, _, self._read = self._read.partition(b"\0")
        return json.loads(message)

    def open(self, url: str) -> None:
        self.ask("Page.navigate", url=url)

    def value(self, script: str) -> Any:
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def eventually(self, script: str, until: Any, seconds: float = 30) -> Any:
        give_up_at = time.monotonic() + seconds
        while True:
            found = self.value(script)
            if until(found):
                return found
            assert time.monotonic() < give_up_at, (
                f"{script} is still {found!r}: {self.value('document.body.innerText')}"
            )
            time.sleep(0.05)


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A page of a browser of its own; the browser is gone afterwards."""
    assert CHROMIUM is not None
    to_browser, from_us = os.pipe()
    to_us, from_browser = os.pipe()

    def hand_over() -> None:
        os.dup2(to_browser, 3)
        os.dup2(from_browser, 4)
        die_with_parent()

    process = subprocess.Popen(
        [CHROMIUM, *_SWITCHES, f"--user-data-dir={folder}"],
        preexec_fn=hand_over,
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        yield Page(from_us, to_us)
    finally:
        process.terminate()
        process.wait(10)
        os.close(from_us)
        os.close(to_us)
