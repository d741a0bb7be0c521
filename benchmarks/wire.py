"""A bare HTTP/1.1 client: the benchmark shares its processor with what it measures, so it does next to nothing."""

import asyncio
from collections.abc import Mapping


class Refused(Exception):
    """Something else than a 2xx answer."""


class Connection:
    """One kept-alive connection to one service."""

    def __init__(self, host: str, port: int, credentials: str) -> None:
        """`credentials` is a whole header line, such as `authorization: Bearer …`."""
        self._host, self._port = host, port
        self._head = f"host: {host}\r\n{credentials}\r\n"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = {}
    ) -> tuple[Mapping[bytes, bytes], bytes]:
        """Headers and body of the answer; raises `Refused` unless it is 2xx."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        kind = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n" if body else ""
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{self._head}{more}{kind}\r\n".encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        answered = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines[1:-2])}
        content = await self._reader.readexactly(int(answered.get(b"content-length", b"0")))
        if not lines[0].startswith(b"HTTP/1.1 2"):
            raise Refused(f"{method} {path}: {lines[0].decode()} {content[:300].decode()}")
        if answered.get(b"connection") == b"close":
            self.close()
        return answered, content

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
