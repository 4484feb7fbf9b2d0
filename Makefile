# Everything runs in environments of its own under .venv/; `make setup` says what it installs.
PYTHON ?= python3
RECORDINGS_PYTHON ?= python3.12
# Servers at addresses are shared, and tests change their settings: one process then.
WORKERS ?= $(if $(REKEY_POSTGRES_URL)$(REKEY_MYSQL_URL)$(REKEY_MARIADB_URL),1,3)

EVENTS ?= 100000
DEV := .venv/dev/bin
SAM := .venv/sam/bin
TOOLCHAIN := $(PYTHON) -m local.toolchain
SOURCES := layers functions local tests benchmarks

export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help setup account deploy-local demo migration-report seed-access suppressions bench evaluate compare recordings scale test prove consumers pipeline groups check lint ruff mypy template structure lock clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: ## Make the environments
	@$(TOOLCHAIN)

account: ## An AWS account on this machine, in the foreground, at REKEY_PORT (4566)
	@$(TOOLCHAIN) account lambda
	@.venv/account/bin/python -m local.account

deploy-local: setup ## sam build and sam deploy into that account
	@$(DEV)/python -m local.deploy

demo: setup ## Rotate real credentials on a real PostgreSQL, and watch
	@$(DEV)/python -m local.demo

migration-report: ## What would happen to secrets that are moved here; OPTIONS="--read-values ..."
	@$(TOOLCHAIN) dev
	@PYTHONPATH=layers/rekey $(DEV)/python -m local.migration $(OPTIONS)

seed-access: ## Learn who reads the secrets from CloudTrail's past; OPTIONS="--stack rekey ..."
	@$(TOOLCHAIN) dev
	@PYTHONPATH=layers/rekey $(DEV)/python -m local.access seed $(OPTIONS)

suppressions: ## What nobody is told of, for a time; OPTIONS="add ...", "list", "remove NAME"
	@$(TOOLCHAIN) dev
	@PYTHONPATH=layers/rekey $(DEV)/python -m local.access suppressions $(OPTIONS)

bench: setup ## What a rotation costs: calls, time, start, size; OPTIONS=--quick
	@PYTHONPATH=layers/rekey $(DEV)/python -m benchmarks $(OPTIONS)

evaluate: setup ## Recall of attacks at a budget of findings, and how quiet ordinary life is
	@PYTHONPATH=layers/rekey $(DEV)/python -m tests.access.evaluate $(SEEDS)

compare: setup ## AWS's rotation templates beside Rekey; TEMPLATES=<checkout>
	@$(DEV)/python -m benchmarks.compare "$(TEMPLATES)" $(OPTIONS)

recordings: setup ## LocalStack's recorded tests on the account; LOCALSTACK=<checkout>
	@$(RECORDINGS_PYTHON) -m local.toolchain recordings
	@$(DEV)/python -m benchmarks.recordings "$(LOCALSTACK)"

scale: ## What a campaign of many secrets takes and costs, computed
	@$(PYTHON) -m benchmarks.scale

test: setup ## Every test, in three processes with servers of their own; WORKERS=<how many>
	@$(PYTHON) -m local.postgres_installations
	@$(PYTHON) -m local.mysql_installations
	$(DEV)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

prove: setup ## Break a rotation wherever it can break; POINT=<part of a name> for some places
	@$(PYTHON) -m local.mysql_installations
	@test -n "$(POINT)" || REKEY_EXAMPLES=5000 $(DEV)/python -m pytest -q --timeout 1800 tests/faults/test_malformed.py
	@test -n "$(POINT)" || $(MAKE) consumers
	@test -n "$(POINT)" || $(MAKE) pipeline
	@PYTHONPATH=layers/rekey $(DEV)/python -m tests.faults.prove "$(POINT)"

consumers: setup ## 20 consumers beside 50 rotations of each engine and strategy
	@$(PYTHON) -m local.mysql_installations
	REKEY_CONSUMERS=20 REKEY_ROTATIONS=50 $(DEV)/python -m pytest -q --timeout 3600 tests/end_to_end/test_consumers.py

pipeline: setup ## Records of reads through the deployed pipeline, in all kinds of trouble; EVENTS=<how many>
	REKEY_EVENTS=$(EVENTS) $(DEV)/python -m pytest -q --timeout 3600 tests/end_to_end/test_pipeline.py

groups: setup ## 100 secrets rotated as one, of which ten fail, in every way that can be asked for
	REKEY_GROUP=100 $(DEV)/python -m pytest -q --timeout 3600 tests/workflows/test_groups.py

check: ruff mypy ## Style, types and the tests that need no server: under a minute
	$(DEV)/python -m pytest tests/unit tests/template tests/structure

lint: ruff mypy template structure ## Style, types, template and structure

ruff: setup
	$(DEV)/ruff check $(SOURCES)
	$(DEV)/ruff format --check $(SOURCES)

mypy: setup
	$(DEV)/mypy --strict $(SOURCES)

# cfn-lint reads a SAM template before its transform, and some mistakes show only afterwards.
template: export AWS_DEFAULT_REGION ?= us-east-1
template: setup
	$(SAM)/sam validate --lint
	@mkdir -p build
	$(SAM)/python -m local.transform > build/template.json
	$(SAM)/cfn-lint build/template.json

structure: setup
	$(DEV)/python -m pytest -q tests/structure

UV := .venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

# The runtime's own boto3 shares packages with functions: they must be of its versions.
lock: ## Renew the pinned requirements; `make lock UPGRADE=--upgrade` takes newer versions
	@$(TOOLCHAIN) lock
	@for list in requirements/*.in; do $(UV) $(UPGRADE) $$list -o $${list%.in}.txt || exit 1; done
	@for list in layers/*/requirements.in functions/*/requirements.in; do \
		$(UV) $(UPGRADE) -c requirements/lambda.txt $$list -o $${list%.in}.txt || exit 1; done

clean: ## Remove all that the targets above made
	rm -rf .venv .aws-sam build .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
