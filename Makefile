# `make` alone prints what there is. Everything lives in .venv, .venv-clients and .local; nothing outside the checkout is
# touched, except that `make test` and `make services` install missing Debian packages when this user may.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test faults attack bench bench-compare services quality docs lock clean

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
# The released clients that the tests drive, apart: they bring a whole LMS's requirements along.
CLIENTS := .venv-clients
# Twice quiet: errors only. The packages come from whatever index this user's pip is configured for.
PIP := python -m pip --disable-pip-version-check -qq

# The locks are made on 3.11; newer ones do as well.
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(STAMPS)/base  ## Run the whole service here on sample data, until Ctrl-C
	@$(BIN)/python -m scripts.run_local

test: $(STAMPS)/test $(CLIENTS)/stamp  ## Check the code, then test on SQLite and on MariaDB with Redis
	@$(BIN)/python -m scripts.run_tests

faults: $(STAMPS)/test  ## Kill, stop, flood and starve the service, a line for each fault (make faults TIMES=20)
	@$(BIN)/python -m scripts.run_faults $(or $(TIMES),1)

attack: $(STAMPS)/test  ## Attack the whole service in every way that docs/security.rst lists, a line for each attack
	@$(BIN)/python -m scripts.run_attacks

bench: $(STAMPS)/bench  ## Measure the service beside what is possible at all, and judge it (make bench KEEP=1 keeps the run)
	@$(BIN)/python -m benchmarks $(if $(KEEP),--keep)

bench-compare: $(STAMPS)/bench  ## Say what moved between the kept run and the latest one
	@$(BIN)/python -m benchmarks --compare

services: $(STAMPS)/base  ## Run a throwaway MariaDB and Redis, until Ctrl-C
	@$(BIN)/python -m scripts.services

quality: $(STAMPS)/test  ## Lint, types, import contracts, migrations, locks, rules about modules
	@$(BIN)/python -m scripts.quality

docs: $(STAMPS)/docs  ## Build the documentation into docs/_build
	@$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

lock: $(STAMPS)/test  ## Write requirements/*.txt from *.in (make lock UPGRADE=1 takes newer versions)
	@$(BIN)/python -m scripts.lock $(if $(UPGRADE),--upgrade)

clean:  ## Remove .venv, .venv-clients, .local and everything else that was made here
	rm -rf $(VENV) $(CLIENTS) .local .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf staticfiles docs/_build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: a second call starts at once, a changed lock installs again.
$(STAMPS)/venv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (Debian: apt-get install python3 python3-venv)" >&2; exit 1; }
	@$(PYTHON) scripts/debian.py venv
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/base: $(STAMPS)/venv requirements/base.txt
	@echo "Installing requirements/base.txt"
	@$(BIN)/$(PIP) install -r requirements/base.txt
	@touch $@

$(STAMPS)/test: $(STAMPS)/base requirements/mysql.txt requirements/test.txt requirements/quality.txt
	@$(BIN)/python scripts/debian.py mysqlclient
	@echo "Installing requirements for tests and checks"
	@$(BIN)/$(PIP) install -r requirements/base.txt -r requirements/mysql.txt -r requirements/test.txt -r requirements/quality.txt
	@touch $@

$(STAMPS)/bench: $(STAMPS)/test requirements/bench.txt
	@echo "Installing requirements/bench.txt"
	@$(BIN)/$(PIP) install -r requirements/bench.txt
	@touch $@

$(STAMPS)/docs: $(STAMPS)/test requirements/docs.txt
	@echo "Installing requirements/docs.txt"
	@$(BIN)/$(PIP) install -r requirements/docs.txt
	@touch $@

$(CLIENTS)/stamp: $(STAMPS)/venv requirements/clients.txt
	@echo "Making $(CLIENTS), and installing requirements/clients.txt"
	@$(PYTHON) -m venv --clear $(CLIENTS)
	@# Little of an LMS's requirements is ever imported.
	@$(CLIENTS)/bin/$(PIP) install --no-compile -r requirements/clients.txt
	@touch $@
