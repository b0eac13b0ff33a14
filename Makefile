# Every target sets itself up: all it needs is Python 3.10-3.13 and make. `make PYTHON=python3.11 ...` chooses the
# Python, `make CONSTRAINTS= ...` takes the newest versions rather than the tested ones, `ONLY=03` chooses one,
# `JOBS=2` takes two runs at a time.
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
ONLY ?=
JOBS ?=

VENV := .venv
READY := $(VENV)/ready
RUN := $(VENV)/bin/python
# Jupyter refuses to run as root unless told to; in a container there is often nobody else.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

export TF_CPP_MIN_LOG_LEVEL ?= 2

.DEFAULT_GOAL := help
.PHONY: help course slides test test-cluster test-matrix test-assignments test-nbgrader assignments lab bench check \
	records setup clean

help:
	@echo "make course       set up, run every notebook, build the site   (ONLY=03 for one)"
	@echo "make slides       a deck of slides of each notebook            (ONLY=03 for one)"
	@echo "make test         set up, unit tests, then nbval over all notebooks"
	@echo "make test-cluster sweeps on clusters of Dask and Ray, each with its set-up   (ONLY=dask for one)"
	@echo "make test-matrix  other versions: lowest, newest, Colab's, a wheel     (ONLY=colab for one)"
	@echo "make assignments  their versions for students, and with solutions, into build/assignments   (ONLY=3 for one)"
	@echo "make test-assignments  solutions, blank versions and all typical answers   (ONLY=3 for one)"
	@echo "make test-nbgrader     the assignments in nbgrader itself, with its set-up   (ONLY=3 for one)"
	@echo "make lab          set up and open JupyterLab"
	@echo "make bench        the benchmarks"
	@echo "make check        format, lint, types, links, notebook hygiene"
	@echo "make records      the recorded experiments, hours of them      (ONLY=name for one, JOBS=2 runs at a time)"

setup: $(READY)

# The stamp is younger than what it was made from, or the script looks again; and so it does where a Python or other
# versions are asked for. Where nothing changed it is done at once.
ifneq ($(findstring command line,$(origin PYTHON) $(origin CONSTRAINTS)),)
$(READY): force
endif
.PHONY: force
force:

$(READY): pyproject.toml $(CONSTRAINTS) tools/setup_env.py
	@command -v $(PYTHON) >/dev/null || { echo "There is no '$(PYTHON)' here: install Python 3.10-3.13," \
		"or name one with 'make PYTHON=python3.11 ...'." >&2; exit 1; }
	@$(PYTHON) tools/setup_env.py --venv $(VENV) --constraints "$(CONSTRAINTS)"

course: $(READY)
	@$(RUN) -m metagan_edu run --site $(ONLY)

slides: $(READY)
	@$(RUN) -m metagan_edu slides $(ONLY)

test: $(READY)
	@$(RUN) -m metagan_edu test

# Each in an environment of its own, which is made as the project's own is; then the times, beside joblib's processes.
test-cluster: $(addprefix test-cluster-,$(or $(ONLY),dask ray))
.PHONY: test-cluster-dask test-cluster-ray
test-cluster-dask test-cluster-ray: test-cluster-%:
	@$(PYTHON) tools/setup_env.py --venv build/cluster/$* --extras $* --constraints "$(CONSTRAINTS)"
	build/cluster/$*/bin/python -m pytest tests/cluster -rs
	build/cluster/$*/bin/python tests/cluster/times.py $*

# The versions below and above the tested ones; Colab's, where a notebook's first cell brings the course; and a wheel, far
# from its checkout. Each in an environment of its own.
MATRIX := build/matrix
test-matrix: $(addprefix test-matrix-,$(or $(ONLY),lowest newest colab wheel))
.PHONY: test-matrix-lowest test-matrix-newest test-matrix-colab test-matrix-wheel
test-matrix-lowest test-matrix-newest: test-matrix-%:
	@$(PYTHON) tools/setup_env.py --venv $(MATRIX)/$* --constraints "$(if $(filter lowest,$*),constraints-lowest.txt)"
	$(MATRIX)/$*/bin/python -m metagan_edu test
test-matrix-colab:
	$(PYTHON) -m venv --clear $(MATRIX)/colab
	$(MATRIX)/colab/bin/pip install -q -r tests/matrix/colab.txt
	$(MATRIX)/colab/bin/python tests/matrix/elsewhere.py colab
test-matrix-wheel:
	rm -rf $(MATRIX)/dist
	$(PYTHON) -m venv --clear $(MATRIX)/wheel
	$(MATRIX)/wheel/bin/pip wheel -q --no-deps --wheel-dir $(MATRIX)/dist .
	$(MATRIX)/wheel/bin/pip install -q -c constraints.txt nbclient nbformat ipykernel ipywidgets $(MATRIX)/dist/*.whl
	$(MATRIX)/wheel/bin/python tests/matrix/elsewhere.py 00 01

assignments: $(READY)
	@$(RUN) -m metagan_edu assignments $(ONLY)

test-assignments: $(READY)
	METAGAN_EDU_ASSIGNMENTS=all $(RUN) -m pytest tests/test_typical_answers.py $(if $(ONLY),-k $(ONLY)_)

test-nbgrader:
	@$(PYTHON) tools/setup_env.py --venv build/nbgrader --extras nbgrader --constraints "$(CONSTRAINTS)"
	ONLY=$(ONLY) build/nbgrader/bin/python -m pytest tests/nbgrader -rs

lab: $(READY)
	$(RUN) -m jupyterlab --notebook-dir=notebooks $(AS_ROOT)

bench: $(READY)
	$(RUN) tests/benchmarks $(ONLY)

# What is formatted and linted: not what a lecturer keeps beside it.
OURS := metagan_edu notebooks tests tools
check: $(READY)
	$(RUN) -m ruff format --check $(OURS)
	$(RUN) -m ruff check $(OURS)
	$(RUN) -m mypy
	$(RUN) -m metagan_edu check

records: $(READY)
	$(RUN) -m metagan_edu.studies $(if $(JOBS),--jobs $(JOBS)) $(ONLY)

clean:
	rm -rf build
