"""An installation whose services stand behind a real nginx that compresses, each under a prefix."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from tests.operators.in_process import InProcess

from chassis.http_limits import Impatient
from chassis.settings import Settings
from chassis.testing import eventually
from linework.ports import free_port
from linework.processes import die_with_parent

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
SERVED = ("intake", "dispatch")
_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class BehindNginx(InProcess):
    """What is sent to one of `SERVED` goes through the gateway, to the address that its clients know."""

    gateway = ""
    """The gateway's address, once it runs."""

    def settings(self, service: str) -> Settings:
        return super().settings(service).model_copy(update={"root_path": f"/{service}"})

    async def send(self, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        if not self.gateway or service not in SERVED:
            return await super().send(method, service, path, **more)
        return await self.client.request(method, f"{self.gateway}/{service}{path}", **more)

    @contextlib.asynccontextmanager
    async def served(self, folder: Path) -> AsyncIterator[None]:
        """Both services listen on loopback, and nginx in front of them."""
        async with contextlib.AsyncExitStack() as stack:
            ports = {service: await stack.enter_async_context(_listening(self._apps[service])) for service in SERVED}
            self.gateway = await stack.enter_async_context(_nginx(folder, ports))
            yield


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def _listening(app: Any) -> AsyncIterator[int]:
    port = free_port()
    options: dict[str, Any] = {"http": Impatient, "lifespan": "off", "log_level": "error", "access_log": False}
    server = _Quiet(uvicorn.Config(app, port=port, **options))
    serving = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        yield port
    finally:
        server.should_exit = True
        await serving


@contextlib.asynccontextmanager
async def _nginx(folder: Path, ports: dict[str, int]) -> AsyncIterator[str]:
    port, file = free_port(), folder / "nginx.conf"
    file.write_text(_configuration(folder, port, ports))
    assert NGINX is not None
    process = await asyncio.create_subprocess_exec(NGINX, "-c", file, "-p", folder, preexec_fn=die_with_parent)
    try:
        await eventually(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _configuration(folder: Path, port: int, ports: dict[str, int]) -> str:
    paths = "".join(f"{name}_temp_path {folder / name};\n" for name in _FOLDERS)
    locations = "".join(
        f"location /{service}/v1/ {{ proxy_pass http://127.0.0.1:{own}/v1/; }}\n" for service, own in ports.items()
    )
    return (
        f"daemon off; master_process off; pid {folder / 'nginx.pid'}; error_log {folder / 'error.log'};\n"
        f"events {{}}\nhttp {{ access_log off;\n{paths}"
        "gzip on; gzip_min_length 1; gzip_proxied any; gzip_types application/json application/problem+json;\n"
        f"server {{ listen 127.0.0.1:{port};\n{locations}}} }}\n"
    )
