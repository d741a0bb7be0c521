"""Puts Linework on the cluster that KUBECONFIG names and holds it to its word there; what `make k8s-try` calls.

    python -m deploy.k8s_try [--only-up] [--skip-stories]

The images of `make images` must be loaded. It applies the local overlay, waits until all is ready and runs the
end-to-end stories from a pod; where the operators' definitions are, the API server must accept the production overlay
too. Then, with `linework simulate` running in that pod all the while: every workload is restarted, a worker is deleted
without grace, the node is drained and brought back, workers are scaled to three and back to one, and a release with
one more migration is rolled out and back. At the end `linework verify` must find nothing, and no client may have seen
anything but refusals that it could retry. Exit status 1 when any of it fails.
"""

import argparse
import base64
import json
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from linework.ports import SERVICES

FOLDER = Path(__file__).parent / "k8s"
NAMESPACE = "linework"
OURS = "app.kubernetes.io/part-of=linework"
WORKERS = f"{OURS},app.kubernetes.io/component=worker"
MIGRATIONS = f"{OURS},app.kubernetes.io/component=migrations"
PRESENT, NEXT = "localhost/linework:dev", "localhost/linework:next"
SERVERS = ("statefulset/postgres", "statefulset/kafka", "deployment/issuer")
PROCESSES = (
    *(f"deployment/{service}-http" for service in SERVICES),
    *(f"statefulset/{service}-worker" for service in SERVICES),
)
_READY_SECONDS = 600
_ORDERS_A_ROUND, _ORDERS_A_SECOND = 100, 2
_DRY_RUN = "linework-dry-run"
_JOURNAL = "/tmp/journal"


class Failed(Exception):
    """Something did not do what it promises."""


