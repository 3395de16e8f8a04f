# Mothlight. `make` lists the targets.

SWIFT ?= swift
DATA ?= ../shared/data
FUZZ_SECONDS ?= 20
MOTHLIGHT := .build/release/mothlight

.DEFAULT_GOAL := help
.PHONY: help packages build run test bench fuzz evaluate lint check-package

help: ## List the targets.
	@awk -F ':[^#]*## ' '/^[a-z-]+:[^#]*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

packages:
	@command -v $(SWIFT) >/dev/null || { echo "Swift 6.2 or later is needed: https://www.swift.org/install/linux/" >&2; exit 1; }
	@scripts/install-packages zlib1g-dev libzstd-dev libloc-dev libmaxminddb-dev libssl-dev libsqlite3-dev --optional nfdump libloc-database

build: packages ## Build the release program.
	$(SWIFT) build -c release --product mothlight

run: build ## Read demo traffic (verdicts, demo/report.html), then watch it: pages at http://127.0.0.1:8420 until Ctrl-C.
	$(MOTHLIGHT) simulate --overwrite
	$(MOTHLIGHT) read demo/demo.pcap
	@$(MOTHLIGHT) read demo/demo.pcap --format html --output demo/report.html
	@echo "The same as a page: $(CURDIR)/demo/report.html"
	@echo "Now a station that watches such traffic. Ctrl-C ends it."
	$(MOTHLIGHT) watch demo --data demo/station

test: packages ## Run all tests; what failed is said last.
	@scripts/test $(SWIFT)

bench: packages ## Measure speed and memory beside nfpcapd and ndpiReader (Benchmarks/).
	@scripts/install-packages nfdump libndpi-bin
	Benchmarks/run

fuzz: packages ## Run each fuzzer for FUZZ_SECONDS (default 20) seconds (Fuzzing/).
	Fuzzing/run $(FUZZ_SECONDS)

evaluate: build ## Verdicts against known hosts (../shared/data), detection and census quality; FULL=1 writes their pages.
	@scripts/install-packages xz-utils --optional libndpi-bin tshark
	@command -v python3 >/dev/null || { echo "evaluate: python3 is needed" >&2; exit 1; }
	@if test -x $(DATA)/unpack; then \
	  $(DATA)/unpack .data labelled captures && $(MOTHLIGHT) evaluate $(DATA)/truth.csv --root .data; \
	else echo "evaluate: $(DATA) is absent: simulated traffic only" >&2; fi
	@Tools/quality.py --program $(MOTHLIGHT) $(if $(FULL),--data $(DATA) --unpacked .data --peers \
	  --write docs/detection-quality.md,--quick --summary)
	@$(MOTHLIGHT) evaluate --census $(if $(FULL),--write docs/census-quality.md,--seeds 2 --machines 3000)

check-package: ## Make the Debian package, install it in a clean Debian, run its units under systemd and its container (as root).
	@scripts/install-packages dpkg-dev mmdebstrap systemd-container --optional lintian buildah podman runc
	Tools/check_package.py

lint: ## Check the format of all Swift files.
	git ls-files '*.swift' | xargs $(SWIFT) format lint --strict --parallel
