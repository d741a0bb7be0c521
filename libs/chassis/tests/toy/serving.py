"""An HTTP process of the toy service, with one route that waits for a file before it answers.

python serving.py DATABASE_URL PORT DRAIN_SECONDS FILE
"""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fastapi import APIRouter

from chassis.http import create_app, serve
from chassis.testing import settings_for
from toy import all_public

router = APIRouter()


@router.get("/slow")
async def slow() -> str:
    while not Path(sys.argv[4]).exists():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return "finished"


if __name__ == "__main__":
    settings = settings_for(sys.argv[1], drain_seconds=float(sys.argv[3]))
    app = create_app("toy", settings, [router], description="Toys.", access=all_public(router))
    serve("toy", app, settings, port=int(sys.argv[2]))
