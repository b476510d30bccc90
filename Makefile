# Every target sets up what it needs in .venv and, run again, installs nothing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
# `make demo PIP_FLAGS=` shows all that pip says.
PIP_FLAGS ?= --quiet
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
INPUTS := pyproject.toml constraints.txt requirements-demo.txt

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check docs bench

help: ## Say what the targets do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMPS)/demo ## Compare a real encoder with itself after fine-tuning; prints where the page is
	@$(BIN)/python studies/prepare_demo.py
	@$(BIN)/tunescope run studies/demo.toml

test: $(STAMPS)/test ## Run the tests, without those that take minutes or need a GPU
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not gpu"

check: $(STAMPS)/dev ## Lint, format, types, and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/lint-imports

docs: $(STAMPS)/docs ## Build the documentation; a warning is an error
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(STAMPS)/dev ## Run the benchmarks
	@set -e; for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python "$$script"; done

# A stamp is one set of installed extras; it is older than what it was installed from, or done.
$(STAMPS)/demo: EXTRAS :=
$(STAMPS)/test: EXTRAS := [adapters,datasets,test]
$(STAMPS)/docs: EXTRAS := [docs]
$(STAMPS)/dev: EXTRAS := [dev]

$(STAMPS)/demo $(STAMPS)/test $(STAMPS)/docs $(STAMPS)/dev: $(INPUTS) | $(STAMPS)/torch
	@echo "Installing tunescope$(EXTRAS) into $(VENV) (the first time takes some minutes)"
	@$(INSTALL) $(PIP_FLAGS) -e '.$(EXTRAS)'
	@$(INSTALL) $(PIP_FLAGS) --no-deps -r requirements-demo.txt
	@touch $@

# On its own and first: asked for by another package, pip may take a newer build with CUDA.
$(STAMPS)/torch: | $(STAMPS)/venv
	@echo "Installing torch"
	@$(INSTALL) "$$(grep '^torch==' constraints.txt)"
	@touch $@

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "tunescope needs Python 3.11 or newer, and $(PYTHON) is not ($$($(PYTHON) -V 2>&1)):" \
	    "name one, as in make demo PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Creating $(VENV)"; $(PYTHON) -m venv $(VENV); } || { \
	  rm -rf $(VENV); echo "$(PYTHON) -m venv failed: on Debian and Ubuntu," \
	    "apt install python3-venv" >&2; exit 1; }
	@mkdir -p $(STAMPS)
	@touch $@
