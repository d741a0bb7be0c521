"""An HTTP process of the toy service, with one route that waits for a file before it answers.

python serving.py DATABASE_URL PORT DRAIN_SECONDS FILE
"""

import asyncio
import sys
from pathlib import Path

from fastapi import APIRouter

from chassis.http import create_app, serve
from chassis.testing import settings_for

router = APIRouter()


@router.get("/slow")
async def slow() -> str:
    while not Path(sys.argv[4]).exists():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return "finished"


if __name__ == "__main__":
    settings = settings_for(sys.argv[1], drain_seconds=float(sys.argv[3]))
    serve("toy", create_app("toy", settings, [router], description="Toys."), settings, port=int(sys.argv[2]))
