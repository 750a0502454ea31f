# Development commands. `make` without a target lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Cargo uses all cores by itself, and parallel cargo processes would block each other.
.NOTPARALLEL:

WASM := wasm32-unknown-unknown
RECEIVERS_INSTALLED := target/receivers/installed
E2E_INSTALLED := end2end/node_modules/.package-lock.json
TIMES := target/step-times.txt
FUZZ := end2end/schemathesis
FUZZ_INSTALLED := target/schemathesis/installed

# Overrides the user's setting: the release build must be target/release/caleida and target/site.
export CARGO_TARGET_DIR := $(CURDIR)/target
ifeq ($(CI),true)
export CARGO_TERM_COLOR ?= always
# Incremental compilation only helps later builds, and CI has none.
export CARGO_INCREMENTAL ?= 0
endif

# Development uses receivers on loopback, without TLS.
run watch: export CALEIDA_ALLOW_HTTP ?= true
run watch: export CALEIDA_ALLOW_NETWORKS ?= 127.0.0.0/8,::1/128
LOCAL_NOTE = "make $@: webhooks may call receivers on loopback over http (CALEIDA_ALLOW_HTTP=$$CALEIDA_ALLOW_HTTP CALEIDA_ALLOW_NETWORKS=$$CALEIDA_ALLOW_NETWORKS)"

# $(call need,COMMAND,PACKAGES): installs the packages if the command is missing, or fails and prints how to install
# them.
need = $(call need_for,$(1),command -v $(1) >/dev/null,$(2))

# $(call need_for,NAME,TEST,PACKAGES): installs the packages if the test fails, like `need`.
define need_for
@if ! $(2); then \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq; \
		echo "$(1) is missing: installing $(3)"; \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y $(3) >/dev/null; \
	else \
		echo "error: $(1) is missing; on Debian or Ubuntu run: sudo apt-get install $(3)" >&2; exit 1; \
	fi; \
fi
endef

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build and start the dashboard on http://127.0.0.1:3000; allows receivers on loopback
	@echo $(LOCAL_NOTE)
	@exec target/release/caleida serve

.PHONY: build
build: rust ## Build target/release/caleida and target/site, and print the sizes of the assets
	cargo build --release --locked
	target/release/caleida-site build

.PHONY: watch
watch: rust ## Build for development and serve; rebuild and restart on each change
	@echo $(LOCAL_NOTE)
	@exec cargo run --locked --bin caleida-site -- watch

# `tools` first: missing tools are reported before anything is built.
STEPS := tools fmt-check e2e-check lint lint-browser site unit api-fuzz e2e

.PHONY: test
test: ## Run all checks: formatting, lints, unit and integration tests, API fuzzing, browser tests
	@mkdir -p target && : > $(TIMES)
	@for step in $(STEPS); do \
		start=$$SECONDS; \
		$(MAKE) --no-print-directory $$step; \
		printf '%5d s  %s\n' $$((SECONDS - start)) $$step >> $(TIMES); \
	done
	@echo; grep -ah '^test result' target/unit.log; echo
	@awk '{ print; total += $$1 } END { printf "%5d s  total\n", total }' $(TIMES)

.PHONY: check
check: rust fmt-check lint lint-browser ## Check formatting and lints, and run the unit tests; for use after each change
	$(WITH_CLIPPY) cargo test --locked $(PACKAGES) --lib --bins

# Clippy acts as the compiler and checks the same build that the tests run. A separate `cargo clippy` would compile all
# dependencies again.
WITH_CLIPPY := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
# All packages except the browser's, always in the same set: cargo recompiles dependencies when their features change.
PACKAGES := --workspace --exclude caleida-browser

.PHONY: lint
lint: rust ## Build and lint the server, the site builder, the benchmarks and all tests; warnings are errors
	$(WITH_CLIPPY) cargo build --locked $(PACKAGES) --bins --tests --examples

.PHONY: lint-browser
lint-browser: rust ## Lint crates/browser; warnings are errors
	cargo clippy --locked -p caleida-browser --target $(WASM) --target-dir target/front -- -D warnings

.PHONY: site
site: lint
	target/debug/caleida-site build

.PHONY: unit
unit: site tools-postgres tools-proxies tools-receivers $(E2E_INSTALLED) ## Run the unit and integration tests
	$(WITH_CLIPPY) cargo test --locked $(PACKAGES) --tests 2>&1 | tee target/unit.log

.PHONY: api-fuzz
api-fuzz: lint tools-python $(FUZZ_INSTALLED) ## Fuzz the API of a debug server against its OpenAPI document, for about a minute
	$(FUZZ)/run $(CURDIR)/target/schemathesis --max-examples 15

.PHONY: api-fuzz-long
api-fuzz-long: lint tools-python $(FUZZ_INSTALLED) ## Fuzz the API for ten minutes, with a random seed
	$(FUZZ)/run $(CURDIR)/target/schemathesis --max-examples 1000 --max-time 600 --seed $$RANDOM

