# Headgate. `make` alone says what there is to do.
# Needs Python 3.10 or newer and Java 17 or 21; everything else is put into .venv, once.

VENV   ?= .venv
PY     := $(VENV)/bin/python
EXTRAS := aws dev devices formats notebooks privacy quality servers
PYTEST := $(PY) -m pytest
# Spark plans on one core: two sessions keep two busy. The tests of a file share one.
SIDE_BY_SIDE := -n $(or $(WORKERS),2) --dist loadscope
SHELLS := bin/bootstrap spark-submit.sh .ci/run

export SPARK_LOCAL_IP ?= 127.0.0.1
.DEFAULT_GOAL := help
.PHONY: help install install-dev demo test check unit rest fmt bench clean \
        test-compat test-compat-spark-3.5 test-compat-spark-4.1.1 test-slow test-faults test-cluster s3-server lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## put Headgate into .venv, with what it needs to run
	@VENV=$(VENV) bin/bootstrap

install-dev: ## the same, and what its tests and notebooks need
	@VENV=$(VENV) bin/bootstrap $(EXTRAS)

demo: install ## two weeks of messy retail dumps through all four jobs
	@$(VENV)/bin/headgate demo $(DEMO)

test: check ## everything CI runs: check, then all tests
	@$(MAKE) --no-print-directory unit rest

check: install-dev ## lint, format, types, contracts, shell scripts
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/shellcheck $(SHELLS)

unit: install-dev ## the tests that start no JVM, and the examples in docstrings
	$(PYTEST) tests/unit lib --doctest-modules -m "not slow" $(SIDE_BY_SIDE)

rest: install-dev
	$(PYTEST) tests --ignore=tests/unit -m "not slow and not faults and not cluster" $(SIDE_BY_SIDE)

test-slow: install-dev ## the tests that take minutes: properties, demo, report in a browser
	$(PYTEST) tests -m slow

test-faults: install-dev ## only the tests that kill or starve a process
	$(PYTEST) tests -m faults

test-cluster: install-dev ## only the tests on a standalone Spark cluster
	$(PYTEST) tests -m cluster

test-compat: test-compat-spark-4.1.1 test-compat-spark-3.5 ## the Delta tests on each older pair

# Spark 3.5 knows no Python after 3.11.
test-compat-spark-3.5: export PYTHONS := python3.11 python3.10

test-compat-spark-3.5 test-compat-spark-4.1.1: test-compat-spark-%:
	@VENV=.venv-spark-$* CONSTRAINTS=constraints-spark-$*.txt bin/bootstrap dev privacy
	.venv-spark-$*/bin/python -m pytest tests/unit tests/spark tests/delta -m "not browser" \
	    $(SIDE_BY_SIDE) -W "ignore::DeprecationWarning"

s3-server: install-dev ## build the S3 server that tests and benchmarks use (needs Go)
	@$(PY) -m bench.s3_server
	@$(PY) -m headgate.storage.s3a

fmt: install-dev ## put the sources into shape
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

bench: install-dev ## each benchmark's ratio
	@$(PY) -m bench $(BENCH)

lock: ## resolve the constraints files anew (needs a network)
	bin/lock

clean: ## remove what was made here, except .venv and data/
	rm -rf -- build dist artifacts spark-warehouse metastore_db derby.log lib/*.egg-info \
	    .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find lib jobs tests bench notebooks -name __pycache__ -type d -prune -exec rm -rf -- {} + 2>/dev/null || true
