# Everything that is done with this repository has a target here; `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
NPM ?= npm

.DEFAULT_GOAL := help
.PHONY: help up test check bench faults damage challenges nightly lock frontend format clean

help:  ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Each takes PYTHON=, the interpreter that makes the environment (3.11 or newer)."

$(VENV)/run.stamp: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

up: $(VENV)/run.stamp  ## Make the environment, then run Medtheca with its demo on http://localhost:8000
	$(BIN)/medtheca up --demo

test: $(VENV)/test.stamp  ## Run the tests, or those of TESTS=; browser tests skip with a reason where there is no Chromium
	$(BIN)/python -m pytest $(TESTS)

check: $(VENV)/test.stamp  ## Lint, types, import contracts, migrations, generated documents, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/architecture tests/docs

bench: $(VENV)/test.stamp  ## Measure against the limits and peers in the same run; one JSON line a figure
	$(BIN)/python -m benchmarks

faults: $(VENV)/test.stamp  ## The whole crash test: hundreds of ingests with processes killed under them
	$(BIN)/python -m tests.faults.run

damage: $(VENV)/test.stamp  ## 20,000 damaged files of every format through the sandbox; offending ones are kept in build/damage
	$(BIN)/python -m tests.damage.run --files 20000 --keep build/damage

challenges: $(VENV)/test.stamp  ## The ISIC Archive's table of challenges at full size: 58,613 small images; goes on where it was cut off
	$(BIN)/python -m tests.challenges.run --data build/challenges

# What could go on for ever tries four times as much (tests/plugins/thoroughness.py).
nightly: TESTS = --hypothesis-profile=nightly
nightly: check test faults bench damage challenges  ## Everything, at full size

frontend:  ## Build the pages' styles and scripts again (needs Node)
	cd frontend && $(NPM) ci && $(NPM) run build

format: $(VENV)/test.stamp  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## Pin all dependencies anew, with hashes, for all supported Pythons
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-annotate --custom-compile-command "make lock" --extra demo --extra build pyproject.toml -o requirements.lock
	$(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-annotate --custom-compile-command "make lock" --extra dev --extra demo -c requirements.lock pyproject.toml -o requirements-dev.lock
	for version in 0.14.0 0.16.1; do \
		echo "gcapi==$$version" | $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-annotate --custom-compile-command "make lock" - -o tests/contract/locks/gcapi-$$version.lock || exit 1; \
	done

clean:  ## Remove environments and caches; the data folder stays
	rm -rf $(VENV) $(VENV)-lock .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info src/*.egg-info
