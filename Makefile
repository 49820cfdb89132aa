# make         set up and run the default study      make test         all tests but those of faults (40 minutes)
# make smoke   a small study of one minute            make test-faults  tests of kills and of faults on a cluster
# make report  only the report of finished results   make check        lint, types and unit tests (9 minutes)
# make test-gpu   what only a GPU can show: the same numbers with graphs, packed and on the CPU
# make test-statistics  how often intervals and verdicts are right, in 2,000 simulated studies each
# make plan    what a study costs: make plan STUDY=paper CONFIG="keep_weights=false models='[mbert]'"
# make list    models, tasks, studies, recipes, targets, and the layout of your own files
# make evaluate MODEL=path/to/checkpoint XGLUE=path/to/xglue    your encoder beside a baseline, in minutes
#                  also BASELINE=xlmr, CONFIG="languages='[en,de]'"; MODEL=owner/name is one of the Hub
# make bench   compare this project with its peers: make bench ARGUMENTS="--only finetuning --rounds 1"
# make docs    the documentation as a site: site/index.html
# make help    these lines
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: all help docs setup smoke report plan list evaluate check test test-faults test-gpu test-statistics bench clean

all: setup
	snakemake

help:
	@sed -n 's/^# \(\(make\|   \) .*\)/\1/p' Makefile

setup: .venv/ready

.venv/ready: pyproject.toml envs/requirements.txt envs/requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed: make PYTHON=python3.11")'
	# What an installation that was stopped leaves, pip cannot read.
	$(PYTHON) -m venv $(if $(wildcard .venv.unfinished),--clear) .venv
	touch .venv.unfinished
	# Some dependencies come as source alone. Without this, pip 23.0 (that of Debian 12's Python) builds them with its own
	# old setuptools and the newest setuptools_scm, which fails.
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --use-pep517 --editable .[dev]
	rm .venv.unfinished
	touch $@

smoke: setup
	snakemake --config study=smoke

report: setup
	snakemake report --config partial=true

plan: setup
	python scripts/plan.py $(if $(STUDY),--study $(STUDY)) $(if $(CONFIG),--config $(CONFIG))

list: setup
	python scripts/list.py

evaluate: setup
	$(if $(MODEL),,$(error MODEL is missing: make evaluate MODEL=path/to/checkpoint XGLUE=path/to/xglue))
	python scripts/evaluate.py $(MODEL) $(if $(BASELINE),--baseline $(BASELINE)) $(if $(XGLUE),--xglue $(XGLUE)) $(if $(CONFIG),--config $(CONFIG))

check: setup
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile workflow/rules
	snakemake --lint
	python -m pytest -q -n auto -m "not slow" tests/unit

test: check
	python -m pytest -q -n auto -m slow tests/unit
	python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder tests/workflow tests/slurm/test_study.py

# Coverage of intervals and false verdicts in 2,000 simulated studies each; `make test` has a cut of it.
test-statistics: setup
	MTBRIDGE_TRIALS=2000 python -m pytest -q -n auto -m slow tests/unit/inference

# Twenty kills, and a small Slurm cluster of the tests' own; test_study.py is part of `make test`.
test-faults: setup
	# What waits for Slurm runs beside the others.
	MTBRIDGE_KILLS=$${MTBRIDGE_KILLS:-20} python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder \
		--ignore=tests/slurm/test_study.py tests/slurm tests/faults

test-gpu: setup
	python -m pytest -q tests/gpu

bench: setup
	python -m benchmarks.run $(ARGUMENTS)

docs: setup
	python -m mkdocs build --quiet

clean:
	# .snakemake stays: it records what the results were made from. Without it, stale results would count as up to date.
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
