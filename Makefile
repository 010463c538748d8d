# Verbs: `make` prints them. Everything is installed into .venv; nothing outside of the checkout is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := $(shell find cython -name '*.pyx' -o -name '*.pxd') setup.py pyproject.toml

.PHONY: help install build demo test quicktest stress fuzz bench lint clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) 2>/dev/null || (rm -rf $(VENV) && $(PYTHON) -m pip --version >/dev/null && \
	  $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(VENV)/bin/python install -q pip)

$(STAMP): $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test]'
	@touch $(STAMP)

install: $(STAMP)  ## everything into .venv, with the compiled half

build: $(BIN)/python  ## compile again, in place
	$(BIN)/python setup.py -q build_ext --inplace

demo: $(STAMP)  ## two strategies on the simulated venue, with their latencies
	$(BIN)/nexus-fast demo

test: $(STAMP)  ## all tests but the long ones
	$(BIN)/python -m pytest -q

quicktest: $(STAMP)  ## the unit tests
	$(BIN)/python -m pytest -q tests/unit

stress: $(STAMP)  ## shared memory under load, longer
	NEXUS_STRESS=10 $(BIN)/python -m pytest -q tests/stress

fuzz: $(STAMP)  ## the parsers under sanitizers, longer
	NEXUS_FUZZ_SECONDS=600 $(BIN)/python -m pytest -q tests/fuzz

bench: $(STAMP)  ## what it costs, against the floor in C
	$(BIN)/python -m bench.wire

lint: $(STAMP)  ## style
	$(BIN)/ruff check src tests bench strategies

clean:  ## all that was built
	rm -rf build dist $(VENV) src/*.egg-info
	find src -name '*.so' -o -name '*.pxd' -o -name '*.pyi' | xargs -r rm
