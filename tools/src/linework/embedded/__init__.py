"""A real PostgreSQL and a real Apache Kafka that run from wheels and jars alone, for `make run` and for tests."""

from linework.embedded.kafka import EmbeddedKafka, Entrance, Node, new_cluster_id
from linework.embedded.postgres import EmbeddedPostgres

__all__ = ["EmbeddedKafka", "EmbeddedPostgres", "Entrance", "Node", "new_cluster_id"]
