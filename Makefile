# `make help` lists the targets. The only things needed are make and Python 3.10 or later.

.DEFAULT_GOAL := help

# Environments are made once, and again when what they are made from changes.
VENV    ?= .venv
CLIENTS ?= .venv-clients
PEER    ?= .venv-peer
FRAMEWORKS ?= .venv-frameworks

# The newest working Python on the PATH, unless named here or in the environment.
PYTHON ?=
export PYTHON

# Tests on every processor, file by file; `make test PARALLEL=` runs them one after another.
PARALLEL ?= -n auto --dist loadfile

# Where tests and the demo find a Python with the SDKs as their makers ship them today.
export KHAZAD_CLIENTS_PYTHON := $(abspath $(CLIENTS))/bin/python
export KHAZAD_FRAMEWORKS_PYTHON := $(abspath $(FRAMEWORKS))/bin/python

# Tests that need those SDKs in their own process: they run there too.
CLIENT_TESTS := tests/embed tests/judge tests/wire tests/inprocess tests/testing

##@ Use

.PHONY: run
run: $(VENV)/.ready  ## Serve on 127.0.0.1:8080, with an embedded Redis 8 and the bundled model
	$(VENV)/bin/khazad-mitm serve

.PHONY: demo
demo: $(VENV)/.ready $(CLIENTS)/.ready  ## Show a miss, a hit, a paraphrase and a stream; no key, no network
	$(VENV)/bin/khazad-mitm demo

.PHONY: bench
bench: $(VENV)/.ready $(CLIENTS)/.ready  ## Measure, side by side with what we compare ourselves to
	$(VENV)/bin/python -m bench

.PHONY: bench-budget
bench-budget: $(VENV)/.ready  ## Judge the budget of wrong hits, on labelled streams where they are
	$(VENV)/bin/python -m bench.budget $(BUDGET)

.PHONY: bench-peer
bench-peer: $(VENV)/.ready $(PEER)/.ready  ## Measure, beside the original khazad; wants torch: gigabytes
	$(VENV)/bin/python -m bench.peer --peer $(PEER)/bin/python $(if $(QUICK),--quick)

##@ Work on it

.PHONY: test
test: $(VENV)/.ready $(CLIENTS)/.ready  ## Run every test; sets up all that it needs
	$(VENV)/bin/python -m pytest $(PARALLEL)
	$(CLIENTS)/bin/python -m pytest $(PARALLEL) $(CLIENT_TESTS)

.PHONY: test-node
test-node: $(VENV)/.ready  ## Have the SDKs of Node read our replays, where there is a Node 20
	@if node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null; then \
	    npm ci --prefix tests/node --no-audit --no-fund --ignore-scripts && \
	    KHAZAD_NODE=1 $(VENV)/bin/python -m pytest tests/wire/test_node_sdks.py; \
	else echo "not run: there is no Node.js 20 or later here"; fi

.PHONY: test-clients
test-clients: $(VENV)/.ready $(CLIENTS)/.ready $(FRAMEWORKS)/.ready  ## Try every client that can be had, and print docs/clients.md
	@if node -e '' 2>/dev/null; then \
	    npm ci --prefix tests/node --no-audit --no-fund --ignore-scripts; \
	else echo "there is no Node here"; fi
	rm -f .clients.json
	KHAZAD_CLIENTS_RESULTS=.clients.json \
	    $(VENV)/bin/python -m pytest -rs tests/end_to_end/test_clients.py
	$(VENV)/bin/python -m scripts.clients_page .clients.json > docs/clients.md.new
	mv docs/clients.md.new docs/clients.md

.PHONY: test-all
test-all:  ## Run the tests on every Python from 3.10 to 3.13 found here
	@failed=; for found in $$(sh scripts/find-python --all); do \
	    version=$${found%%:*}; python=$${found#*:}; \
	    echo "== Python $$version"; \
	    $(MAKE) --no-print-directory test PYTHON="$$python" VENV=".venv-$$version" \
	        CLIENTS=".venv-clients-$$version" || failed="$$failed $$version"; \
	done; \
	[ -z "$$failed" ] || { echo "failed on Python$$failed" >&2; exit 1; }

.PHONY: fuzz
fuzz: $(VENV)/.ready  ## Break answers, requests and replies of the store for a minute (SECONDS, CASES, SEED, OF)
	$(VENV)/bin/python -m tests.fuzz --seconds $(or $(SECONDS),60) $(if $(CASES),--cases $(CASES)) \
	    $(if $(SEED),--seed $(SEED)) $(if $(OF),--of $(OF))

.PHONY: soak
soak: $(VENV)/.ready  ## Ten minutes of hits, misses, streams and faults at once (SECONDS, SEED)
	$(VENV)/bin/python -m tests.soak --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1)

.PHONY: audit
audit: $(VENV)/.ready  ## Compare what is installed with known vulnerabilities; wants the network
	$(VENV)/bin/python -m scripts.audit

.PHONY: check
check: lint types test  ## Everything a change must pass: format, lint, types, tests

.PHONY: lint
lint: $(VENV)/.ready  ## Check format and style
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .

.PHONY: types
types: $(VENV)/.ready  ## Check types
	$(VENV)/bin/mypy

.PHONY: format
format: $(VENV)/.ready  ## Format, and mend what can be mended
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

.PHONY: docs
docs: $(VENV)/.ready  ## Print docs/providers.md anew, and the table in docs/tuning.md
	$(VENV)/bin/python -m scripts.providers_page > docs/providers.md.new
	mv docs/providers.md.new docs/providers.md
	$(VENV)/bin/python -m scripts.tuning_page > docs/tuning.md.new
	mv docs/tuning.md.new docs/tuning.md

.PHONY: clean
clean:  ## Remove environments and caches
	rm -rf .venv* .clients.json tests/node/node_modules dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help
help:  ## List the targets
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

$(VENV)/.ready: pyproject.toml
	@sh scripts/environment $(VENV) --editable '.[all]' --group dev

# Without the proxy extra: mitmproxy's pins would hold the SDKs back by a major version.
$(CLIENTS)/.ready: pyproject.toml
	@sh scripts/environment $(CLIENTS) --editable . --group clients

# Neither our package nor its tests: programs of their own, which know nothing of us.
$(FRAMEWORKS)/.ready: pyproject.toml
	@sh scripts/environment $(FRAMEWORKS) --group frameworks

# The original library has the name of ours, so it cannot be in the same one.
$(PEER)/.ready: bench/peer/requirements.txt
	@sh scripts/environment $(PEER) --requirement bench/peer/requirements.txt
