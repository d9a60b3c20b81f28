# make run: install into .venv, train on painted faces, say where the pictures are.
# make test: install what the tests need and run them, but for the slow sweeps (PYTEST= runs these too).
#            EXTRAS=pytorch,onnx,safetensors adds optional packages.
# make docs: check the documentation's links and build it as a website, build/site/index.html.
# make examples: run the course's notebooks and write them back as they are committed.
# make lint: ruff. make types: mypy on the package. PYTHON=python3.10 chooses the interpreter, VENV=folder the environment.

VENV ?= .venv
EXTRAS ?=
# Two fifths of the default data set: minutes, not a quarter of an hour, on two slow cores; scored so often that its last
# state is too. Any option of `train` goes here.
RUN ?= --data painted:2400 --evaluate-every 95
PYTEST ?= -m "not slow"

ifeq ($(PYTHON)$(wildcard $(VENV)/bin/pip),)
# The first Python with venv that fits, and of these the first that MXNet has a build for: it is the smaller download.
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9
first = $(firstword $(foreach p,$(PYTHONS),$(shell $(p) -c "import ensurepip, venv; from mxgan import builds; \
	assert builds.fits($(1))" >/dev/null 2>&1 && echo $(p))))
PYTHON := $(or $(call first,mxnet=True),$(call first))
endif

.PHONY: run test examples lint types docs clean
comma := ,
TEST_EXTRAS := run,test$(if $(EXTRAS),$(comma)$(EXTRAS))

run: $(VENV)/.installed-run
	$(VENV)/bin/python run_gan.py $(RUN)

test: $(VENV)/.installed-$(TEST_EXTRAS)
	@$(if $(findstring not slow,$(PYTEST)),echo "The slow sweeps are left out; make test PYTEST= runs them too.",:)
	$(VENV)/bin/python -m pytest $(PYTEST)

examples: $(VENV)/.installed-run,examples
	$(VENV)/bin/python docs/run_notebooks.py

lint: $(VENV)/.installed-$(TEST_EXTRAS)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.installed-run,pytorch,test
	$(VENV)/bin/mypy

docs: $(VENV)/.installed-docs
	$(VENV)/bin/python docs/check_links.py
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

# One stamp for each set of extras; setup.py decides what they mean. Only ready-made packages: no compiler is needed.
$(VENV)/.installed-%: setup.py | $(VENV)/bin/pip
	@echo "installing '.[$*]' into $(VENV)"
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: -e '.[$*]' || { \
		echo "mxgan: error: pip can't install, for the reason above. Without a network, PIP_INDEX_URL or PIP_FIND_LINKS" \
		"names a mirror or a folder of wheels. Then type make again: what is installed stays." >&2; exit 1; }
	@touch $@

# pip comes last into an environment, so one that was left half-made is made again.
$(VENV)/bin/pip:
	$(if $(PYTHON),,$(error mxgan needs Python 3.9 to 3.14 with venv (3.9 to 3.12 on Intel Macs): install one, or name it with make PYTHON=...))
	@$(PYTHON) -c "from mxgan import builds; print(builds.line())"
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) *.egg-info .pytest_cache .ruff_cache
