# `make demo` and `make test` set up what they need; nothing is installed again while pyproject.toml stays as it is.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
INSTALLED_DEV := .venv/.installed-dev

.PHONY: demo test check format leaderboard cards benchmark validate clean

# VIVID with its control rows, then the weight-free baselines beside it; finished runs are not done again.
demo: $(INSTALLED)
	$(BIN)/vivid-bench run --method vivid --task delete
	$(BIN)/vivid-bench run --method all --task delete

test: $(INSTALLED_DEV)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

check: $(INSTALLED_DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy vivid_bench baselines

format: $(INSTALLED_DEV)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The page made from the committed records; a test fails when it is stale.
leaderboard: $(INSTALLED)
	$(BIN)/vivid-bench leaderboard --records results --format md --out results/LEADERBOARD.md

# Tables and cards of methods and data sets in the documents; a test fails when they are stale.
cards: $(INSTALLED)
	$(BIN)/python -m vivid_bench.cards README.md BENCHMARK.md

benchmark: $(INSTALLED)
	$(BIN)/python benchmarks/scoring.py

# How often intervals cover and tests err, on simulated clips and user studies; a leaderboard of 12 million scores in
# time and memory; a rating server that is killed under load.
validate: $(INSTALLED_DEV)
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/leaderboard.py
	$(BIN)/python benchmarks/study.py
	$(BIN)/python benchmarks/study_server.py

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vivid-bench needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv .venv

$(INSTALLED): pyproject.toml setup.py | $(BIN)/python
	$(BIN)/pip install --quiet --editable .
	touch $@

$(INSTALLED_DEV): pyproject.toml setup.py | $(BIN)/python
	$(BIN)/pip install --quiet --editable ".[dev,train]"
	touch $@ $(INSTALLED)

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
