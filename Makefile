# `make run` starts everything on this machine; `make test` checks everything. Both do their own set-up.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export PATH := $(CURDIR)/style/node_modules/.bin:$(HOME)/.cargo/bin:$(PATH)
export SASS_PATH := $(CURDIR)/style/node_modules

with_pcscd := card-bridge/virtual-card/with-pcscd
with_postgres := server/with-postgres
# cargo-nextest where it is, else cargo's own runner.
test_runner = $(if $(shell command -v cargo-nextest),nextest run --no-fail-fast,test --no-fail-fast)

# Seconds for each of the fuzz targets.
FUZZ_SECONDS ?= 1200
fuzz_targets := $(basename $(notdir $(wildcard card-bridge/fuzz/fuzz_targets/*.rs)))

.PHONY: help run test bench cuts fuzz package package-server build pages lint rust-test package-test end2end advisories

help:
	@echo "make run         build and start the demonstration: http://localhost:3000"
	echo "make test        run every check"
	echo "make bench       measure, and write target/bench.json"
	echo "make cuts        cut an unlock at every point, and see that trying again is enough"
	echo "make fuzz        fuzz what comes from outside, FUZZ_SECONDS for each target"
	echo "make package     make the card bridge's Debian package, in target/debian"
	echo "make package-server  make the server's"
	echo "make advisories  look for known vulnerabilities (needs the network)"

run:
	@.make/setup run
	$(MAKE) --no-print-directory build
	exec .make/run

test:
	@.make/setup test
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory rust-test
	$(MAKE) --no-print-directory package-test
	$(MAKE) --no-print-directory pages
	$(MAKE) --no-print-directory end2end

# The card bridge as it is packaged. PART=bridge measures it alone, and builds nothing of the service.
bench: export CARD_BRIDGE := $(CURDIR)/target/bridge/card-bridge
bench:
	@.make/setup bench
	if [ "$(PART)" != bridge ]; then
	    $(MAKE) --no-print-directory build CARDS=
	    $(MAKE) --no-print-directory build CARDS=real
	    cargo build --release -p load-generator
	fi
	cargo build --release -p card-bridge -p virtual-card --bin virtual-card --example direct_proof
	cargo build --profile bridge -p card-bridge
	DURABLE=1 $(with_postgres) $(with_pcscd) node end2end/bench/bench.mjs $(PART)

# The pages as they are shipped: wasm in the parts of each page, style, compressed beforehand. Splitting and optimising
# take a minute even where nothing changed, so they are done when a source is newer.
page_sources := .make/pack-pages.mjs .make/name-pages $(shell \
    find app card-bridge/protocol style Cargo.toml Cargo.lock -type f -not -path '*/node_modules/*')

pages: target/pages

target/pages: $(page_sources)
	@cargo leptos build --release --precompress --split --frontend-only
	.make/pack-pages.mjs
	.make/name-pages
	touch $@

# The pages and the release programs: what runs and what is measured. Cards inside the bridge make it another program.
build: pages
	@echo "build: the first time this takes many minutes"
	cargo build --release -p server
	if [ -z "$(CARDS)" ]; then
	    cargo build --release -p card-bridge -p virtual-card --features card-bridge/virtual-cards
	    cp target/release/card-bridge target/release/card-bridge-with-virtual-cards
	else
	    cargo build --release -p card-bridge -p virtual-card
	fi

lint:
	@cargo fmt --all --check
	cargo deny --log-level error check bans licenses sources
	cargo clippy --all-targets --features card-bridge/virtual-cards -- -D warnings
	cargo clippy -p hydrate --target wasm32-unknown-unknown -- -D warnings

# The bridge's tests start a PC/SC service of their own, and what is stored is tested on SQLite and on PostgreSQL. What the
# page seals is tested in Node.js.
rust-test:
	@$(with_postgres) cargo $(test_runner) --features card-bridge/virtual-cards
	CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner \
	    cargo test -p app --lib --features hydrate --target wasm32-unknown-unknown

package:
	@.make/setup package
	card-bridge/package/make-deb

package-server:
	@.make/setup run
	.make/setup package
	$(MAKE) --no-print-directory pages
	server/package/make-deb

# Installs the packages on this machine, but in a namespace where only the test sees it. With the programs that the Rust
# tests were built with. The rules for operators are tried by what reads them.
package-test:
	@card-bridge/package/test-deb
	server/package/test-deb
	PATH=$$PATH:target/tools/bin promtool test rules server/package/alerts-test.yml

# With the programs that the Rust tests were built with, so that CI builds them once.
end2end cuts: export SERVICE_CENTRE := $(CURDIR)/target/debug/service-centre
end2end cuts: export CARD_BRIDGE := $(CURDIR)/target/debug/card-bridge
end2end cuts: export CARD_BRIDGE_WITH_VIRTUAL_CARDS := $(CURDIR)/target/debug/card-bridge
end2end cuts: export VIRTUAL_CARD := $(CURDIR)/target/debug/virtual-card
end2end:
	@cd end2end
	../$(with_postgres) ../$(with_pcscd) npx playwright test
	../$(with_pcscd) node cuts/cuts.mjs --quick

# With the same programs: what is cut does not depend on how they were compiled.
cuts:
	@.make/setup test
	$(MAKE) --no-print-directory pages
	cargo build --features card-bridge/virtual-cards
	$(with_pcscd) node end2end/cuts/cuts.mjs

# What is found goes to target/fuzz; card-bridge/README.md says how it gets into the corpus.
fuzz:
	@.make/setup fuzz
	cd card-bridge/fuzz
	for target in $(fuzz_targets); do
	    found=$(CURDIR)/target/fuzz/found/$$target
	    mkdir -p "$$found"
	    cargo +nightly fuzz run --fuzz-dir . --target-dir $(CURDIR)/target/fuzz $$target "$$found" corpus/$$target \
	        -- -max_total_time=$(FUZZ_SECONDS) -timeout=20 -max_len=4096
	done

advisories:
	@cargo deny check advisories
