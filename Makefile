# Two commands set up everything on a fresh clone: `make demo` and `make test`.
# PYTHON=/path/to/python chooses the Python (>= 3.12); otherwise .ci/find-python does.
.POSIX:
.SUFFIXES:
.PHONY: demo test check test-floor test-openhands-cli test-browser sdk-matrix docs docs-reference newcomers-hour lock clean FORCE

LOCKED := uv.lock pyproject.toml $(wildcard plugins/*/pyproject.toml)
UV := UV_PYTHON="$$PWD/.venv/bin/python" UV_PYTHON_DOWNLOADS=never .venv/bin/uv
# An exact sync removes what the lock does not name; it keeps pip and uv itself.
SYNC := sync --quiet --frozen --extra plugins
# No price map from the network and no banner while tests run.
TEST := LITELLM_LOCAL_MODEL_COST_MAP=True OPENHANDS_SUPPRESS_BANNER=1
PYTEST_ARGS := -n 2

demo: .venv/.synced
	@.venv/bin/ohs demo

test: check
	@$(TEST) .venv/bin/python -m pytest $(PYTEST_ARGS)

check: .venv/.synced
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

# The oldest supported SDK, in an environment of its own: the tests that meet the SDK.
FLOOR_TESTS := tests/check tests/cli tests/compose tests/contract tests/e2e tests/runtime tests/testing plugins
test-floor: .venv-floor/.synced
	@$(TEST) .venv-floor/bin/python -m pytest $(PYTEST_ARGS) $(FLOOR_TESTS)

# Strategies in the real OpenHands CLI, which pins its own SDK and needs Python 3.12.
test-openhands-cli: .venv-openhands-cli/.synced
	@$(TEST) .venv-openhands-cli/bin/python -m pytest $(PYTEST_ARGS) tests/openhands_cli

# The table of docs/openhands-cli.md, from tests that run on each SDK; takes about half an hour.
sdk-matrix: .venv/.synced .venv-middle/.synced .venv-floor/.synced .venv-openhands-cli/.synced
	@$(TEST) .venv/bin/python docs/pictures/record_sdk_matrix.py .venv/bin/python \
	    .venv-middle/bin/python .venv-floor/bin/python .venv-openhands-cli/bin/python

# The page at /strategies in a real browser; needs chromium, and npm for the check of its
# accessibility. What is missing is skipped with a message, and fails where CI=true.
test-browser: .venv-browser/.synced .venv-browser/axe.min.js
	@$(TEST) .venv-browser/bin/python -m pytest -n 0 -m browser tests/server/browser

# The site, in build/docs: no warning, no dead link or anchor, nothing loaded from elsewhere.
docs: .venv-docs/.synced
	@rm -rf build/docs
	@.venv-docs/bin/sphinx-build -q -W --keep-going -n -d build/doctrees docs build/docs
	@.venv-docs/bin/python docs/_generate/check_links.py build/docs

# The part of docs/reference that is made from the code.
docs-reference: .venv/.synced
	@$(TEST) .venv/bin/python docs/_generate

# The tutorial of the built site, followed to the letter from an empty home.
newcomers-hour: docs .venv/.synced
	@.venv/bin/python .ci/newcomers-hour

lock: .venv/bin/uv
	$(UV) lock

clean:
	rm -rf .venv .venv-floor .venv-middle .venv-openhands-cli .venv-browser .venv-docs build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	rm -rf core/*.egg-info plugins/*/*.egg-info plugins/*/build
	find core plugins tests -type d -name __pycache__ -prune -exec rm -rf {} +

# A Python that was asked for is compared with the one in .venv on every run.
ifdef PYTHON
.venv/bin/uv: FORCE
endif
.venv/bin/uv:
	@.ci/make-venv .venv "$(PYTHON)"

.venv/.synced: .venv/bin/uv $(LOCKED)
	@echo "installing the locked packages into .venv"
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) $(SYNC) --extra server
	@touch $@

.venv-floor/.synced: .venv/bin/uv $(LOCKED)
	@echo "installing the locked packages into .venv-floor"
	@UV_PROJECT_ENVIRONMENT=.venv-floor $(UV) $(SYNC) --group floor
	@touch $@

# An SDK between the oldest and the newest, which the lock does not name.
MIDDLE := 1.40.0
.venv-middle/.synced: .venv/bin/uv $(LOCKED)
	@echo "installing SDK $(MIDDLE) into .venv-middle"
	@$(UV) venv --quiet --clear .venv-middle
	@VIRTUAL_ENV=.venv-middle .venv/bin/uv pip install --quiet --group dev --editable '.[plugins]' \
	    openhands-sdk==$(MIDDLE) openhands-tools==$(MIDDLE)
	@touch $@

.venv-openhands-cli/.synced: .venv/bin/uv $(LOCKED)
	@echo "installing the locked packages into .venv-openhands-cli"
	@python=$$(.ci/find-python "$(PYTHON)") && case $$("$$python" -V) in "Python 3.12."*) ;; \
	    *) echo "openhands 1.16.0 needs Python 3.12, and $$python is another" >&2; exit 1;; esac \
	    && UV_PROJECT_ENVIRONMENT=.venv-openhands-cli UV_PYTHON="$$python" \
	    UV_PYTHON_DOWNLOADS=never .venv/bin/uv $(SYNC) --extra openhands-cli
	@touch $@

.venv-browser/.synced: .venv/bin/uv $(LOCKED)
	@echo "installing the locked packages into .venv-browser"
	@UV_PROJECT_ENVIRONMENT=.venv-browser $(UV) $(SYNC) --extra server --group browser
	@touch $@

.venv-docs/.synced: .venv/bin/uv $(LOCKED)
	@echo "installing the locked packages into .venv-docs"
	@UV_PROJECT_ENVIRONMENT=.venv-docs $(UV) sync --quiet --frozen --only-group docs
	@touch $@

AXE := 4.14.1
.venv-browser/axe.min.js: .venv-browser/.synced
	@if command -v npm >/dev/null; then \
	    npm pack --silent --pack-destination .venv-browser axe-core@$(AXE) >/dev/null \
	    && tar -xzmf .venv-browser/axe-core-$(AXE).tgz -C .venv-browser \
	        --strip-components 1 package/axe.min.js; \
	else echo "npm is missing, so accessibility is not checked"; fi
