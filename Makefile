# Every target is self-sufficient: it needs python3 (3.11 or newer, with venv) and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.installed-run
STAMP  := $(VENV)/.installed
BENCH  := $(VENV)/.installed-bench
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --editable

# Reports a Python that is too old, in syntax that every Python can read; otherwise prints its version.
VERSION := import sys; v = sys.version_info; t = "%s.%s.%s" % tuple(v[:3]); v >= (3, 11) or sys.exit( \
	"$(PYTHON) is Python " + t + ", and taskkit needs 3.11 or newer; name one: make run PYTHON=python3.12"); \
	print("Installing into $(VENV), with Python " + t + "; this takes a minute or so")

.PHONY: run test check bench bench-ui bench-store bench-attach screenshots clean

run: $(RUN)
	$(BIN)/taskkit-tui

test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/make_map.py --check
	$(BIN)/python docs/make_keys.py --check

bench: $(BENCH)
	$(BIN)/python -m benchmarks.library
	$(BIN)/python -m benchmarks.tricks
	$(BIN)/python -m benchmarks.executors

bench-ui: $(STAMP)
	$(BIN)/python -m benchmarks.dashboard

bench-store: $(STAMP)
	$(BIN)/python -m benchmarks.store
	$(BIN)/python -m benchmarks.kill_store --kills 1000
	$(BIN)/python -m benchmarks.details

bench-attach: $(STAMP)
	$(BIN)/python -m benchmarks.attach

screenshots: $(STAMP)
	$(BIN)/python -m screenshots.take

# Running the program needs no development tools.
$(RUN): pyproject.toml
	$(make-venv)
	$(INSTALL) .
	@touch $@

$(STAMP): pyproject.toml
	$(make-venv)
	$(INSTALL) ".[dev]"
	@touch $@ $(RUN)

$(BENCH): $(STAMP)
	$(INSTALL) ".[dev,bench]"
	@touch $@

# Makes the virtual environment again if its Python is too old or was removed; uses any other.
define make-venv
@command -v "$(PYTHON)" >/dev/null || { echo 'there is no $(PYTHON); name another: make run PYTHON=python3.12'; exit 1; }
@$(PYTHON) -c '$(VERSION)'
@$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
endef

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
