# make run    sets up, builds, starts a demo gateway on loopback and prints the ssh line to try
# make test   sets up, builds and runs everything that takes minutes, not hours
#
# Others: setup build test-long bench docs fuzz install deb format clean

SWIFT       ?= swift
PREFIX      ?= /usr
DESTDIR     ?=
# Where systemd looks for units of packages.
UNITS       ?= /lib/systemd/system
DEMO        ?= $(CURDIR)/demo
PORT        ?= 2222

# What Package.swift cannot say: no $ORIGIN in a static-pie (it crashes before main), and no import without its arrow.
BUILD_FLAGS := --disable-local-rpath --explicit-target-dependency-import-check error
RELEASE     := .build/release
PROGRAMS    := posternd postern-frontend postern-files postern-git postern-git-hook postern-init postern-probe postern

FUZZ_SECONDS ?= 600

.PHONY: setup build run test test-long bench docs fuzz install install-files deb format clean

setup:
	@scripts/setup

build: setup
	$(SWIFT) build -c release $(BUILD_FLAGS)

run: build
	@scripts/run-demo "$(RELEASE)" "$(DEMO)" "$(PORT)"

test: build
	@scripts/test

test-long: build
	@scripts/test --long

bench: build
	@scripts/bench "$(RELEASE)"
	@scripts/bench-files "$(RELEASE)"
	@bench/library "$(RELEASE)"

# The library's pages, by docc: .build/docs/*.doccarchive. A link that leads nowhere is an error.
docs: setup
	$(SWIFT) build
	@scripts/docs

# Ten minutes for each target, or FUZZ_SECONDS.
fuzz: setup
	@scripts/fuzz "$(FUZZ_SECONDS)"

deb: build
	@scripts/make-deb "$(RELEASE)" .build

install: build install-files

# What was built before.
install-files:
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/sbin" "$(DESTDIR)$(PREFIX)/libexec/postern"
	install -m 0755 $(RELEASE)/postern "$(DESTDIR)$(PREFIX)/bin/"
	install -m 0755 $(RELEASE)/posternd "$(DESTDIR)$(PREFIX)/sbin/"
	install -m 0755 $(RELEASE)/postern-frontend $(RELEASE)/postern-files $(RELEASE)/postern-git $(RELEASE)/postern-git-hook $(RELEASE)/postern-init $(RELEASE)/postern-probe "$(DESTDIR)$(PREFIX)/libexec/postern/"
	for page in docs/man/*.[158]; do \
	  [ -e "$$page" ] || continue; \
	  install -D -m 0644 "$$page" "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}"; \
	done
	install -d "$(DESTDIR)$(UNITS)" "$(DESTDIR)$(PREFIX)/lib/sysusers.d" "$(DESTDIR)$(PREFIX)/lib/tmpfiles.d"
	for unit in postern.socket postern@.service postern.service; do \
	  sed 's#/usr/sbin/#$(PREFIX)/sbin/#' "deploy/$$unit" >"$(DESTDIR)$(UNITS)/$$unit"; \
	done
	install -m 0644 deploy/sysusers.conf "$(DESTDIR)$(PREFIX)/lib/sysusers.d/postern.conf"
	install -m 0644 deploy/tmpfiles.conf "$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/postern.conf"
	install -d "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" "$(DESTDIR)$(PREFIX)/share/zsh/site-functions" \
	    "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d"
	$(RELEASE)/postern --generate-completion-script bash >"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/postern"
	$(RELEASE)/postern --generate-completion-script zsh >"$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_postern"
	$(RELEASE)/postern --generate-completion-script fish >"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/postern.fish"

format:
	$(SWIFT) format format --in-place --recursive --parallel Sources Tests Package.swift

clean:
	rm -rf .build demo
