"""Who may do what on Kafka follows from the published language, and the committed manifests say the same."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy import generate, kafka_rights
from tests.deploy.rendering import LOADER, render

from contracts.catalogue import CATALOGUE
from contracts.lifecycle import Service
from contracts.topics import TOPICS, WORK_ORDERS
from reporting.republish import REFILLED

ROOT = Path(__file__).parents[2]
PARTNER = "switch-1"


def of_kind(kind: str, partners: tuple[str, ...] = ()) -> dict[str, Any]:
    texts = generate.documents(partners).values()
    found = [one for text in texts for one in yaml.load_all(text, LOADER) if one["kind"] == kind]
    return {one["metadata"]["name"]: one["spec"] for one in found}


def allowed(user: dict[str, Any], operation: str) -> set[str]:
    return {
        acl["resource"]["name"] + ("*" if acl["resource"]["patternType"] == "prefix" else "")
        for acl in user["authorization"]["acls"]
        if operation in acl["operations"] and acl["resource"]["type"] != "cluster"
    }


def test_the_committed_manifests_are_what_the_code_generates(tmp_path: Path) -> None:
    assert generate.differences(ROOT) == [], "run `make schema`"
    (tmp_path / generate.PARTNERS).parent.mkdir(parents=True)
    (tmp_path / generate.PARTNERS).write_text("")
    assert len(generate.differences(tmp_path)) == 4
    assert generate.main(["--check", "--root", str(tmp_path)]) == 1


def test_a_service_may_write_the_topics_of_its_messages_and_no_other() -> None:
    users = of_kind("KafkaUser")
    for service in Service:
        own = {entry.topic.name for entry in CATALOGUE if service in entry.owners and entry.topic in TOPICS}
        assert allowed(users[f"{service.value}-worker"], "Write") == own
    assert allowed(users["reporting-worker"], "Write") == set()


def test_writers_are_those_that_the_topics_name() -> None:
    for topic in TOPICS:
        assert kafka_rights.writers(topic) == set(topic.writers), topic.name


def test_a_service_reads_what_it_listens_to_in_groups_of_its_own() -> None:
    users = of_kind("KafkaUser")
    assert allowed(users["qa-worker"], "Read") >= {"work-orders", "directory", "qa.*"}
    assert "calls" not in allowed(users["fieldwork-worker"], "Read"), "it does not hear it"
    for service in Service:
        groups = {name for name in allowed(users[f"{service.value}-worker"], "Read") if name.endswith("*")}
        assert groups == {f"{service.value}.*"}


@pytest.mark.parametrize("service", Service)
def test_whoever_is_restored_may_read_what_it_takes_back(service: Service) -> None:
    own = {one.topic.name for one in getattr(importlib.import_module(f"{service.value}.consumers"), "OWN", ())}
    assert allowed(of_kind("KafkaUser")[f"{service.value}-worker"], "Read") >= own
    wanted = {Service.INTAKE: {"directory"}, Service.DISPATCH: {"directory", "deadlines"}}
    assert own == wanted.get(service, set())


def test_a_partner_writes_its_own_in_reads_its_own_out_and_nothing_else() -> None:
    users = of_kind("KafkaUser", (PARTNER, "other"))
    partner = users[f"partner-{PARTNER}"]
    assert allowed(partner, "Write") == {f"partner.{PARTNER}.in"}
    assert allowed(partner, "Read") == {f"partner.{PARTNER}.out", f"partner.{PARTNER}.*"}
    assert partner["quotas"]["producerByteRate"] > 0
    intake = users["intake-worker"]
    assert f"partner.{PARTNER}.out" in allowed(intake, "Write")
    assert f"partner.{PARTNER}.in" in allowed(intake, "Read")
    assert f"partner.{PARTNER}.in" not in allowed(intake, "Write")
    for name, user in users.items():
        if name not in (f"partner-{PARTNER}", "intake-worker"):
            assert not any(PARTNER in resource for resource in allowed(user, "Describe"))


def test_nobody_may_more_than_read_write_and_describe() -> None:
    for name, user in of_kind("KafkaUser", (PARTNER,)).items():
        more = {"Create", "Delete"} if name == "refill" else set()
        operations = {one for acl in user["authorization"]["acls"] for one in acl["operations"]}
        # A producer's number lets nobody write who may not write a topic.
        assert operations <= {"Read", "Write", "Describe", "IdempotentWrite"} | more
        for acl in user["authorization"]["acls"]:
            is_number = acl == {"resource": {"type": "cluster"}, "operations": ["IdempotentWrite"]}
            assert is_number or acl["resource"].get("name") not in (None, "", "*")


def test_whoever_scales_sees_positions_and_no_record() -> None:
    scaler = of_kind("KafkaUser")["scaler"]
    assert allowed(scaler, "Describe") >= {"work-orders", "qa.*"}
    assert allowed(scaler, "Read") == allowed(scaler, "Write") == set()


def test_topics_keep_what_the_contract_says_on_three_brokers() -> None:
    topics = of_kind("KafkaTopic", (PARTNER,))
    assert set(topics) == {topic.name for topic in TOPICS} | {f"partner.{PARTNER}.in", f"partner.{PARTNER}.out"}
    assert topics["work-orders"]["config"] | WORK_ORDERS.config == topics["work-orders"]["config"]
    assert topics["directory"]["config"]["cleanup.policy"] == "compact"
    for topic in topics.values():
        assert (topic["replicas"], topic["config"]["min.insync.replicas"]) == (3, "2")


@pytest.mark.parametrize("service", Service)
def test_workers_are_scaled_by_each_topic_that_they_hear(service: Service) -> None:
    scaled = of_kind("ScaledObject")[f"{service.value}-worker"]
    heard = {topic.name for topic in TOPICS if service in kafka_rights.readers(topic)}
    assert {trigger["metadata"]["topic"] for trigger in scaled["triggers"]} == heard
    assert all(
        trigger["metadata"]["consumerGroup"] == f"{service.value}.{trigger['metadata']['topic']}"
        for trigger in scaled["triggers"]
    )


def test_only_who_fills_a_lost_topic_may_delete_one_and_only_those_that_there_is_a_record_of() -> None:
    users = of_kind("KafkaUser", (PARTNER,))
    assert {name for name, user in users.items() if allowed(user, "Delete")} == {"refill"}
    assert allowed(users["refill"], "Write") == {topic.name for topic in REFILLED}
    overlays = [*render(ROOT / "deploy/k8s/overlays/production"), *render(ROOT / "deploy/k8s/overlays/local")]
    assert "refill" not in {one["metadata"]["name"] for one in overlays}