.PHONY: e2e
e2e: tools-e2e e2e-check site ## Run the browser tests in Chromium (or CHROMIUM=…) against a debug server
	cd end2end && npx playwright test $(ARGS)

.PHONY: e2e-check
e2e-check: $(E2E_INSTALLED)
	cd end2end && npm run --silent check

# Includes the packages of `make build`, to reuse its artifacts.
BENCH := cargo build --release --locked -p caleida -p caleida-site -p caleida-benchmarks && target/release/caleida-benchmarks

.PHONY: bench
bench: rust ## Benchmark the release build against the limits of this machine; takes up to ten minutes (ARGS="--only c,f")
	$(BENCH) $(ARGS)

.PHONY: bench-quick
bench-quick: rust ## Benchmark with less data; takes up to two minutes
	$(BENCH) --quick $(ARGS)

.PHONY: bench-postgres
bench-postgres: rust tools-postgres ## Benchmark on PostgreSQL, also with several processes; starts its own server
	$(BENCH) --database postgres $(ARGS)

.PHONY: dist
dist: build ## Pack the release into target/dist, with SBOM and checksum, and run a smoke test
	$(call need,zstd,zstd)
	$(call need,curl,curl)
	packaging/dist.sh

.PHONY: fuzz
fuzz: site ## Run the property tests with PROPTEST_CASES inputs each (default: 1000000)
# Uses proptest, because cargo-fuzz needs a nightly compiler.
	PROPTEST_CASES=$${PROPTEST_CASES:-1000000} $(WITH_CLIPPY) cargo test --locked $(PACKAGES) --lib --test it properties

.PHONY: machete
machete: ## Find unused dependencies (needs cargo-machete)
	cargo machete

.PHONY: deny
deny: ## Check licenses, sources and duplicates of dependencies (needs cargo-deny)
	cargo deny --workspace check

.PHONY: fmt
fmt: ## Format the code
	cargo fmt --all

.PHONY: fmt-check
fmt-check: rust
	cargo fmt --all --check

.PHONY: tools
tools: rust tools-e2e tools-postgres tools-proxies tools-receivers $(FUZZ_INSTALLED)
	$(call need,curl,curl)

.PHONY: rust
rust:
	$(call need,cc,build-essential)
	@command -v cargo >/dev/null || { echo "error: cargo is missing; install Rust with rustup: https://rustup.rs" >&2; exit 1; }
	@[ -d "$$(rustc --print target-libdir --target $(WASM))" ] || rustup target add $(WASM)

# The tests start their own server. Debian does not put its programs in PATH.
.PHONY: tools-postgres
tools-postgres:
	$(call need,$(lastword initdb $(wildcard /usr/lib/postgresql/*/bin/initdb)),postgresql)

# The tests run Caleida behind them. For users other than root, Debian does not have nginx in PATH.
.PHONY: tools-proxies
tools-proxies:
	$(call need_for,nginx,PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null,nginx-light)
	$(call need,caddy,caddy)

# The tests run the receivers of the guide in each language.
.PHONY: tools-receivers
tools-receivers: tools-python $(RECEIVERS_INSTALLED)
	$(call need,go,golang-go)
	$(call need,ruby,ruby)
	$(call need,$(if $(wildcard /usr/share/rubygems-integration/*/specifications/webrick-*.gemspec),ruby,webrick),ruby-webrick)
	$(call need,php,php-cli)
	$(call need,java,default-jdk-headless)
	$(call need,$(if $(wildcard /usr/share/java/jackson-databind.jar),java,jackson-databind),libjackson2-databind-java)
	$(call need,openssl,openssl)

$(RECEIVERS_INSTALLED): docs/receivers/python/requirements.txt
	rm -rf $(@D) && python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Debian has Python's venv module in a separate package.
.PHONY: tools-python
tools-python:
	$(call need_for,Python with venv,python3 -c 'import ensurepip' 2>/dev/null,python3 python3-venv)

$(FUZZ_INSTALLED): $(FUZZ)/requirements.txt
	rm -rf $(@D) && python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Debian has headless Chromium in a separate package.
CHROMIUM_PACKAGE := $$(apt-cache show chromium-headless-shell >/dev/null 2>&1 && echo chromium-headless-shell || echo chromium)

.PHONY: tools-e2e
tools-e2e:
	$(call need,npm,nodejs npm)
ifeq ($(CHROMIUM),)
	$(call need_for,Chromium,command -v chromium-headless-shell chromium >/dev/null,$(CHROMIUM_PACKAGE))
endif

# Uses the system's Chromium instead of downloading Playwright's.
$(E2E_INSTALLED): export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
$(E2E_INSTALLED): end2end/package.json end2end/package-lock.json
	cd end2end && npm ci --no-audit --no-fund
	@touch $@
