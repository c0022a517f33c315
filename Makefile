# Every line calls cargo, the product or a script. ARGS passes further arguments on.

.DEFAULT_GOAL := help
.PHONY: help up test nightly compose-test lint bench docs

TARGET := $(or $(CARGO_TARGET_DIR),target)

help: ## Lists the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

up: ## Builds, then serves everything on a private PostgreSQL in ./.tenantry
	@scripts/install run
	@cargo build --profile up --locked -p tenantry
	@exec $(TARGET)/up/tenantry up $(ARGS)

test: ## Runs every test: make test, or make test ARGS="-p tenancy"
	@scripts/install test
	@scripts/test $(ARGS)

nightly: ## Every test at its full length, which takes an hour and more
	@scripts/install test
	@NIGHTLY=1 scripts/test $(ARGS)

compose-test: ## The production shape in containers, from nothing: needs Docker Engine
	@scripts/compose-test

lint: ## Formatting, clippy, licences, unused dependencies, rustdoc, migrations, alerts, OpenAPI
	@scripts/install lint
	@scripts/lint

bench: ## This product beside the limits and the peers: make bench ARGS=--help
	@scripts/install bench
	@cargo run --release --locked -p bench -- $(ARGS)

docs: ## The rustdoc of this workspace, private items included
	@cargo doc --no-deps --workspace --document-private-items
