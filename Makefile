# For people: `make help`. Everything happens in .venv, which the first target that needs it makes.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo demo-cloud test unit chaos lint format bench bench-local bench-simulator bench-fargate bench-transfers bench-provision bench-report lock environment clean

BIN := .venv/bin
INSTALLED := .venv/installed
# In CI nothing may be left out for want of an engine.
PYTEST_OPTIONS := $(if $(filter true,$(CI)),--require-engines)
# Tests wait more than they work. What a file's tests share stays in one process, and files in the order of their names.
# `make test SIDE_BY_SIDE=` has one after the other.
SIDE_BY_SIDE := -n $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1))) --dist loadfile --no-loadscope-reorder --max-worker-restart 0
EXAMPLES := examples/md5sum/md5sum.wdl examples/variants/variants.wdl

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: $(INSTALLED) ## run examples/md5sum here, with nothing but Python
	@scripts/demo

demo-cloud: $(INSTALLED) ## the cloud story on a local AWS; wants bubblewrap
	@scripts/demo-cloud

test: lint ## lint, then all tests; as root on Debian with engines of its own
	$(BIN)/python -m tests.machine --minutes 40 $(BIN)/pytest -v --durations 30 $(SIDE_BY_SIDE) $(PYTEST_OPTIONS)

unit: $(INSTALLED) ## the tests that need no engine
	$(BIN)/pytest tests/unit

chaos: $(INSTALLED) ## fifty storms, fifty more with heads that are killed, thirty runs in the cloud; takes over an hour
	$(BIN)/python -m tests.machine $(BIN)/pytest $(PYTEST_OPTIONS) tests/chaos --chaos-seeds 50 --chaos-kills 50 --chaos-cloud 30

lint: $(INSTALLED) ## what machines can check: ruff, mypy, import contracts, the examples' WDL and shell
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/shellcheck .ci/run scripts/* examples/variants/image/build
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/miniwdl check --strict $(EXAMPLES)

format: $(INSTALLED) ## put the code into its form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: bench-local bench-simulator bench-fargate bench-transfers bench-provision bench-report ## measure against the goals and against others; takes long

bench-local: $(INSTALLED)
	$(BIN)/python -m benchmarks.local

bench-simulator: $(INSTALLED)
	$(BIN)/python -m benchmarks.simulator

bench-transfers: $(INSTALLED)
	$(BIN)/python -m benchmarks.transfers

bench-fargate: $(INSTALLED)
	$(BIN)/python -m benchmarks.fargate

bench-provision: $(INSTALLED)
	$(BIN)/python -m benchmarks.provision

environment: $(INSTALLED) ## make .venv

$(INSTALLED): requirements.lock pyproject.toml scripts/environment
	@scripts/environment
	@touch $@

bench-report: $(INSTALLED)
	$(BIN)/python -m benchmarks.report

lock: $(INSTALLED) ## renew requirements.lock from pyproject.toml
	@scripts/lock

clean: ## remove what the other targets made
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	rm -rf examples/variants/data
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
