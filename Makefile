# Everything a newcomer or CI needs; each target sets up what it uses.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: report lab test lint check bench screenshots clean

lab: .venv/ready  ## Open the interactive app.
	$(BIN)/fashiontui

report: .venv/ready  ## Train the report's seven models and print its tables.
	$(BIN)/fashiontui --batch

test: .venv/ready-dev  ## Run the tests.
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: .venv/ready-dev  ## Style, types and layers.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test  ## All gates, as CI runs them.

bench: .venv/ready  ## Speed beside a plain PyTorch script; run it on an idle machine.
	$(BIN)/python benchmarks/speed.py

screenshots: .venv/ready-dev  ## Draw the README's screenshots anew, from scripted events.
	$(BIN)/python -m benchmarks.screenshots

clean:  ## Remove what the other targets made.
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fashiontui needs Python 3.11 or newer; name one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/ready: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet -e .
	touch $@

.venv/ready-dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $@
