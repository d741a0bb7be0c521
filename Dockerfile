# The images of Linework. `service` is what runs in production: one for all five services, whose command says which it
# is. The others are for trying it on a cluster of one's own: `next` is a later release with one more migration, `tools`
# has the linework command, the stories and the local issuer. `make images` builds them with docker or podman.

ARG PYTHON=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON} AS locked
# uv by its line of the lock file; everything else by uv, held to the lock file's versions and hashes.
WORKDIR /build
COPY requirements.lock ./
RUN awk '/^uv==/,/[^\\]$/' requirements.lock >uv.txt \
 && python3 -m venv /build/uv && /build/uv/bin/pip install --quiet --no-cache-dir --require-hashes -r uv.txt
ENV PATH=/build/uv/bin:$PATH UV_NO_CACHE=1 UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never

FROM locked AS builder
RUN uv venv --quiet /build/hatch \
 && uv pip install --quiet --python /build/hatch/bin/python -c requirements.lock hatchling cyclonedx-python-lib packaging
COPY LICENSE ./
COPY libs libs
COPY services services
RUN for package in libs/* services/*; do (cd $package && /build/hatch/bin/python -m hatchling build -t wheel -d /build/wheels); done
# Compiled by hash and not by time, so that the same sources give the same bytes.
RUN uv venv --quiet /opt/linework \
 && uv pip install --quiet --python /opt/linework/bin/python -c requirements.lock wheels/*.whl \
 && uv pip freeze --python /opt/linework/bin/python | grep -v '^linework-' >installed.txt \
 && while read -r package; do grep -qF "$package " requirements.lock || { echo "$package is not locked"; exit 1; }; done <installed.txt \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/linework/lib
# The bill of materials of exactly this; a package in it that no service needs ends the build.
COPY deploy/__init__.py deploy/dependencies.py deploy/licences.py deploy/bill.py deploy/
RUN /build/hatch/bin/python -m deploy.bill --site "$(echo /opt/linework/lib/python3*/site-packages)" /app/linework.cdx.json
RUN for service in services/*; do mkdir -p /app/$service && cp -r $service/alembic.ini $service/migrations /app/$service; done

FROM ${PYTHON} AS runtime
# What the base image installs packages with has no business in a running container.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip \
           /usr/bin/pip* /usr/lib/python3/dist-packages/* /usr/share/python-wheels
ENV PATH=/opt/linework/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

FROM runtime AS service
COPY --from=builder /opt/linework /opt/linework
COPY --from=builder /app /app
USER 10001:10001

FROM locked AS tools
ENV PATH=/opt/linework/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN uv venv --quiet /opt/linework && uv pip install --quiet --python /opt/linework/bin/python --require-hashes -r requirements.lock
WORKDIR /app
COPY . .
RUN uv pip install --quiet --python /opt/linework/bin/python --no-deps --no-build-isolation \
      $(for package in libs/* services/* tools tools/partner; do echo -e $package; done) \
 && python -m compileall -q /opt/linework/lib /app/libs /app/services /app/tools
USER 10001:10001

FROM tools AS with-next-migration
USER 0
RUN python -m deploy.next_migration /app/services

FROM service AS next
COPY --from=with-next-migration /app/services/intake/migrations services/intake/migrations
COPY --from=with-next-migration /app/services/dispatch/migrations services/dispatch/migrations
COPY --from=with-next-migration /app/services/fieldwork/migrations services/fieldwork/migrations
COPY --from=with-next-migration /app/services/qa/migrations services/qa/migrations
COPY --from=with-next-migration /app/services/reporting/migrations services/reporting/migrations
