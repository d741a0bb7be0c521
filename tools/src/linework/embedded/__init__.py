"""Embedded PostgreSQL and Apache Kafka, installed from wheels and jars, for `make run` and for tests."""

from linework.embedded.kafka import EmbeddedKafka, Entrance, Node, new_cluster_id
from linework.embedded.postgres import EmbeddedPostgres

__all__ = ["EmbeddedKafka", "EmbeddedPostgres", "Entrance", "Node", "new_cluster_id"]
