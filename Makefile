# Two commands matter: `make train` and `make test`. Each makes .venv and installs what it needs by itself.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help train test lint format bench clean

help:
	@echo "make train   train MAPPO on hospital_throughput, compare with the rule, write runs/<id>/report.html"
	@echo "make test    lint, types, import contracts and every test"
	@echo "make lint    the checks of make test without the tests"
	@echo "make format  let ruff format and fix the code"
	@echo "make bench   what a step costs; the kernel beside idiomatic SimPy and a bare heap"
	@echo "make clean   remove .venv and everything that tools leave behind (runs/ stays)"
	@echo "PYTHON=python3.12 make ...  picks the interpreter (3.11 or newer; now: $(PYTHON))"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "marl-health needs Python 3.11 or newer, but $(PYTHON) is `$(PYTHON) --version 2>&1`;" \
		"name another: PYTHON=python3.12 make ..."; exit 1; }
	@echo "Installing into .venv (once; a few minutes) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,plot,analysis,dev]'
	@touch $(READY)

train: $(READY)
	$(BIN)/marl-health train hospital_throughput

test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: $(READY)
	$(BIN)/python -m experiments.benchmarks.step
	$(BIN)/python -m experiments.benchmarks.tasks
	$(BIN)/python -m experiments.benchmarks.kernel
	$(BIN)/python -m experiments.benchmarks.training --envs 16 --runners 0 --sampling

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find marl_health policies orchestration experiments tests -name __pycache__ -type d -prune -exec rm -rf {} +
