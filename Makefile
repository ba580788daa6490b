# Needs Python >= 3.11 and make. Everything else is installed below this folder, pinned and hashed.
#
#   make help                all targets
#   make run                 the whole stack on this machine, with sample content (ARGS=--once: and stop)
#   make test                unit, integration, template and end-to-end tests (ARGS=... goes to pytest)
#   make check               the gate: formatting, lint, types, templates, policies, and make test
#   make build, make deploy  for AWS (STAGE=staging: of samconfig.toml)
#   make sam-local           both functions in Lambda's own runtime, beside a running `make run` (needs Docker)

PYTHON ?= python3
ARGS ?=
STAGE ?= default

BIN := .venv/bin
VENV := .venv/.installed
SAM := .tools/sam/bin/sam
CHECKOV := .tools/policy/bin/checkov
NODE := .tools/node/.installed

.DEFAULT_GOAL := help
.PHONY: help run test nightly check format lint types bench soak costs way recording build deploy sam-local requirements clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 16

run: $(VENV)  ## the whole stack on this machine, with samples, until Ctrl-C (ARGS=--once: run the samples and stop)
	@$(BIN)/zendesk-push local $(ARGS)

test: $(VENV)  ## every test that this machine has the parts for; skips say what is missing
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

nightly: $(VENV)  ## floods and long runs, which take minutes
	DELIVERY_EXAMPLES=2000 $(BIN)/pytest --numprocesses auto --dist loadfile tests/nightly tests/unit/delivery/test_delivery.py $(ARGS)
	$(BIN)/python -m zendesk_push.bench.soak --messages 2000 --seconds 600

check: $(SAM) $(CHECKOV) $(NODE) lint types test  ## what must be green before a change lands: all below, SAM and policies too

lint: $(VENV)  ## formatting and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)  ## mypy --strict
	$(BIN)/mypy

format: $(VENV)  ## rewrite files the way `make lint` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)  ## measure beside peers and the limit, and write docs/benchmarks.md (ARGS="cost quota": parts)
	$(BIN)/python -m zendesk_push.bench $(ARGS)

soak: $(VENV)  ## a long seeded run with random faults (ARGS="--seed 7 --seconds 600")
	$(BIN)/python -m zendesk_push.bench.soak $(ARGS)

costs: $(VENV)  ## what a stack costs, into docs/deployment.md (ARGS="--messages 2e6 --accounts 300": print yours)
	@$(BIN)/python -m zendesk_push.costs $(ARGS)

way: $(VENV)  ## the way of one message through the push function, file by file
	@$(BIN)/python -m zendesk_push.bench.message_way

recording: $(VENV)  ## the pictures in docs/images, from a real run (needs Chromium)
	@$(BIN)/python -m zendesk_push.recording $(ARGS)

build: $(VENV) $(SAM)  ## both functions for Lambda: built, pruned, byte-compiled, measured
	@$(BIN)/python -m zendesk_push.packaging.build --sam $(SAM)

deploy: build  ## build and deploy a stage of samconfig.toml (STAGE=production)
	@$(BIN)/python -m zendesk_push.packaging.publish --sam $(SAM) --stage $(STAGE) $(ARGS)

sam-local: build  ## every event in tests/events through `sam local invoke`, beside a running `make run`
	@$(BIN)/python -m zendesk_push.sam_local --sam $(SAM) $(ARGS)

requirements: $(VENV)  ## resolve pyproject.toml into the hashed requirements files
	PATH="$(BIN):$$PATH" $(BIN)/python -m zendesk_push.requirements $(ARGS)

clean:  ## remove what make has installed and built
	rm -rf .venv .tools .aws-sam build

# --- Environments --------------------------------------------------------------------------------

# An environment's scripts hold its path: one that was moved or copied with its checkout is made again.
$(shell for made in .venv .tools/sam .tools/policy; do \
  if grep -qs '^command = ' $$made/pyvenv.cfg && ! grep -qF " $(CURDIR)/$$made" $$made/pyvenv.cfg; then rm -rf $$made; fi; done)

$(VENV): infra/requirements/dev.txt infra/requirements/bootstrap.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: make PYTHON=python3.13")'
	@$(call environment,.venv,dev)
	@$(BIN)/uv pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	@touch $@

$(SAM): infra/requirements/sam.txt
	@$(call environment,.tools/sam,sam)
	@touch $@

$(CHECKOV): infra/requirements/policy.txt
	@$(call environment,.tools/policy,policy)
	@touch $@

# For the documentation's examples in Node, and a second DynamoDB beside moto, where Node is.
$(NODE): infra/node/npm-shrinkwrap.json
	@if command -v npm >/dev/null; then \
		echo "Setting up .tools/node (once)..."; \
		mkdir -p .tools/node && cp infra/node/package.json infra/node/npm-shrinkwrap.json .tools/node/ && \
		npm ci --prefix .tools/node --silent --ignore-scripts --no-audit --no-fund && touch $@; \
	else echo "npm is not here: its examples and a second DynamoDB are left out of the tests"; fi

# uv installs in seconds what takes pip a minute; pip brings uv, both check hashes.
define environment
	echo "Setting up $(1) (once)..." && \
	$(PYTHON) -m venv --clear $(1) && \
	{ $(1)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r infra/requirements/bootstrap.txt && \
	  $(1)/bin/uv pip install --quiet --python $(1) --require-hashes -r infra/requirements/$(2).txt || \
	  { echo "$(1) could not be set up: is there a network, or PIP_INDEX_URL and UV_INDEX_URL for an index of your own?" >&2; exit 1; }; }
endef
