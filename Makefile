# Two commands do everything on a machine with Python 3.11 (or newer) and make: `make demo` and `make test`.
# Paths may hold spaces: everything is relative, and no script's first line is relied on.

PYTHON ?= python3
UV_VERSION := 0.13.8
PY := .venv/bin/python

# what a check of the settings needs to know; no server is contacted
CHECK_ENV := GUIDERAIL_HOME=$${TMPDIR:-/tmp}/guiderail-check GUIDERAIL_PUBLIC_URL=https://guiderail.example.org \
	GUIDERAIL_SECRET_KEY=only-to-check-the-settings-0123456789-abcdefghijklmnopqrstuvwxyz

.PHONY: help demo stop status test coverage check lint types contracts templates deploy-check openapi-check openapi gate-docs-check bench clean distclean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

.venv/.synced: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Guiderail needs Python 3.11 or newer. Name one: make PYTHON=python3.12"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "python3 -m venv does not work here. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing what is needed into .venv …"
	@$(PY) -m uv --version 2>/dev/null | grep -q '^uv $(UV_VERSION)' || \
		$(PY) -m pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)'
	@UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=.venv $(PY) -m uv sync --quiet --locked --all-extras --inexact
	@touch .venv/.synced

demo: .venv/.synced ## start everything and load the demo organisation (PORT, GUIDERAIL_HOME, DATA)
	@exec $(PY) -m governance.config.embedded demo --with-parent

stop: .venv/.synced ## end what runs from GUIDERAIL_HOME
	@$(PY) -m governance.config.embedded stop

status: .venv/.synced ## what runs from GUIDERAIL_HOME
	@$(PY) -m governance.config.embedded status

test: .venv/.synced ## run every test; REQUIRE_ALL=1 makes a skipped one a failure (ARGS: more for pytest)
	@status=0; \
	$(PY) -m pytest -n $(or $(PROCESSES),2) --dist loadfile --no-loadscope-reorder -m "not (alone or nightly or bench)" $(ARGS) || status=$$?; \
	[ $$status -ne 5 ] || status=0; \
	alone=0; $(PY) -m pytest -m "alone and not nightly" $(ARGS) || alone=$$?; \
	[ $$alone -eq 0 ] || [ $$alone -eq 5 ] || status=$$alone; \
	exit $$status

coverage: .venv/.synced ## branch coverage; the pure packages have to be at 100 %
	@$(PY) -m pytest --cov --cov-report=term-missing:skip-covered $(ARGS)

check: lint types contracts templates deploy-check openapi-check gate-docs-check ## lint, types, contracts, migrations, templates, OpenAPI, gate pages

lint: .venv/.synced
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: .venv/.synced
	@mkdir -p "$${TMPDIR:-/tmp}/guiderail-check"
	@$(CHECK_ENV) $(PY) -m mypy

contracts: .venv/.synced
	$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-cache

# no `djlint --check`: its line breaks would put spaces between inline elements, which people see
templates: .venv/.synced
	$(PY) -m djlint templates --lint --quiet

deploy-check: .venv/.synced
	@$(CHECK_ENV) $(PY) manage.py check --deploy --fail-level WARNING
	@$(CHECK_ENV) $(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

openapi-check: .venv/.synced
	@fresh=$$(mktemp) && $(CHECK_ENV) $(PY) manage.py spectacular --file "$$fresh" --validate --fail-on-warn && \
		{ diff -u docs/openapi.yaml "$$fresh" && rm -f "$$fresh" || \
		{ rm -f "$$fresh"; echo "docs/openapi.yaml is not what the code says. Look at the difference, then: make openapi"; exit 1; }; }

openapi: .venv/.synced ## write docs/openapi.yaml from the code
	@$(CHECK_ENV) $(PY) manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn

gate-docs-check: .venv/.synced
	@$(CHECK_ENV) $(PY) manage.py gates docs --check

bench: .venv/.synced ## measure, print the table, write docs/benchmarks.md (BENCH_QUICK=1, BENCH_FULL=1, ARGS="B1 B4")
	@$(PY) -m tests.bench $(ARGS)

clean: ## remove caches
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## remove caches, the environment and the demo's data
	-@test ! -x $(PY) || $(PY) -m governance.config.embedded stop
	rm -rf .venv var
