# Requires Python 3.11 or newer, and `pulumi` on PATH or a Go toolchain. Everything else is installed in this folder.
.DEFAULT_GOAL := help
.PHONY: help up preview down env test lint types actionlint unit e2e faults faults-sample simulate mutants bench documents style pictures previews clean

PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.state/uv/bin/uv)
# The dependencies to install in addition to the required ones: all of them, or none with `--no-dev`.
SYNC ?= --all-extras
VENV := .venv/.synced
# The scripts of a virtual environment contain its path, so a moved or copied one is created again.
MOVED := $(shell [ ! -e .venv/bin/iamcreds ] || grep -qsF '$(realpath .venv)/bin/python' .venv/bin/iamcreds || echo moved)
LOCKED := $(wildcard iamcreds/project/locked/*.txt)
# The packages of a new project; the tests serve them as a package index on 127.0.0.1.
WHEELS := .state/wheels/.downloaded
CHECK_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is required: make PYTHON=python3.12")'
# One process more than a small machine has cores, because some tests wait. worksteal keeps the tests of a file together.
PROCESSES := --numprocesses 3 --dist worksteal
LOCAL := .venv/bin/python -m tools.local_stack
export UV_PYTHON_DOWNLOADS := never
# Without bytecode in the virtual environment, every process would compile 350 modules.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST) | tr -s '$$'

up: $(VENV) ## apply specs/ to the IAM emulator (idempotent)
	@$(LOCAL) up

preview: $(VENV) ## preview the changes of `make up`
	@$(LOCAL) preview

down: $(VENV) ## stop the IAM emulator
	@$(LOCAL) down

env: $(VENV) ## print the environment variables of that stack: eval "$$(make -s env)"
	@$(LOCAL) env

test: lint types actionlint unit e2e faults-sample ## run all checks and tests

lint: $(VENV) ## check style and import layers
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports

actionlint: $(VENV) ## check the workflows, if Go can build actionlint
	@.venv/bin/python -m tools.actionlint

types: $(VENV) ## run mypy in strict mode
	.venv/bin/mypy

unit: $(VENV) ## run the tests that do not need the engine
	.venv/bin/pytest tests --ignore=tests/e2e $(PROCESSES)

# These tests wait for most of their time: on two cores, five processes take about three quarters of the time of three.
e2e: PROCESSES := --numprocesses 5 --dist worksteal
e2e: $(VENV) $(WHEELS) ## run the end-to-end tests: the engine with the IAM emulator
	@$(PYTHON) tools/engine.py >/dev/null
	.venv/bin/pytest tests/e2e $(PROCESSES)

faults: $(VENV) ## inject every kind of fault at every call of every write path; ID='create:*' selects some
	.venv/bin/python -m tests.faults $(ID)

faults-sample: $(VENV) ## inject a sample: each kind of fault, each operation, each call that changes something
	.venv/bin/python -m tests.faults --sample

simulate: $(VENV) ## simulate edits, runs, manual changes and faults by seed, and years of daily runs: N=100000 YEARS=3 SEED=0 (from 1000000: with adoption, from 10000000: with renewals, from 20000000: with rotations)
	.venv/bin/python -m tests.simulation $(or $(N),2000) --seed $(or $(SEED),0)
	.venv/bin/python -m tests.simulation.daily $(or $(YEARS),3) --seed $(or $(SEED),0)

mutants: $(VENV) ## run the tests on a sample of mutants, in ten minutes: N=100 SEED=1, or N=all
	.venv/bin/python -m tests.mutants --number $(or $(N),100) --seed $(or $(SEED),1)

bench: $(VENV) ## measure the loading of specs relative to libyaml, and runs with 100 and 1,000 credentials relative to the engine
	.venv/bin/python -m tests.bench.specs
	.venv/bin/python -m tests.bench.bench
	.venv/bin/python -m tests.bench.rotation
	.venv/bin/python -m tests.bench.delivery
	.venv/bin/python -m tests.bench.drift
	.venv/bin/python -m tests.bench.dump

documents: $(VENV) ## write the generated parts of the documents, and the locked requirements of new projects
	.venv/bin/python -m tools.documents
	.venv/bin/python -m tools.requirements

style: $(VENV) ## list banned words, and sentences of more than 25 words
	@.venv/bin/python -m tools.style

previews: $(VENV) ## record previews of the engine for the tests of `iamcreds plan`
	.venv/bin/python -m tests.pull_request.record

pictures: $(VENV) ## take the screenshots of the documents with Debian's chromium
	.venv/bin/python -m tests.report.picture
	.venv/bin/python -m tests.pull_request.picture

clean: ## delete the virtual environment and the local stack
	@[ ! -e $(VENV) ] || $(LOCAL) down
	rm -rf .venv .state

# First all dependencies by hash, as wheels, so that none of their code runs; then this package, without downloads.
$(VENV): pyproject.toml uv.lock $(if $(filter .state/%,$(UV)),.state/uv/bin/uv) $(MOVED)
	@$(CHECK_PYTHON)
	$(if $(MOVED),rm -rf .venv)
	$(UV) sync --quiet --locked $(SYNC) --python $(PYTHON) --no-build --no-install-project
	$(UV) sync --quiet --locked $(SYNC) --python $(PYTHON) --offline
	@touch $@

.PHONY: moved
moved:

$(WHEELS): $(LOCKED) | $(VENV)
	rm -rf $(@D)
	.venv/bin/python -m pip download --quiet --require-hashes --only-binary :all: --no-deps --dest $(@D) $(addprefix --requirement ,$(LOCKED))
	@touch $@

.state/uv/bin/uv: tools/uv.txt
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv .state/uv
	.state/uv/bin/pip install --quiet --require-hashes --only-binary :all: --requirement tools/uv.txt
	@touch $@
