"""Partners and what they send by Kafka: calls, agent states, orders."""
