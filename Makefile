# The only place where a command line is written down: people, CI and hooks all call these targets.

# The machine's own python3 where it is new enough, else the first that is.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && exit; done; echo python3)
BIN := .venv/bin
STAMP := .venv/.installed
PACKAGES := $(wildcard libs/*/pyproject.toml libs/*/tooling/pyproject.toml services/*/pyproject.toml tools/pyproject.toml \
	tools/partner/pyproject.toml) libs/contracts/src/contracts/version.py
# Where wheels go.
DIST ?= dist
# Options for pytest and for `linework up`: make test ARGS="-k relay", make run ARGS="--empty".
ARGS ?=
# How many processes share the tests, each with its own servers. More than two processors have, because half of a
# process's time it waits for servers: make test PROCESSES=8 on a bigger machine.
PROCESSES ?= 4
# conftest.py says which tests stay together, and which begin.
PARALLEL := -n $(PROCESSES) --dist loadscope --no-loadscope-reorder --durations=20
# Unit tests take less time than starting a second process, or a plugin that only tests/fuzz needs.
QUICK := -p no:schemathesis --hypothesis-profile quick

CLIENTS := tests/interop/clients

# Where Python keeps no compiled modules, each of the many processes of a run compiles every library once more.
# Beside their sources they would outlive them, as folders of packages that are gone.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/compiled

.DEFAULT_GOAL := help
.PHONY: help install run down test unit lint fmt e2e chaos runbooks keycloak interop bench schema audit bill wheels bruno images k8s-try lock clean

help: ## Explain all targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Make .venv from requirements.lock and this repository's packages

$(STAMP): requirements.lock tools/prepare.py $(PACKAGES)
	@command -v $(PYTHON) >/dev/null || { echo "make install: there is no $(PYTHON); Linework needs Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) tools/prepare.py
	@touch $@

run: install ## Start everything on this machine and show where to look; Ctrl-C stops it
	@$(BIN)/linework up $(ARGS)

down: install ## Stop what make run or an earlier run left; the data is kept
	@$(BIN)/linework down

test: install ## Run every tier of tests on embedded servers; ARGS narrows them
ifdef ARGS
	@$(BIN)/python -m pytest $(ARGS)
else
	@$(BIN)/python -m pytest $(PARALLEL)
endif

unit: install ## Test the decisions and the fold, without a server
	@$(BIN)/python -m pytest $(QUICK) services/*/tests/unit \
		libs/contracts/tests/test_order.py libs/contracts/tests/test_lifecycle.py $(ARGS)

lint: install ## Check style, format and types; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fmt: install ## Format, and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

e2e: install ## Run the end-to-end stories only; LINEWORK_E2E_* variables name an installation elsewhere
	@$(BIN)/python -m pytest tests/e2e $(ARGS)

chaos: install ## Break everything for ten minutes under load and check every promise: ARGS="--seed 7 --minutes 30"
	@$(BIN)/python -m tests.chaos $(ARGS)

interop: install ## Install what tests/interop needs of others: generators of clients, AsyncAPI's parser; needs a network, and npm
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .local/clients/python
	@$(BIN)/uv pip install --quiet --python .local/clients/python/bin/python --require-hashes -r $(CLIENTS)/python/requirements.lock
	@mkdir -p .local/clients/typescript && cp $(CLIENTS)/typescript/package*.json .local/clients/typescript
	@for folder in .local/clients/typescript tests/interop/asyncapi; do \
		npm ci --silent --no-audit --no-fund --prefix $$folder || exit 1; done

runbooks: install ## Type every command of docs/runbooks on an installation of its own: ARGS="lost-topic"
	@$(BIN)/python -m tests.operators.runbooks $(ARGS)

keycloak: install ## Fetch the Keycloak that tests/interop signs in with; without it they are skipped
	@$(BIN)/python -m tests.interop.keycloak

bench: install ## Measure how fast it is, against its floor; ARGS="--against CHECKOUT" compares two checkouts
	@$(BIN)/python -m benchmarks $(ARGS)

schema: install ## Write what is generated: JSON Schemas, AsyncAPI, OpenAPI, pages of events, settings, errors, licences, Kafka's rights
	@$(BIN)/python -m contracts_tooling.generate
	@$(BIN)/python -m deploy.reference_pages
	@$(BIN)/python -m deploy.openapi_documents
	@$(BIN)/python -m deploy.generate
	@$(BIN)/python -m deploy.licences

audit: install ## Ask the package index which locked packages are known to be vulnerable; needs a network
	@$(BIN)/python -m deploy.audit $(ARGS)

bill: install ## Write dist/linework.cdx.json, the services' bill of materials; ARGS=--everything for tools and tests too
	@$(BIN)/python -m deploy.bill dist/linework.cdx.json $(ARGS)

wheels: install ## Build the wheels of all packages into dist/; the same sources give the same bytes
	@rm -f $(DIST)/linework_*.whl
	@for package in libs/* services/* tools tools/partner; do \
		(cd $$package && $(CURDIR)/$(BIN)/python -m hatchling build -t wheel -d $(abspath $(DIST))) || exit 1; done

bruno: install ## Write dist/bruno, a collection for the API client Bruno with every route of the five services
	@$(BIN)/python -m deploy.bruno $(ARGS)

images: install ## Build what a cluster needs, with docker or podman; docs/kubernetes.md
	@$(BIN)/python -m deploy.images $(ARGS)

k8s-try: install ## Put Linework on the cluster of KUBECONFIG and hold it to its word; docs/kubernetes.md
	@$(BIN)/python -m deploy.k8s_try $(ARGS)

lock: install ## Resolve requirements.lock and Kafka's jars anew; UPGRADE=1 takes newer versions
	@$(BIN)/python tools/lock.py
	@$(BIN)/python -c 'from linework.embedded.jars import lock_jars; lock_jars()'

clean: ## Stop everything and forget its data, logs and caches; .venv stays
	@if [ -x $(BIN)/linework ]; then $(BIN)/linework down --state-folder .local; fi
	@rm -rf .local .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage htmlcov dist
