# Everything from a fresh machine on: what is missing is installed (apt-get on Debian and Ubuntu, brew on macOS), then built.
#
#   make run            builds act and runs examples/tour.act
#   make repl           builds act and starts the session
#   make test           builds and runs every test
#   make check-format   whether sources are laid out as .swift-format says; make format lays them out
#   make bench          measures the hot paths
#   make fuzz           three minutes of programs that nobody would write, and of what no notebook and no editor would say
#   make sanitize       the tests under the sanitizers
#   make interchange    files from and for NumPy and safetensors; random programs against NumPy, derivatives against JAX; notebooks in Jupyter, editors
#   make reference      writes the pages that are made from the rows
#   make install PREFIX=/usr/local, make uninstall, make clean

.DEFAULT_GOAL := help

PREFIX ?= /usr/local
SWIFT ?= swift
BUILD = $(SWIFT) build -c release
ACT = .build/release/act
IS_LINUX = $(filter Linux,$(shell uname -s))

# The pages that are made from the rows, and what act says about faulty programs: what tests compare.
reference: packages
	ACT_WRITE_DOCS=1 $(SWIFT) test -c release --disable-testable-imports --filter 'ReferenceTests|Accuracy|DiagnosticSnapshotTests|GraphTests|GrammarTests'

.PHONY: help run repl test format check-format library-example bench fuzz sanitize interchange reference install uninstall build packages clean

# The lines above that name targets.
help:
	@sed -n '2,/^$$/s/^#  *make/make/p' $(firstword $(MAKEFILE_LIST))

run: build
	$(ACT) examples/tour.act

repl: build
	@$(ACT)

test: packages
	$(SWIFT) test -c release --disable-testable-imports

# What is laid out by the tool of Swift's toolchain.
FORMATTED = Package.swift Examples-Swift $(wildcard Sources/* Tests/Confined Tests/Act*)
format:
	$(SWIFT) format format --in-place --parallel --recursive --configuration .swift-format $(FORMATTED)

check-format:
	$(SWIFT) format lint --strict --parallel --recursive --configuration .swift-format $(FORMATTED)

# A package of its own that uses act as a library.
library-example: packages
	$(SWIFT) run --package-path Examples-Swift --scratch-path .build-library train-digits

bench: packages
	$(BUILD) --product actbench
	.build/release/actbench

# Other ones each time; what it finds is in .build/fuzz, and `actfuzz --seed SEED --one NUMBER` runs it again.
FUZZ_SECONDS ?= 180
FUZZ_SEED ?= $(shell date +%s)
fuzz: packages
	$(BUILD) --product actfuzz
	.build/release/actfuzz --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED) $(FUZZ_OPTIONS)

# Another seed, other programs. The judges run in an environment of their own.
INTERCHANGE_COUNT ?= 10000
INTERCHANGE_SEED ?= 1
PEERS = .build/peers
interchange: build $(PEERS)/installed
	$(PEERS)/bin/python Tests/Interchange/check.py $(ACT)
	$(PEERS)/bin/python Tests/Interchange/numpy_programs.py $(ACT) $(INTERCHANGE_COUNT) $(INTERCHANGE_SEED)
	$(PEERS)/bin/python Tests/Interchange/derivatives.py $(ACT) 1000 $(INTERCHANGE_SEED)
	$(PEERS)/bin/python Tests/Interchange/tables.py $(ACT)
	$(PEERS)/bin/python Tests/Interchange/jupyter.py $(ACT)
	ACT=$(ACT) $(PEERS)/bin/python -m pytest -q -s -p no:cacheprovider Tests/Interchange/test_lsp.py
	$(PEERS)/bin/python Tests/Interchange/grammars.py $(ACT)

# Made anew when the list of them changes.
$(PEERS)/installed: Tests/Interchange/requirements.txt
	python3 -m venv $(PEERS) && $(PEERS)/bin/pip install --quiet -r $< && touch $@

# One build each, for sanitizers do not go together. See .ci/sanitize.
sanitize: packages
	.ci/sanitize address thread undefined

build: packages
	$(BUILD) --product act

# On Linux with Swift's own libraries inside: it then runs where there is no toolchain, and starts in 4 ms instead of 6.
install: packages
	$(BUILD) --product act --scratch-path .build-install $(if $(IS_LINUX),--static-swift-stdlib)
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 $(if $(IS_LINUX),-s) .build-install/release/act "$(DESTDIR)$(PREFIX)/bin/act"

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/act"

packages:
	@.ci/packages

clean:
	rm -rf .build .build-install
