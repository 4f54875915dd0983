# SPDX-License-Identifier: GPL-2.0-or-later
# Everything from a fresh checkout: Python 3.11 or newer and make suffice, a C compiler is not needed.

# The newest Python there is; looked for only when the environment has to be made.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
# Not from the environment: whoever builds kernels may have an ARCH there.
ARCH :=
BIN := .venv/bin
# The stamps carry the folder's checksum: a moved checkout is installed again.
HERE := $(firstword $(shell pwd | cksum))
RUN := .venv/run-$(HERE)
DEV := .venv/dev-$(HERE)
export HYPOTHESIS_STORAGE_DIRECTORY := build/hypothesis

.PHONY: run build test check bench image clean distclean help

run: build ## boot the bundled system (ARCH=aarch64 the other one, ARGS="..." adds options)
	@$(BIN)/ringscope boot $(if $(ARCH),--arch $(ARCH)) $(ARGS)

build: $(RUN) ## compile the native core and the guest, pack the bundled images
	@$(BIN)/python -m ringscope.tools.build

test: $(DEV) build ## run all tests (ARGS="..." goes to pytest)
	@$(BIN)/pytest -n auto --dist worksteal $(ARGS)

check: $(DEV) build ## what a commit must pass besides the tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --cache-dir build/import-linter
	@$(BIN)/pytest -n auto --dist worksteal tests/house $(ARGS)

bench: build ## guest instructions per second, with the models and without (ARGS=--qemu beside QEMU, --scale for long runs)
	@$(BIN)/python -c 'from tests.guest.catalogue import build_bench; build_bench()'
	@$(BIN)/python -m ringscope.tools.bench $(ARGS)

clean: ## remove what was built
	@rm -rf build

distclean: clean ## remove the installed environment too
	@rm -rf .venv

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

# Where the Python below .venv is gone, its file has no rule and counts as new.
$(BIN)/python: ;

$(RUN): pyproject.toml setup.py $(BIN)/python
	$(call prepare,)

$(DEV): $(RUN)
	$(call prepare,dev)

define prepare
@$(if $(PYTHON),"$(PYTHON)" tools/build/environment.py $@ $(1),echo "ringscope: no Python 3.11 or newer on PATH; install one, or name it: make PYTHON=..." >&2; exit 2)
endef
