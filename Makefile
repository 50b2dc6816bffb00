# make demo    a whole system, two albums through it, pictures in demo-output/
# make test    everything CI runs; ends with pytest's own last line
# make lint    ruff and mypy
# make clean   back to what was checked out
#
# Another interpreter: make PYTHON=python3.12 test        another build of torch: make TORCH=torch==2.12.0 test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Named after the content of what says what to install: a changed list is installed, a touched file is not.
WANTED := $(firstword $(shell cat pyproject.toml constraints.txt | cksum))
STAMP := $(VENV)/installed-$(WANTED)
# The tests run SAM 3's code on the CPU; nothing else needs torch.
SAM3_STAMP := $(VENV)/sam3-$(WANTED)
TORCH ?= torch==2.13.0
INSTALL = $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint s3-server clean
.DEFAULT_GOAL := test

demo: $(STAMP)
	@$(BIN)/s3palette demo

test: lint $(SAM3_STAMP) s3-server
	@$(BIN)/python -m pytest

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# Ceph's gateway, a real S3 server that checks signatures, for the tests of the S3 store: 61 MB, about a minute, once.
# Where it cannot be installed the tests use rclone's, which came with the packages above; their summary says which.
s3-server:
	@command -v radosgw >/dev/null && command -v ceph-mon >/dev/null && command -v ceph-osd >/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Ceph's S3 gateway for the tests."; \
	    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends \
	      radosgw ceph-mon ceph-osd; } >/dev/null || \
	      echo "Ceph's S3 gateway could not be installed; rclone's is tested against instead." >&2; \
	  else \
	    echo "Without root on Debian there is no S3 gateway of Ceph; rclone's is tested against instead." >&2; \
	  fi

$(STAMP):
	@command -v $(PYTHON) >/dev/null || \
	  { echo "There is no $(PYTHON) here; install Python 3.11 or newer, or choose one: make PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "S3 Palette needs Python 3.11 or newer and $(PYTHON) is $$($(PYTHON) -V 2>&1); choose another: make PYTHON=python3.11." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) comes without its venv module; install it (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@echo "Installing into $(VENV); the first time takes a few minutes."
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) --editable '.[test]'
	@rm -f $(VENV)/installed-*
	@touch $@

$(SAM3_STAMP): $(STAMP)
	@echo "Installing $(TORCH) and transformers into $(VENV) for the SAM 3 tests."
	@$(INSTALL) '$(TORCH)' --editable '.[test,sam3]'
	@rm -f $(VENV)/sam3-*
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info demo-output .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
