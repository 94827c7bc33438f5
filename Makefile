# Every target is self-sufficient: it needs python3 (3.11 or newer, with venv) and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
BENCH  := $(VENV)/.installed-bench

.PHONY: run test check bench bench-ui bench-store screenshots clean

run: $(STAMP)
	$(BIN)/taskkit-tui

test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(BENCH)
	$(BIN)/python -m benchmarks.library

bench-ui: $(STAMP)
	$(BIN)/python -m benchmarks.dashboard

bench-store: $(STAMP)
	$(BIN)/python -m benchmarks.store
	$(BIN)/python -m benchmarks.kill_store --kills 1000
	$(BIN)/python -m benchmarks.details

screenshots: $(STAMP)
	$(BIN)/python -m screenshots.take

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

$(BENCH): $(STAMP)
	$(BIN)/python -m pip install --quiet --editable ".[dev,bench]"
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
