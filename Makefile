# Needs python3 (3.11 or newer, with venv), make and git. `make help` lists the targets.
PYTHON ?= python3
PORT ?= 5000
WORKERS ?= 2
MINUTES ?= 20
TAPS ?= 10000
SEED ?=

ROOT := $(CURDIR)
BIN := .venv/bin
PREPARE := $(PYTHON) tools/prepare.py
SOURCES := feedback_app kiosk analysis tests tools benchmarks
DEMO_URL := sqlite:///$(ROOT)/instance/demo.db

.DEFAULT_GOAL := help
.PHONY: help run test check lint bench soak words lock clean venv venv-tests

help:
	@echo "make run     demo chain on http://127.0.0.1:$(PORT) (PORT= for another)"
	@echo "make test    everything the tests need, then all checks and tests"
	@echo "make check   format, lint, types, layers, unit tests; under a minute"
	@echo "make bench   benchmarks: prints ratios, writes benchmarks/results/"
	@echo "make soak    20 minutes of breaking lines and killed servers (MINUTES=, TAPS=, SEED= of an earlier run)"
	@echo "make words   collect the words to translate, update and compile the catalogues"
	@echo "make lock    pin the newest allowed versions in constraints.txt"
	@echo "make clean   remove .venv and caches; instance/ stays"

run: venv
	@$(PREPARE) once instance/.demo.lock -- \
	  env "OTKLIK_DATABASE_URL=$(DEMO_URL)" $(BIN)/otklik demo --if-missing
	@OTKLIK_DATABASE_URL="$(DEMO_URL)"; export OTKLIK_DATABASE_URL; \
	  exec $(BIN)/otklik serve --host 127.0.0.1 --port $(PORT)

# pytest comes last and runs even when lint failed, so that the closing lines always hold its counts.
test: venv-tests
	@$(PREPARE) browser
	@failed=0; \
	$(MAKE) --no-print-directory lint || failed=1; \
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile || failed=1; \
	exit $$failed

check: venv-tests
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not browser and not slow"

# All four speak, whatever the one before found.
lint:
	@failed=0; for tool in "ruff format --check ." "ruff check ." "mypy" "lint-imports --no-logo"; do \
	  echo "$$tool"; $(BIN)/$$tool || failed=1; \
	done; exit $$failed

bench: venv-tests
	@$(BIN)/python -m benchmarks

soak: venv-tests
	@$(PREPARE) browser
	@$(BIN)/python -m tests.soak --minutes $(MINUTES) --taps $(TAPS) $(if $(SEED),--seed $(SEED))

words: venv
	@$(BIN)/python -m tools.words

lock:
	@$(PREPARE) lock

venv:
	@$(PREPARE) venv

venv-tests:
	@$(PREPARE) venv --extra tests

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
