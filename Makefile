# Needs Python 3.11 or newer, and `pulumi` on PATH or a Go toolchain; the rest it brings along, inside this folder.
.DEFAULT_GOAL := help
.PHONY: help up preview down env test lint types actionlint unit e2e faults faults-sample simulate mutants bench documents pictures previews clean

PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.state/uv/bin/uv)
# What beside the product itself goes into the virtual environment: everything, or `--no-dev` for the product alone.
SYNC ?= --all-extras
VENV := .venv/.synced
# The scripts of a virtual environment have its path, so one that was moved or copied is made anew.
MOVED := $(shell [ ! -e .venv/bin/iamcreds ] || grep -qsF '$(realpath .venv)/bin/python' .venv/bin/iamcreds || echo moved)
LOCKED := $(wildcard iamcreds/project/locked/*.txt)
# The packages of a new project, from which the tests make a package index on 127.0.0.1.
WHEELS := .state/wheels/.downloaded
CHECK_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
# One more than the cores of a small machine, for tests wait now and then; a file's tests stay together while all are busy.
PROCESSES := --numprocesses 3 --dist worksteal
LOCAL := .venv/bin/python -m tools.local_stack
export UV_PYTHON_DOWNLOADS := never
# A virtual environment without bytecode would have every process compile 350 modules anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## say what there is
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST) | tr -s '$$'

up: $(VENV) ## make the embedded IAM what specs/ says (repeated: changes nothing)
	@$(LOCAL) up

preview: $(VENV) ## say what `make up` would change
	@$(LOCAL) preview

down: $(VENV) ## stop the embedded IAM
	@$(LOCAL) down

env: $(VENV) ## print the variables for a shell on that stack: eval "$$(make -s env)"
	@$(LOCAL) env

test: lint types actionlint unit e2e faults-sample ## everything that must be green

lint: $(VENV) ## style and import layers
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports

actionlint: $(VENV) ## the workflows, where there is Go to build the checker with
	@.venv/bin/python -m tools.actionlint

types: $(VENV) ## mypy, strict
	.venv/bin/mypy

unit: $(VENV) ## every test without the engine
	.venv/bin/pytest tests --ignore=tests/e2e $(PROCESSES)

e2e: $(VENV) $(WHEELS) ## the real engine against the embedded IAM
	@$(PYTHON) tools/engine.py >/dev/null
	.venv/bin/pytest tests/e2e $(PROCESSES)

faults: $(VENV) ## every kind of fault at every call of every write path; ID='create:*' plays those
	.venv/bin/python -m tests.faults $(ID)

faults-sample: $(VENV) ## a part of it: each kind, each operation, each call that changes something
	.venv/bin/python -m tests.faults --sample

simulate: $(VENV) ## histories of edits, runs, people and faults, by seed: N=100000 SEED=0 (or 1000000: with adoption)
	.venv/bin/python -m tests.simulation $(or $(N),2000) --seed $(or $(SEED),0)

mutants: $(VENV) ## changes to the code that some test has to notice, a sample in ten minutes: N=100 SEED=1, or N=all
	.venv/bin/python -m tests.mutants --number $(or $(N),100) --seed $(or $(SEED),1)

bench: $(VENV) ## loading specs against libyaml; wall time and calls at 100 and 1,000 credentials, against the engine's floor
	.venv/bin/python -m tests.bench.specs
	.venv/bin/python -m tests.bench.bench
	.venv/bin/python -m tests.bench.drift
	.venv/bin/python -m tests.bench.dump

documents: $(VENV) ## write the generated parts of the documents, and the locked requirements of new projects
	.venv/bin/python -m tools.documents
	.venv/bin/python -m tools.requirements

previews: $(VENV) ## record the previews that the tests of `iamcreds plan` read, by the real engine
	.venv/bin/python -m tests.pull_request.record

pictures: $(VENV) ## take the pictures of the documents, by Debian's chromium
	.venv/bin/python -m tests.report.picture
	.venv/bin/python -m tests.pull_request.picture

clean: ## forget the virtual environment and the local stack
	@[ ! -e $(VENV) ] || $(LOCAL) down
	rm -rf .venv .state

# First everything by its hash, as wheels, so that none of it runs; then our own package, built with what is there.
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
