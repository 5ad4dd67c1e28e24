# skystamp. `make help` lists the targets. Everything runs in .venv, which `make` makes by itself from requirements.lock.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo serve mlflow test test-long chaos check bench format lock clean

BIN := .venv/bin
STAMP := .venv/.installed
UV := uv==0.13.8# made the environment in 37 s where pip took 199 s; without it pip does
CHECKED := --jaxtyping-packages=skystamp,beartype.beartype# arrays' dtypes and axes are checked in every test
TOGETHER := -n auto --maxprocesses=4 --dist=loadfile# tests that share nothing; the others have servers and clusters
MLFLOW_TRACKING_URI ?= sqlite:///$(CURDIR)/.skystamp/mlflow.db

# Settings of every command below: nothing listens beyond this machine, nothing reports home.
export MLFLOW_TRACKING_URI
export MLFLOW_DISABLE_TELEMETRY := true
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION := false
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONUNBUFFERED := 1
unexport PYTHONDONTWRITEBYTECODE# a worker process that compiles what it imports starts in twice the time
export RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO := 0
export RAY_AUTH_MODE := disabled
export RAY_DATA_USE_DATASOURCE_V2 := 0
export RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER := 0
export RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH := skystamp.request_ids:middlewares
export RAY_USAGE_STATS_ENABLED := 0
export TF_CPP_MIN_LOG_LEVEL := 2

help: ## show this list
	@grep -E '^[a-z-]+:.* ## ' Makefile | sed -E 's/^([a-z-]+):.* ## /  make \1\t/' | expand -t 20

install: $(STAMP) ## make .venv (every target below does so by itself)

demo: $(STAMP) ## do the main job, packets to answers over HTTP (DEMO_EXIT=1 ends it when done; ALERTS=DIR: your own packets)
	@$(BIN)/skystamp demo $(if $(filter-out 0,$(DEMO_EXIT)),--exit) $(if $(ALERTS),--alerts "$(ALERTS)")

serve: $(STAMP) ## serve the champion on 127.0.0.1:8000
	@exec $(BIN)/python -m serve_apps.run serve_apps/local.yaml

mlflow: $(STAMP) ## show runs and registered models on 127.0.0.1:5000
	@mkdir -p .skystamp
	@$(BIN)/mlflow server --backend-store-uri "$(MLFLOW_TRACKING_URI)" --host 127.0.0.1 --port 5000 --workers 1

test: $(STAMP) ## run the tests: units, the project's own, the page in a browser, models, a small Ray cluster
	@for part in "tests/unit $(TOGETHER)" "tests --ignore=tests/unit --ignore=tests/model --ignore=tests/ray --ignore=tests/web" \
	  tests/web "tests/model $(TOGETHER)" tests/ray; do \
	  export PYTHONHASHSEED=$$RANDOM; echo "PYTHONHASHSEED=$$PYTHONHASHSEED pytest $$part"; $(BIN)/python -m pytest -q -m "not slow" --durations=5 $(CHECKED) $$part; \
	done

test-long: $(STAMP) ## run the long forms of the checks that `make test` keeps short
	@$(BIN)/python -m pytest -m slow --timeout=3600 --durations=10 $(CHECKED)

chaos: $(STAMP) ## kill everything while 10,000 packets stream, and see that each has one outcome
	@$(BIN)/python -m tests.chaos

check: $(STAMP) ## ruff, mypy, import directions, docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_layers.py tests/test_project.py tests/test_docs.py

bench: $(STAMP) ## run every benchmark
	@for file in benchmarks/[a-z]*.py; do \
	  name=$$(basename "$$file" .py); echo "== python -m benchmarks.$$name"; $(BIN)/python -m "benchmarks.$$name"; \
	done

format: $(STAMP) ## let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(STAMP) ## pin today's newest versions that pyproject.toml allows in requirements.lock
	@$(BIN)/python -m pip install --quiet $(UV)
	@$(BIN)/uv pip compile --quiet --upgrade --no-header --no-annotate --python-version 3.11 \
	  --extra dev --extra kafka --extra postgres --output-file requirements.lock pyproject.toml

clean: ## remove .venv and all caches; models and runs in .skystamp stay
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing requirements.lock into .venv: 4.6 GB, compiled: two minutes or a few."
	@if $(BIN)/python -m pip install --quiet $(UV) 2>/dev/null; then \
	  $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements.lock && exit; \
	fi; \
	echo "uv cannot do it here; pip does it, more slowly."; \
	$(BIN)/python -m pip install --quiet --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

$(BIN)/python:
	@for python in $(or $(PYTHON),python3.11 python3 python); do \
	  if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then \
	    exec $$python -m venv .venv; \
	  fi; \
	done; \
	echo "skystamp needs Python 3.11 with its venv module: install it, or say where it is by make PYTHON=/path/to/python3.11" >&2; \
	exit 1
