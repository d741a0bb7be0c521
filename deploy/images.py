"""Builds what a cluster needs, with docker or podman, whichever is there; what `make images` calls.

    python -m deploy.images [--skip-stand-ins]

`localhost/linework:dev` runs the five services, `:next` is a later release with one more migration, `linework-tools`
has the command, the stories and the local issuer. Servers whose images are not there get stand-ins of their name.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
IMAGES = {
    "localhost/linework:dev": "service",
    "localhost/linework-tools:dev": "tools",
    "localhost/linework:next": "next",
}
"""By name, the target of the Dockerfile."""
STAND_INS = {"docker.io/library/postgres:18": "postgres", "docker.io/apache/kafka:4.3.1": "kafka"}
_STAND_INS_FILE = "deploy/k8s/stand-ins/Dockerfile"


def find_builder() -> str:
    """docker where its daemon answers, else podman."""
    for name in ("docker", "podman"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return name
    sys.exit("make images: neither docker nor podman works here.")


def is_there(builder: str, image: str) -> bool:
    return subprocess.run([builder, "image", "inspect", image], capture_output=True, check=False).returncode == 0


def build(builder: str, image: str, *options: str) -> None:
    print(f"building {image}", flush=True)
    # The host's network, because a registry may be reachable from there only.
    command: Sequence[str] = [builder, "build", "--network", "host", "--tag", image, *options, "."]
    if subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "DOCKER_BUILDKIT": "1"}, check=False).returncode:
        sys.exit(f"make images: {image} could not be built; the lines above say why.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.images", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--skip-stand-ins", action="store_true", help="the cluster pulls its servers' images itself")
    options = parser.parse_args()
    builder = find_builder()
    for image, target in IMAGES.items():
        build(builder, image, "--target", target)
    for image, target in STAND_INS.items():
        if not options.skip_stand_ins and not is_there(builder, image):
            build(builder, image, "--file", _STAND_INS_FILE, "--target", target)
    print("now load them into the cluster, such as: kind load docker-image " + " ".join([*IMAGES, *STAND_INS]))


if __name__ == "__main__":
    main()
