# `make run` and `make test` are the two commands that matter; `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup run site airflow cluster explore test e2e torture lint format bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name what; do printf '%-16s %s\n' "$$name" "$$what"; done

run: $(READY) ## one night of every source through the real DAGs, against the simulator
	@$(BIN)/python -m deploy.local night

site: $(READY) ## the page of the last make run, served on this machine (Ctrl-C ends it)
	@$(BIN)/python -m deploy.local site

airflow: $(READY) ## Airflow's UI with these DAGs on this machine (Ctrl-C ends it)
	@$(BIN)/python -m deploy.local ui

cluster: $(READY) ## the same on two Celery workers, Redis and PostgreSQL, as in production (Ctrl-C ends it)
	@$(BIN)/python -m deploy.local cluster

explore: $(READY) ## the star tables and worked questions in a browser (Ctrl-C ends it)
	@export JEJAK_SETTINGS=$${JEJAK_SETTINGS:-settings/simulator.toml}; \
	$(BIN)/jejak extract --out data/explore/jejak.db --describe data/explore/jejak.json && \
	$(BIN)/datasette serve --immutable data/explore/jejak.db --metadata data/explore/jejak.json

test: $(READY) ## all tests but those of make e2e
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

e2e: $(READY) ## the tests that open a browser or a whole Airflow, on two workers too (needs Chromium, Redis, LibreOffice)
	@$(BIN)/python -m pytest -m e2e tests/e2e

torture: $(READY) ## ten nights with kills, broken answers, full disks, two at once; make test takes two
	@JEJAK_TEST_TORTURE=$${JEJAK_TEST_TORTURE:-10} $(BIN)/python -m pytest -s -m torture tests/test_torture.py

lint: $(READY) ## style, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## mend what the formatter and the linter can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## speed, side by side with peers
	@$(BIN)/python -m bench

lock: $(READY) ## resolve requirements.lock anew from pyproject.toml
	@$(PIP) install --quiet uv
	@{ echo "# Exact versions for Python 3.11 to 3.13. Made from pyproject.toml by: make lock"; \
	   $(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --extra dev \
	     --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock

setup: $(READY) ## only install

clean: ## remove what can be made again; the warehouse under data/ stays
	@rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(LOCKED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Jejak needs Python 3.11, 3.12 or 3.13, and '$(PYTHON)' is none of them. Name one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv is missing. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked versions into $(VENV) (two to eight minutes, once) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python deploy/installing.py requirements.lock
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	@$(PIP) install --quiet --quiet --no-deps --no-build-isolation --editable .
	@touch $@
