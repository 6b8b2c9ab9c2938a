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
#                       (make -o build interchange ACT=PATH: with a program that is there)
#   make reference      writes the pages that are made from the rows
#   make wheel          what `pip install` takes; make deb, make dist: a package of Debian, a tarball; make vscode: the extension; make formula: Homebrew
#   make packages-test  tries them in clean places
#   make install PREFIX=/usr/local, make uninstall, make clean

.DEFAULT_GOAL := help

PREFIX ?= /usr/local
SWIFT ?= swift
# Without debug information what is built is a third as large. What a crash prints then has names of functions, but no lines of the source:
# DEBUG_INFO=dwarf brings them. All targets that build in .build have the same flags, or each would compile everything again.
DEBUG_INFO ?= none
FLAGS = -c release -debug-info-format $(DEBUG_INFO)
# The compiler's memory lies in large pages, where there are such: it is then a twentieth faster.
BUILD = GLIBC_TUNABLES=glibc.malloc.hugetlb=1 $(SWIFT) build $(FLAGS)
TEST = $(SWIFT) test $(FLAGS) --disable-testable-imports
ACT = .build/release/act
IS_LINUX = $(filter Linux,$(shell uname -s))

# The pages that are made from the rows, and what act says about faulty programs: what tests compare.
reference: packages
	ACT_WRITE_DOCS=1 $(TEST) --filter 'ReferenceTests|Accuracy|DiagnosticSnapshotTests|GraphTests|GrammarTests'

.PHONY: help run repl test format check-format library-example bench fuzz sanitize interchange reference install uninstall build packages clean \
	static wheel deb dist vscode formula packages-test

# The lines above that name targets.
help:
	@sed -n '2,/^$$/s/^#  *make/make/p' $(firstword $(MAKEFILE_LIST))

run: build
	$(ACT) examples/tour.act

repl: build
	@$(ACT)

test: packages
	$(BUILD) --build-tests
	$(TEST) --skip-build

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
	$(PEERS)/bin/python Tests/Interchange/formulas.py $(ACT) 500 $(INTERCHANGE_SEED)
	$(PEERS)/bin/python Tests/Interchange/tables.py $(ACT)
	$(PEERS)/bin/python -W ignore Tests/Interchange/onnx_cases.py $(ACT)
	$(PEERS)/bin/python Tests/Interchange/onnx_export.py $(ACT)
	$(PEERS)/bin/python Tests/Interchange/sources.py $(ACT)
	$(PEERS)/bin/python Tests/Interchange/elsewhere.py $(ACT)
	$(PEERS)/bin/python Tests/Interchange/jupyter.py $(ACT)
	ACT=$(ACT) $(PEERS)/bin/python -m pytest -q -s -p no:cacheprovider Tests/Interchange/test_lsp.py
	$(PEERS)/bin/python Tests/Interchange/grammars.py $(ACT)
	$(PEERS)/bin/python Tests/Interchange/ranks.py $(ACT)
	if command -v node > /dev/null; then node Tests/Interchange/vscode.js $(ACT); fi

# Made anew when the list of them changes.
$(PEERS)/installed: Tests/Interchange/requirements.txt
	python3 -m venv $(PEERS) && $(PEERS)/bin/pip install --quiet -r $< && touch $@

# One build each, for sanitizers do not go together. See .ci/sanitize.
sanitize: packages
	.ci/sanitize address thread undefined

build: packages
	$(BUILD) --product act

# On Linux with Swift's own libraries, those of C++ and libedit's inside: it then runs where there is no toolchain, and starts in 3 ms instead of 6.
# Of its own symbols none is for others to see: looking through ten thousand takes Swift's runtime a twentieth of a start.
STATIC = .build-static
STRIPPED = $(STATIC)/act
static: packages
	Packaging/static-libraries $(STATIC)/libraries
	$(BUILD) --product act --scratch-path $(STATIC) $(if $(IS_LINUX),--static-swift-stdlib -Xswiftc -L$(CURDIR)/$(STATIC)/libraries -Xlinker --no-export-dynamic)
	install -m 755 $(if $(IS_LINUX),-s) $(STATIC)/release/act $(STRIPPED)

install: static
	Packaging/stage $(STRIPPED) "$(DESTDIR)" "$(PREFIX)"

INSTALLED = bin/act share/man/man1/act.1 share/bash-completion/completions/act share/zsh/site-functions/_act share/fish/vendor_completions.d/act.fish \
	share/jupyter/kernels/act share/vim/vimfiles/syntax/act.vim share/vim/vimfiles/ftdetect/act.vim share/vim/vimfiles/ftplugin/act.vim
uninstall:
	rm -rf $(foreach file,$(INSTALLED),"$(DESTDIR)$(PREFIX)/$(file)")

# What others install. Each is dated by the last commit, so that the same sources give the same bytes.
OUT = .build-packages
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2> /dev/null || date +%s)
wheel: static
	python3 Packaging/wheel.py $(STRIPPED) $(OUT)

deb: static
	Packaging/deb $(STRIPPED) $(OUT)

dist: static
	Packaging/tarball $(STRIPPED) $(OUT)

vscode:
	python3 Packaging/vsix.py $(OUT)

# Homebrew's formula, for sources that lie at URL and, as the same bytes, in TARBALL: by default the last commit's, on this machine.
VERSION = $(shell sed -n 's/^let actVersion = "\(.*\)"/\1/p' Sources/act/ActCommand.swift)
TARBALL ?= $(OUT)/act-$(VERSION).tar.gz
URL ?= file://$(abspath $(TARBALL))
HOMEPAGE ?= $(URL)
formula:
	mkdir -p $(OUT)
	test -e $(TARBALL) || git archive --format=tar.gz --prefix=act-$(VERSION)/ -o $(TARBALL) HEAD
	sed -e 's|@URL@|$(URL)|; s|@HOMEPAGE@|$(HOMEPAGE)|; s|@VERSION@|$(VERSION)|' \
		-e "s|@SHA256@|$$( (sha256sum $(TARBALL) || shasum -a 256 $(TARBALL)) 2> /dev/null | cut -d' ' -f1)|" \
		Packaging/act-lang.rb > $(OUT)/act-lang.rb

packages-test: wheel deb dist
	Tests/Packages/check.sh $(OUT)

packages:
	@.ci/packages

clean:
	rm -rf .build $(STATIC) $(OUT)
