# Everything a checkout needs: `make demo` and `make test` set themselves up.
#
#   PYTHON=/path/to/python3   the interpreter to use (default: the newest on the PATH, 3.11 or later)
#   VENV=.venv                where the environment goes
#   CERTIFY=.venvs/certify    where the one of `make certify` goes; that of certify-nautilus, with -nautilus behind it
#   CERTIFY_PYTHON312=...     the interpreter of `make certify-nautilus` (default: the newest on the PATH, 3.12 or later)
#   ARGS="..."                passed on to pytest, or to the demo

.DEFAULT_GOAL := help
.PHONY: help demo test certify certify-nautilus lint types contracts wheel-check record bench pins clean run-env dev-env

PYTHON ?=
VENV ?= .venv
ARGS ?=
BIN := $(VENV)/bin
CERTIFY ?= .venvs/certify
CERTIFY_PYTHON312 ?=
UV := uv==0.13.9

export PYTHON VENV

help:  ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: run-env  ## run the main job on the simulated exchange
	@"$(BIN)/exchange" demo $(ARGS)

test: dev-env  ## run the tests, on all cores; CAPTURES_DIR names recorded venue payloads
	"$(BIN)/python" -m pytest -n auto --dist loadfile $(ARGS)

certify:  ## let other people's clients certify the simulated exchange, in an environment of their own
	@VENV="$(CERTIFY)" sh tools/setup.sh certify
	"$(CERTIFY)/bin/python" -m pytest -n auto tests/certification $(ARGS)

certify-nautilus:  ## let nautilus_trader certify it too; skipped where there is no Python 3.12
	@set -eu; made=0; \
	VENV="$(CERTIFY)-nautilus" PYTHON="$(CERTIFY_PYTHON312)" sh tools/setup.sh certify-nautilus || made=$$?; \
	case $$made in 0) ;; 77) echo "certify-nautilus: skipped, see above" >&2; exit 0 ;; *) exit $$made ;; esac; \
	"$(CERTIFY)-nautilus/bin/python" -m pytest -n auto tests/certification/test_nautilus_*.py $(ARGS)

lint: dev-env  ## check style and formatting
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .

types: dev-env  ## check types
	"$(BIN)/mypy"

contracts: dev-env  ## check that no import crosses a wall
	"$(BIN)/lint-imports" --no-logo

wheel-check: dev-env  ## build the wheel and run the demo from it
	@sh tools/wheel_check.sh

record: dev-env  ## record the cassettes again, against the simulated exchange
	"$(BIN)/python" tests/record_cassettes.py $(ARGS)

bench: dev-env  ## measure, as ratios within one run
	"$(BIN)/python" -m benchmarks $(ARGS)

# uv resolves for every platform and Python version at once. It lives in an
# environment of its own for the moment. UPGRADE=1 moves to the newest releases;
# without it only what pyproject.toml now asks for changes.
pins: dev-env  ## remake requirements/ from pyproject.toml (UPGRADE=1 for newer releases)
	@set -eu; \
	room=$$(mktemp -d); trap 'rm -rf "$$room"' EXIT; \
	"$(BIN)/python" -m venv "$$room"; \
	"$$room/bin/python" -m pip --quiet --disable-pip-version-check install "$(UV)"; \
	compile() { \
		"$$room/bin/uv" pip compile --quiet --universal --generate-hashes --python-version "$$oldest" \
			--no-emit-index-url --custom-compile-command "make pins" "$$@"; \
	}; \
	oldest=3.11; \
	compile $(if $(UPGRADE),--upgrade) --group dev pyproject.toml --output-file requirements/dev.txt; \
	compile --upgrade --constraint requirements/dev.txt pyproject.toml --output-file requirements/runtime.txt; \
	compile --upgrade --constraint requirements/dev.txt --group build --output-file requirements/build.txt; \
	compile --upgrade --constraint requirements/dev.txt --group certify pyproject.toml --output-file requirements/certify.txt; \
	oldest=3.12; \
	compile --upgrade --constraint requirements/dev.txt --group certify-nautilus pyproject.toml --output-file requirements/certify-nautilus.txt

clean:  ## remove what tools leave behind, but not the environment
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +

run-env:
	@sh tools/setup.sh run

dev-env:
	@sh tools/setup.sh dev
