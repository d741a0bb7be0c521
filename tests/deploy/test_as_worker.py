"""One command as a service's worker: a pod that the cluster takes, with what the worker has and no more."""

import json
import shutil
import subprocess

import pytest
from tests.deploy import policies
from tests.deploy.rendering import Manifest, render
from tests.deploy.schemas import faults
from tests.deploy.test_rendering import FOLDER

RULES: tuple[policies.Rule, ...] = (
    *(policies.limits_everywhere, policies.restricted_pods, policies.restricted_containers),
    *(policies.no_account_tokens, policies.secrets_by_reference, policies.variables_before_their_use),
)
"""Those of anything that runs; the others are about what runs on."""
COMMAND = ["python", "-m", "chassis.restored", "fieldwork"]


@pytest.fixture
def worker() -> Manifest:
    manifests = render(FOLDER / "overlays/production")
    return next(
        one for one in manifests if (one["kind"], one["metadata"]["name"]) == ("StatefulSet", "fieldwork-worker")
    )


@pytest.fixture
def pod(worker: Manifest) -> Manifest:
    if shutil.which("jq") is None:
        pytest.skip("there is no jq to make it with")
    command = ["jq", "-f", str(FOLDER / "as-worker.jq"), "--arg", "command", " ".join(COMMAND)]
    done = subprocess.run(command, input=json.dumps(worker), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_cluster_takes_it(pod: Manifest) -> None:
    assert faults(pod) == []
    assert [found for rule in RULES for found in rule([pod])] == []


def test_it_is_the_worker_to_everybody_who_asks_who_it_is(pod: Manifest, worker: Manifest) -> None:
    template = worker["spec"]["template"]
    assert pod["metadata"]["labels"] == template["metadata"]["labels"]
    (container,), (worker_container,) = pod["spec"]["containers"], template["spec"]["containers"]
    assert container["command"] == COMMAND
    for same in ("image", "env", "envFrom", "volumeMounts", "securityContext"):
        assert container[same] == worker_container[same]
    assert "livenessProbe" not in container
