# Everything one does here, by name. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Cargo uses all cores by itself, and two of them would wait for each other.
.NOTPARALLEL:

WASM := wasm32-unknown-unknown
RECEIVERS_INSTALLED := target/receivers/installed
E2E_INSTALLED := end2end/node_modules/.package-lock.json
TIMES := target/step-times.txt
FUZZ := end2end/schemathesis
FUZZ_INSTALLED := target/schemathesis/installed

# The release is target/release/caleida and target/site, wherever else cargo may be told to build.
export CARGO_TARGET_DIR := $(CURDIR)/target
ifeq ($(CI),true)
export CARGO_TERM_COLOR ?= always
# Pays from the second build on; there is none.
export CARGO_INCREMENTAL ?= 0
endif

# A machine to develop on has its receivers on loopback, without TLS.
run watch: export CALEIDA_ALLOW_HTTP ?= true
run watch: export CALEIDA_ALLOW_NETWORKS ?= 127.0.0.0/8,::1/128
LOCAL = "make $@: so that you can try it here, receivers on loopback over http are allowed (CALEIDA_ALLOW_HTTP=$$CALEIDA_ALLOW_HTTP CALEIDA_ALLOW_NETWORKS=$$CALEIDA_ALLOW_NETWORKS)"

# $(call need,COMMAND,PACKAGES): installs the packages if the command is missing, or says how and fails.
need = $(call need_for,$(1),command -v $(1) >/dev/null,$(2))

# $(call need_for,NAME,TEST,PACKAGES): the same for what is there if the test succeeds.
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
help: ## lists these
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## builds and starts the dashboard on http://127.0.0.1:3000, with receivers on loopback allowed
	@echo $(LOCAL)
	@exec target/release/caleida serve

.PHONY: build
build: rust ## builds target/release/caleida and target/site, and prints what a page weighs
	cargo build --release --locked
	target/release/caleida-site build

.PHONY: watch
watch: rust ## builds for development, serves, and does so again at every change
	@echo $(LOCAL)
	@exec cargo run --locked --bin caleida-site -- watch

# What is missing is found before anything is built.
STEPS := tools fmt-check e2e-check lint lint-browser site unit api-fuzz e2e

.PHONY: test
test: ## checks everything: formatting, lints, unit and integration tests, the API against its description, the browser
	@mkdir -p target && : > $(TIMES)
	@for step in $(STEPS); do \
		start=$$SECONDS; \
		$(MAKE) --no-print-directory $$step; \
		printf '%5d s  %s\n' $$((SECONDS - start)) $$step >> $(TIMES); \
	done
	@echo; grep -ah '^test result' target/unit.log; echo
	@awk '{ print; all += $$1 } END { printf "%5d s  in all\n", all }' $(TIMES)

.PHONY: check
check: rust fmt-check lint lint-browser ## checks formatting and lints and runs the unit tests: what to run after each change
	$(LINTED) cargo test --locked $(HERE) --lib --bins

# Clippy is the compiler: it checks the very build that the tests run, instead of one more of all dependencies.
LINTED := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
# Everything but the browser's part, always together: cargo compiles a dependency once for each set of its features.
HERE := --workspace --exclude caleida-browser

.PHONY: lint
lint: rust ## builds the server, the site builder, the benchmarks and their tests; lints are errors
	$(LINTED) cargo build --locked $(HERE) --bins --tests --examples

.PHONY: lint-browser
lint-browser: rust ## runs clippy on the browser's part; lints are errors
	cargo clippy --locked -p caleida-browser --target $(WASM) --target-dir target/front -- -D warnings

.PHONY: site
site: lint
	target/debug/caleida-site build

.PHONY: unit
unit: site tools-postgres tools-receivers $(E2E_INSTALLED) ## runs the unit and integration tests
	$(LINTED) cargo test --locked $(HERE) --tests 2>&1 | tee target/unit.log

.PHONY: api-fuzz
api-fuzz: lint tools-python $(FUZZ_INSTALLED) ## holds a debug server against its own description of the API, in about a minute
	$(FUZZ)/run $(CURDIR)/target/schemathesis --max-examples 15

