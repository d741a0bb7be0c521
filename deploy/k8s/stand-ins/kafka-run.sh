#!/bin/bash
# What the official image's run script does with the variables of kafka.yaml: KAFKA_LOG_DIRS becomes log.dirs.
set -euo pipefail
config=/opt/kafka/config/server.properties
env | grep '^KAFKA_' | grep -v '^KAFKA_HEAP_OPTS=' | while IFS='=' read -r name value; do
  name=${name#KAFKA_}
  echo "$(echo "${name,,}" | tr _ .)=$value"
done >"$config"
java=(java ${KAFKA_HEAP_OPTS:-} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED
      --sun-misc-unsafe-memory-access=allow -Dlog4j2.configurationFile=/opt/kafka/log4j2.properties -cp '/opt/kafka/libs/*')
"${java[@]}" kafka.tools.StorageTool format --ignore-formatted -t "$CLUSTER_ID" -c "$config"
exec "${java[@]}" kafka.Kafka "$config"
