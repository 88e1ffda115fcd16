# Every command of this project. `make` alone prints them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test install demo-day bench serve worker lint fmt migration lock

BIN := .venv/bin

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

run: ## start the demo chain on http://127.0.0.1:8000 (PORT=…): everything a newcomer needs
	@scripts/install runtime
	@exec $(BIN)/python -m scripts.run

test: install ## run the whole suite, on SQLite and on a private PostgreSQL
	@scripts/test-setup
	@$(BIN)/python -m scripts.test

install: ## make .venv with the locked packages (PYTHON=… chooses the interpreter)
	@scripts/install dev

demo-day: ## replay 2,000 pickups (DAY_PICKUPS=…) against `make run`, in another terminal (DEMO_API_KEY=… as printed there)
	@scripts/install runtime
	@DEMO_BASE_URL="$${DEMO_BASE_URL:-http://127.0.0.1:$${PORT:-8000}}" exec $(BIN)/python -m demo.day \
	  $(if $(DEMO_BASE_URL),,--reconcile)

serve: ## start the production server alone (PORT, WEB_WORKERS, DATABASE_URL, …)
	@scripts/install runtime
	@exec $(BIN)/python -m scripts.serve

bench: install ## measure beside pgbench on one cluster; the tables go into docs/benchmarks.md and the README
	@scripts/test-setup wrk
	@$(BIN)/python -m bench.run --write

worker: ## start the relay and the RQ worker (REDIS_URL, DATABASE_URL)
	@scripts/install runtime
	@exec $(BIN)/flask --app wsgi worker

lint: install ## check style, types and the layer picture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

fmt: install ## format, and mend what the linter can mend by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

migration: install ## write the migration for changed tables: make migration m="what changed"
	@$(BIN)/flask --app wsgi db upgrade
	@$(BIN)/flask --app wsgi db migrate -m "$(m)"

lock: install ## work the locks out again after a change in pyproject.toml (UPGRADE=1: newest versions)
	@scripts/lock $(if $(UPGRADE),--upgrade)
