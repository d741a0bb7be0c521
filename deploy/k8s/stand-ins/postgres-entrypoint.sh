#!/bin/bash
# What the official image's entrypoint does with the variables of postgres.yaml: makes the data folder on first start.
set -euo pipefail
umask 077
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  making=$PGDATA.making
  rm -rf "$making"
  mkdir -p "$(dirname "$PGDATA")"
  # shellcheck disable=SC2086  # options by space, as the official image takes them
  initdb -D "$making" --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE" --auth=scram-sha-256 $POSTGRES_INITDB_ARGS
  echo 'host all all all scram-sha-256' >>"$making/pg_hba.conf"
  mv "$making" "$PGDATA"
fi
rm -f "$PGDATA/postmaster.pid" # of a container that is gone: this one is alone in its pid namespace
exec "$@" -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
