# make run: install into .venv, train on painted faces, say where the pictures are.
# make test: install what the tests need and run them, but for the slow sweeps (PYTEST= runs these too).
#            EXTRAS=pytorch,onnx,safetensors adds optional packages.
# make docs: check the documentation's links and build it as a website, build/site/index.html.
# make lint: ruff. make types: mypy on the package. PYTHON=python3.10 chooses the interpreter, VENV=folder the environment.

VENV ?= .venv
EXTRAS ?=
# Two fifths of the default data set: minutes, not a quarter of an hour, on two slow cores; scored so often that its last
# state is too. Any option of `train` goes here.
RUN ?= --data painted:2400 --evaluate-every 95
PYTEST ?= -m "not slow"

ifndef PYTHON
# MXNet's wheels run on Python 3.9 to 3.12; -c fails on any other, and on one without venv.
FITS := import sys, venv, ensurepip; sys.exit(not (3, 9) <= sys.version_info < (3, 13))
PYTHON := $(firstword $(foreach p,python3 python3.12 python3.11 python3.10 python3.9,\
	$(shell command -v $(p) >/dev/null 2>&1 && $(p) -c "$(FITS)" >/dev/null 2>&1 && echo $(p))))
endif

.PHONY: run test lint types docs clean
comma := ,
TEST_EXTRAS := cpu,test$(if $(EXTRAS),$(comma)$(EXTRAS))

run: $(VENV)/.installed-cpu
	$(VENV)/bin/python run_gan.py $(RUN)

test: $(VENV)/.installed-$(TEST_EXTRAS)
	@$(if $(findstring not slow,$(PYTEST)),echo "The slow sweeps are left out; make test PYTEST= runs them too.",:)
	$(VENV)/bin/python -m pytest $(PYTEST)

lint: $(VENV)/.installed-$(TEST_EXTRAS)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.installed-cpu,pytorch,test
	$(VENV)/bin/mypy

docs: $(VENV)/.installed-docs
	$(VENV)/bin/python docs/check_links.py
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

# One stamp for each set of extras; setup.py decides what they mean.
$(VENV)/.installed-%: setup.py | $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e '.[$*]'
	@touch $@

$(VENV)/bin/python:
	$(if $(PYTHON),,$(error mxgan needs Python 3.9 to 3.12 with venv (MXNet has no newer build): install one, or name it with make PYTHON=...))
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) *.egg-info .pytest_cache .ruff_cache
