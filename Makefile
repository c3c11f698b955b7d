# Two commands set everything up on a machine with Python 3.11+ and make:
#   make run    the main job on the sample, from landed files to published marts
#   make test   lint, types and every test but the browser's

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The sample is of May 2015: its run speaks for an instant just after its last file.
AS_OF ?= 2015-05-20T22:00:00Z
PORT ?= 3000
FUZZ_SECONDS ?= 60
WORLDS_SECONDS ?= 60

# A hundred processes of the tests would each compile the same sources.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install install-dev run ui sql status lint style types test pytest test-browser fuzz worlds bench docs lock clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# pip compiles bytecode as it installs; without it the first start takes three times as long.
$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing the pinned dependencies into $(VENV) (about a minute)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "installing the tools for tests"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

install: $(VENV)/.installed ## the pinned dependencies and the `meterline` command
install-dev: $(VENV)/.installed-dev ## the same with the tools for tests

run: install ## the main job on the sample landing, ending with its tables
	@$(BIN)/meterline run --as-of $(AS_OF)

status: install ## what the home holds
	@$(BIN)/meterline status

ui: install ## the Dagster UI on http://127.0.0.1:3000 (PORT=…)
	@$(BIN)/meterline ui --port $(PORT)

sql: install ## a SQL prompt on the published marts
	@$(BIN)/meterline sql

lint: install-dev style types ## ruff, mypy --strict and sqlfluff

style: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install-dev
	$(BIN)/mypy
	$(BIN)/sqlfluff lint dbt_project/models dbt_project/tests

test: style ## lint and every test that needs no browser; ends with the slowest
	@$(MAKE) --no-print-directory --jobs=2 types pytest

pytest: install-dev
	$(BIN)/pytest -q -n 2 --dist worksteal --durations=15 -m "not browser"

test-browser: install-dev ## the Dagster UI in a real browser; needs Debian's chromium
	$(BIN)/pytest -q -m browser tests/browser

fuzz: install-dev ## mutated lines and files for FUZZ_SECONDS=60; FUZZ_SEED=… runs a round again
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) $(BIN)/python -m tests.hostile.fuzz

worlds: install-dev ## random landings against the oracle for WORLDS_SECONDS=60; WORLD=… makes one again
	WORLDS_SECONDS=$(WORLDS_SECONDS) WORLD=$(WORLD) $(BIN)/python -m tests.properties.many_worlds

bench: install-dev ## this pipeline and a plain DuckDB refresh, side by side
	$(BIN)/python -m bench.benchmark

docs: install ## the pages, the picture and the dbt sources that are written from the code
	$(BIN)/python -m pipelines.lake.reference > docs/lake.md
	$(BIN)/python -m pipelines.warehouse.catalog_seeds > dbt_project/seeds/_catalog__seeds.yml
	$(BIN)/python -m pipelines.warehouse.lake_sources > dbt_project/models/staging/lake/_lake__sources.yml
	$(BIN)/python -m pipelines.catalog.reference > docs/catalog.md
	$(BIN)/python docs/draw_architecture.py > docs/architecture.svg

lock: install-dev ## the lock files again, from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --no-strip-extras -o requirements.lock
	uv pip compile pyproject.toml --group build --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --no-strip-extras -c requirements.lock -o requirements-dev.lock

clean: ## the home of the sample run
	rm -rf .meterline
