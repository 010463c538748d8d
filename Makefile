# Verbs: `make` prints them. Everything is installed into .venv; nothing outside of the checkout is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BUILT := $(VENV)/.built
TESTING := $(VENV)/.testing
BENCHING := $(VENV)/.benching
SOURCES := $(shell find cython -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' -o -name '*.h')

.PHONY: help install build demo test quicktest chaos contract mutants stress fuzz packaging bench record lint clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

# Some distributions ship python3 without ensurepip: then the venv is made bare and filled by the pip outside of it.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nexus_fast needs Python 3.11 or later; set PYTHON=")'
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || (rm -rf $(VENV) && $(PYTHON) -m venv --without-pip $(VENV))
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m pip --python $(BIN)/python install -q pip || \
	  (rm -rf $(VENV); echo "$(PYTHON) has neither ensurepip nor pip: install python3-venv or python3-pip" >&2; exit 1)

# Lists of requirements come from pyproject.toml, the only place where they are written.
REQUIREMENTS := $(BIN)/python -c "import sys, tomllib; found = tomllib.load(open('pyproject.toml', 'rb')); \
  [found := found[key] for key in sys.argv[1:]]; print(*found, sep='\n')"
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

# The first installation compiles too; after that a changed source costs only what depends on it. It builds with the Cython of
# $(VENV), which must be older than what it makes, or the next build would make all of it again.
$(INSTALLED): $(BIN)/python pyproject.toml setup.py
	@echo "setting up $(VENV): dependencies, then the compiled half (some minutes)"
	@$(REQUIREMENTS) build-system requires > $(VENV)/build.txt && $(PIP) install -r $(VENV)/build.txt
	@$(PIP) install --no-build-isolation -e .
	@touch $(INSTALLED) $(BUILT)

# What only tests, lint and benchmarks need: the demo does not wait for it.
$(TESTING): $(INSTALLED)
	@echo "adding what the tests need"
	@$(REQUIREMENTS) project optional-dependencies test > $(VENV)/test.txt && $(PIP) install -r $(VENV)/test.txt
	@touch $(TESTING)

# The decoders that stand beside ours.
$(BENCHING): $(TESTING)
	@$(REQUIREMENTS) project optional-dependencies bench > $(VENV)/bench.txt && $(PIP) install -r $(VENV)/bench.txt
	@touch $(BENCHING)

# The installation itself has just built everything: then there is nothing to do.
$(BUILT): $(INSTALLED) $(SOURCES)
	@if [ ! -f $(BUILT) ] || [ -n "$$(find cython -type f -newer $(BUILT))" ]; then \
	  echo "compiling what has changed"; $(BIN)/python setup.py -q build_ext --inplace || exit 1; fi
	@touch $(BUILT)

install: $(TESTING) $(BUILT)  ## everything into .venv, with the compiled half

build: $(INSTALLED)  ## compile what has changed, in place
	$(BIN)/python setup.py -q build_ext --inplace
	@touch $(BUILT)

demo: $(BUILT)  ## two strategies on the simulated venue, with their latencies
	$(BIN)/nexus-fast demo

# Two at a time: much of a test on sockets is waiting. Tests of one file share a process, and with it their simulator.
test: $(TESTING) $(BUILT)  ## all tests but the long ones
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

quicktest: $(TESTING) $(BUILT)  ## the unit tests
	$(BIN)/python -m pytest -q tests/unit

chaos: $(TESTING) $(BUILT)  ## 10,000 seeded runs of random faults against random strategies, longer
	$(BIN)/python -m tests.chaos --seeds 1-10000

contract: $(TESTING) $(BUILT)  ## 200 seeded runs each of what a program is told, believes and leaves, longer
	for kind in books stop; do $(BIN)/python -m tests.contract --kind $$kind --seeds 1-200 || exit 1; done

mutants: $(TESTING) $(BUILT)  ## handling taken out, one piece at a time: its test has to fail, longer
	$(BIN)/python -m tests.mutants

stress: $(TESTING) $(BUILT)  ## shared memory under load, longer
	NEXUS_STRESS=10 $(BIN)/python -m pytest -q tests/stress

fuzz: $(TESTING) $(BUILT)  ## the parsers under sanitizers, longer
	$(BIN)/python tests/fuzz/sanitized.py --seconds 600

packaging: $(TESTING) $(BUILT)  ## wheel, sdist and editable installs in fresh environments, longer
	$(BIN)/python -m pytest -q -m packaging tests/packaging

bench: $(BENCHING) $(BUILT)  ## what it costs, against the floor in C
	$(BIN)/nexus-fast bench all

record: $(TESTING) $(BUILT)  ## record instructions and allocations, which tests compare
	$(BIN)/python -m bench.record --write

lint: $(TESTING) $(BUILT)  ## style
	$(BIN)/ruff check src tests bench strategies

clean:  ## all that was built
	rm -rf build dist $(VENV) src/*.egg-info
	find src strategies -name '*.so' -o -name '*.made_from' -o -name '*.pxd' -o -name '*.pyi' | xargs -r rm
