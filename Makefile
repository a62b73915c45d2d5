# Every command of the project. `make help` lists them.

# `make lab SHELL=1` asks for a shell on the lab's host; make itself would take it for the shell that runs recipes.
lab_shell := $(if $(filter command line,$(origin SHELL)),$(SHELL))
override SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTEST_FLAGS ?= -n auto
bin := .venv/bin
python_code := fairlead dev evb tests $(wildcard bench) $(wildcard lab)
pip_compile := $(bin)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.PHONY: help setup demo test test-keystone check lab bench format openapi lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.made ## make .venv with the locked dependencies; safe to run again

.venv/.made: requirements/dev.lock pyproject.toml dev/setup
	@dev/setup .venv requirements/dev.lock --project
	@touch $@

.venv-openstack/.made: requirements/openstack.lock dev/setup
	@dev/setup .venv-openstack requirements/openstack.lock
	@touch $@

.venv-ansible/.made: requirements/ansible.lock dev/setup-ansible dev/setup
	@dev/setup-ansible .venv-ansible requirements/ansible.lock openstack.cloud
	@touch $@

.venv-keystone/.made: requirements/keystone.lock dev/setup
	@dev/setup .venv-keystone requirements/keystone.lock
	@touch $@

demo: setup ## boot a server with a pass-through port on a simulated fleet, step by step
	@$(bin)/fairlead demo

test: setup .venv-openstack/.made .venv-ansible/.made ## run the tests, on SQLite and on PostgreSQL where its binaries are
	$(bin)/pytest tests --ignore=tests/lab --ignore=tests/keystone $(PYTEST_FLAGS)

test-keystone: setup .venv-openstack/.made .venv-ansible/.made .venv-keystone/.made ## run the clients' tests against a real Keystone
	$(bin)/pytest tests/keystone $(PYTEST_FLAGS)

check: setup ## format, lint, types, layers, budgets, what is made of the program
	$(bin)/ruff format --check $(python_code)
	$(bin)/ruff check $(python_code)
	$(bin)/mypy
	$(bin)/lint-imports --no-cache
	$(bin)/python -m dev.budgets
	$(bin)/python -m dev.native_api --check

lab: setup ## boot a real kernel with real VFs in QEMU and test there (root; SHELL=1 a shell on it, VERBOSE=1 its console)
	@[ "$$(id -u)" = 0 ] || { echo "make lab needs root: it makes network devices and runs QEMU with them. Try: sudo make lab" >&2; exit 1; }
	lab/run $(if $(lab_shell),--shell) $(if $(VERBOSE),--verbose)

bench: setup ## measure placement, claims and API against their budgets
	$(bin)/python -m bench

format: setup ## rewrite the code in the project's format, and fix what ruff can fix
	$(bin)/ruff check --fix-only --quiet $(python_code)
	$(bin)/ruff format $(python_code)

openapi: setup ## write anew what is made of the /v1 API: its OpenAPI document, and the tables of its reference page
	$(bin)/python -m dev.native_api

lock: setup ## choose the newest releases that fit and lock them, with the hashes of every build
	$(pip_compile) --upgrade -o requirements/runtime.lock pyproject.toml
	$(pip_compile) --upgrade --extra dev -c requirements/runtime.lock -o requirements/dev.lock pyproject.toml
	$(pip_compile) --upgrade -o requirements/openstack.lock requirements/openstack.in
	$(pip_compile) --upgrade -o requirements/ansible.lock requirements/ansible.in
	$(pip_compile) --upgrade -o requirements/keystone.lock requirements/keystone.in

clean: ## remove what the other commands made
	rm -rf .venv .venv-openstack .venv-ansible .venv-keystone .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find fairlead dev evb tests -name __pycache__ -type d -prune -exec rm -rf {} +
