"""`python -m linework.issuer`, as `linework up` and the test cluster start it."""

import logging
import os
import sys
from pathlib import Path

import uvicorn

from linework.issuer.app import make_app
from linework.issuer.clients import console_redirects, registered
from linework.issuer.tokens import SigningKey
from linework.ports import LOOPBACK
from linework.stopped import Stopped


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    port = int(os.environ["HTTP_PORT"])
    host = os.environ.get("HTTP_HOST") or LOOPBACK
    app = make_app(
        SigningKey(Path(os.environ["LINEWORK_ISSUER_KEY"])),
        os.environ.get("OIDC_ISSUER") or f"http://{LOOPBACK}:{port}",
        os.environ.get("OIDC_AUDIENCE") or "linework",
        registered(os.environ.get("LINEWORK_CONSOLE_REDIRECTS") or console_redirects(port)),
        is_on_loopback=host == LOOPBACK,
    )
    uvicorn.run(app, host=host, port=port, access_log=False, log_config=None)


if __name__ == "__main__":
    try:
        main()
    except Stopped as error:
        sys.exit(str(error))