def kubectl(
    *arguments: str, text: str | None = None, seconds: float = _READY_SECONDS, namespace: str = NAMESPACE
) -> str:
    done = subprocess.run(
        ["kubectl", "--namespace", namespace, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=False,
    )
    if done.returncode:
        raise Failed(f"kubectl {' '.join(arguments)}:\n{done.stdout[-6000:]}{done.stderr[-3000:]}")
    return done.stdout


def in_client(*command: str, seconds: float = _READY_SECONDS) -> str:
    """Runs it in the client's pod, which is inside the cluster's network."""
    return kubectl("exec", "client", "--", *command, seconds=seconds)


@contextmanager
def step(what: str) -> Iterator[None]:
    began_at = time.monotonic()
    print(f"{time.strftime('%H:%M:%S')}  {what} …", flush=True)
    yield
    print(f"{time.strftime('%H:%M:%S')}  {what}: {time.monotonic() - began_at:.0f} s", flush=True)


def secret(name: str, content: Mapping[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(content)}


def make_secrets() -> None:
    """What the overlay refers to, made once: the database's password, and the keys that sign tokens and seal texts."""
    kubectl("apply", "-f", str(FOLDER / "base" / "namespace.yaml"))
    if not kubectl("get", "secret", "sealing", "--ignore-not-found", "-o", "name"):
        master_key = base64.b64encode(secrets.token_bytes(32)).decode()
        kubectl("apply", "-f", "-", text=json.dumps(secret("sealing", {"master-keys": f"local:{master_key}"})))
    if kubectl("get", "secret", "postgres", "--ignore-not-found", "-o", "name"):
        return
    password = secrets.token_urlsafe(24)
    server = f"postgresql://linework:{password}@postgres:5432"
    made = [
        secret("postgres", {"password": password, "uri": f"{server}/postgres"}),
        secret("issuer", {"key.pem": signing_key()}),
        *(secret(f"{service}-database-app", {"uri": f"{server}/linework_{service}"}) for service in SERVICES),
    ]
    kubectl("apply", "-f", "-", text="\n---\n".join(json.dumps(one) for one in made))


def signing_key() -> str:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def apply(image: str) -> None:
    """The local overlay with this image. A job cannot be changed: the migrations of the release before go first."""
    manifests = kubectl("kustomize", str(FOLDER / "overlays" / "local")).replace(PRESENT, image)
    kubectl("delete", "job", "--selector", MIGRATIONS, "--ignore-not-found")
    kubectl("apply", "-f", "-", text=manifests)


def wait_ready() -> None:
    kubectl("wait", "job", "--all", "--for=condition=Complete", f"--timeout={_READY_SECONDS}s")
    for one in (*SERVERS, *PROCESSES):
        kubectl("rollout", "status", one, f"--timeout={_READY_SECONDS}s")


def bring_up() -> None:
    with step("apply the local overlay, migrate, wait until all is ready"):
        make_secrets()
        apply(PRESENT)
        wait_ready()
    with step("put a client into the cluster's network"):
        kubectl("delete", "pod", "client", "--ignore-not-found")
        kubectl("apply", "-k", str(FOLDER / "client"))
        kubectl("wait", "pod/client", "--for=condition=Ready", "--timeout=120s")


def tell_stories() -> None:
    with step("the end-to-end stories"):
        told = in_client("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/e2e", seconds=900)
        print("    " + told.strip().splitlines()[-1])


class Traffic:
    """`linework simulate`, one round after the other, until it is told to stop."""

    def __init__(self) -> None:
        self._stop = Event()
        self._pool = ThreadPoolExecutor(1)
        self._future: Future[list[str]] | None = None

    def __enter__(self) -> "Traffic":
        self._future = self._pool.submit(self._make)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown()

    def _make(self) -> list[str]:
        said, seed = [], 0
        while not self._stop.is_set():
            seed += 1
            said.append(self._round(seed))
        return said

    def _round(self, seed: int) -> str:
        options = {
            "orders": _ORDERS_A_ROUND,
            "rate": _ORDERS_A_SECOND,
            "seed": seed,
            "patience": 600,
            "journal": _JOURNAL,
            # Calls come over Kafka, which the pod of a client does not reach.
            "calls": 0,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return in_client("linework", "simulate", *words, seconds=1_800)

    def check(self) -> None:
        """Raises what went wrong, as soon as it is known."""
        if self._future is not None and self._future.done():
            self._future.result()

    def finish(self) -> list[str]:
        """What each round said; raises `Failed` if one saw an answer that cannot be."""
        self._stop.set()
        assert self._future is not None
        return self._future.result()


def restart_everything() -> None:
    """One workload after the other, as an operator would who looks after each."""
    for one in PROCESSES:
        kubectl("rollout", "restart", one)
        kubectl("rollout", "status", one, f"--timeout={_READY_SECONDS}s")


def kill_a_worker() -> None:
    before = uid_of("dispatch-worker-0")
    kubectl("delete", "pod", "dispatch-worker-0", "--grace-period=0", "--force")
    give_up_at = time.monotonic() + 60
    while kubectl("get", "pod", "dispatch-worker-0", "--ignore-not-found", "-o", "jsonpath={.metadata.uid}") in (
        "",
        before,
    ):
        if time.monotonic() > give_up_at:
            raise Failed("dispatch-worker-0 did not come back")
        time.sleep(0.5)
    kubectl("rollout", "status", "statefulset/dispatch-worker", f"--timeout={_READY_SECONDS}s")


def uid_of(pod: str) -> str:
    """Which pod of this name it is; empty while there is none."""
    return kubectl("get", "pod", pod, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")


def drain_a_node() -> None:
    """The node of the broker. Only our own pods are moved; the client stays, and sees it all."""
    node = kubectl("get", "pod", "kafka-0", "-o", "jsonpath={.spec.nodeName}")
    options = ("--ignore-daemonsets", "--delete-emptydir-data", f"--pod-selector={OURS}", "--timeout=300s")
    try:
        kubectl("drain", node, *options)
    finally:
        kubectl("uncordon", node)
    wait_ready()


def scale_workers() -> None:
    for count in (3, 1):
        kubectl("scale", "statefulset", "--selector", WORKERS, f"--replicas={count}")
        for service in SERVICES:
            kubectl("rollout", "status", f"statefulset/{service}-worker", f"--timeout={_READY_SECONDS}s")
        wait_for_count(count)


def wait_for_count(count: int) -> None:
    """Until so many workers of each service run, and none is on its way out."""
    give_up_at = time.monotonic() + _READY_SECONDS
    while (found := len(kubectl("get", "pods", "--selector", WORKERS, "-o", "name").split())) != count * len(SERVICES):
        if time.monotonic() > give_up_at:
            raise Failed(f"there are {found} workers")
        time.sleep(1)


def upgrade_and_roll_back() -> None:
    for image in (NEXT, PRESENT):
        with step(f"  roll out {image}"):
            apply(image)
            wait_ready()
        stands = {kubectl("logs", f"job/{service}-migrations").strip().splitlines()[-1] for service in SERVICES}
        print(f"    migrations: {', '.join(sorted(stands))}")


DISTURBANCES: Mapping[str, Callable[[], None]] = {
    "restart every workload, one after the other": restart_everything,
    "delete a worker without grace": kill_a_worker,
    "drain the node and bring it back": drain_a_node,
    "scale workers to three and back to one": scale_workers,
    "upgrade to a release with one more migration, and roll it back": upgrade_and_roll_back,
}


def disturb() -> None:
    in_client("rm", "-f", _JOURNAL)
    with Traffic() as traffic:
        for what, do in DISTURBANCES.items():
            with step(what):
                do()
            traffic.check()
        with step("the last round of the traffic"):
            said = traffic.finish()
    for number, text in enumerate(said, 1):
        print(f"    round {number}: " + "\n             ".join(text.strip().splitlines()))


def check_production() -> None:
    """The production overlay, looked at by this API server to the letter; nothing of it is kept."""
    if "kafkas.kafka.strimzi.io" not in kubectl("get", "crd", "-o", "name"):
        print("    the production overlay was not tried: the operators' definitions are not on this cluster")
        return
    with step("the production overlay, by strict server-side dry run"):
        manifests = kubectl("kustomize", str(FOLDER / "overlays" / "production"))
        manifests = re.sub(rf"^(  name(?:space)?: ){NAMESPACE}$", rf"\1{_DRY_RUN}", manifests, flags=re.MULTILINE)
        kubectl("create", "namespace", _DRY_RUN)
        try:
            options = ("--dry-run=server", "--validate=strict", "-f", "-")
            accepted = kubectl("apply", *options, text=manifests, namespace=_DRY_RUN).splitlines()
        finally:
            kubectl("delete", "namespace", _DRY_RUN)
        print(f"    {len(accepted)} resources accepted")


def check_laws() -> None:
    with step("linework verify"):
        print(in_client("linework", "verify", "--wait", "180", "--journal", _JOURNAL, seconds=900))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.k8s_try", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only-up", action="store_true", help="stop when all is ready")
    parser.add_argument("--skip-stories", action="store_true", help="go on to the disturbances at once")
    options = parser.parse_args()
    try:
        bring_up()
        check_production()
        if options.only_up:
            return
        if not options.skip_stories:
            tell_stories()
        disturb()
        check_laws()
    except Failed as failure:
        sys.exit(f"make k8s-try: {failure}")


if __name__ == "__main__":
    main()