.PHONY: api-fuzz-long
api-fuzz-long: lint tools-python $(FUZZ_INSTALLED) ## the same for ten minutes, with other cases each time
	$(FUZZ)/run $(CURDIR)/target/schemathesis --max-examples 1000 --max-time 600 --seed $$RANDOM

.PHONY: e2e
e2e: tools-e2e e2e-check site ## runs the browser tests in Chromium (or CHROMIUM=…) against a debug server
	cd end2end && npx playwright test $(ARGS)

.PHONY: e2e-check
e2e-check: $(E2E_INSTALLED)
	cd end2end && npm run --silent check

# With the packages of `make build`, whose artifacts it uses.
BENCH := cargo build --release --locked -p caleida -p caleida-site -p caleida-benchmarks && target/release/caleida-benchmarks

.PHONY: bench
bench: rust ## measures the release build against what this machine allows, in under ten minutes (ARGS="--only c,f")
	$(BENCH) $(ARGS)

.PHONY: bench-quick
bench-quick: rust ## the same in under two minutes, with less of everything
	$(BENCH) --quick $(ARGS)

.PHONY: bench-postgres
bench-postgres: rust tools-postgres ## the same on a PostgreSQL of its own, also with several processes
	$(BENCH) --database postgres $(ARGS)

.PHONY: dist
dist: build ## packs the release into target/dist, with SBOM and checksum, and tries it from an empty folder
	$(call need,zstd,zstd)
	$(call need,curl,curl)
	packaging/dist.sh

.PHONY: fuzz
fuzz: site ## runs the property tests for long: PROPTEST_CASES inputs each (a million unless it is set)
# By proptest, not cargo-fuzz: that needs a nightly compiler.
	PROPTEST_CASES=$${PROPTEST_CASES:-1000000} $(LINTED) cargo test --locked $(HERE) --lib --test it properties

.PHONY: machete
machete: ## looks for dependencies that nothing uses (needs cargo-machete)
	cargo machete

.PHONY: deny
deny: ## checks licences, sources and duplicates of dependencies (needs cargo-deny)
	cargo deny --workspace check

.PHONY: fmt
fmt: ## formats the code
	cargo fmt --all

.PHONY: fmt-check
fmt-check: rust
	cargo fmt --all --check

.PHONY: tools
tools: rust tools-e2e tools-postgres tools-receivers $(FUZZ_INSTALLED)
	$(call need,curl,curl)

.PHONY: rust
rust:
	$(call need,cc,build-essential)
	@command -v cargo >/dev/null || { echo "error: cargo is missing; install Rust by rustup: https://rustup.rs" >&2; exit 1; }
	@[ -d "$$(rustc --print target-libdir --target $(WASM))" ] || rustup target add $(WASM)

# The tests start a server of their own. Debian keeps its programs out of the path.
.PHONY: tools-postgres
tools-postgres:
	$(call need,$(lastword initdb $(wildcard /usr/lib/postgresql/*/bin/initdb)),postgresql)

# The guide's receivers are run in their own languages.
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

# Debian has the part of Python that makes environments in a package of its own.
.PHONY: tools-python
tools-python:
	$(call need_for,Python with venv,python3 -c 'import ensurepip' 2>/dev/null,python3 python3-venv)

$(FUZZ_INSTALLED): $(FUZZ)/requirements.txt
	rm -rf $(@D) && python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Debian has the browser without its window in a package of its own.
CHROMIUM_PACKAGE := $$(apt-cache show chromium-headless-shell >/dev/null 2>&1 && echo chromium-headless-shell || echo chromium)

.PHONY: tools-e2e
tools-e2e:
	$(call need,npm,nodejs npm)
ifeq ($(CHROMIUM),)
	$(call need_for,Chromium,command -v chromium-headless-shell chromium >/dev/null,$(CHROMIUM_PACKAGE))
endif

# The browser is the system's: Playwright's own would be a second one.
$(E2E_INSTALLED): export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
$(E2E_INSTALLED): end2end/package.json end2end/package-lock.json
	cd end2end && npm ci --no-audit --no-fund
	@touch $@
