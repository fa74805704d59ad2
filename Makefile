# The usual ways in. A preset is one of dev, release, asan, tsan (CMakePresets.json); its build is in build/PRESET.

JOBS ?= $(shell nproc)

.PHONY: build test test-outside test-all format clean packages-build packages-test packages-all
.PHONY: preset-dev preset-release preset-asan preset-tsan

build: packages-build preset-release

# Needs the clone alone. The last line is "N passed, N failed" over all parts.
test: packages-test preset-dev preset-release preset-asan
	@tools/test.sh quick

# Needs the data that lies beside the clone.
test-outside: packages-build preset-release
	@tools/test.sh outside

test-all: packages-all preset-dev preset-release preset-asan preset-tsan
	@tools/test.sh all

packages-build:
	@tools/install_packages.sh build
packages-test:
	@tools/install_packages.sh test
packages-all:
	@tools/install_packages.sh all

# One after the other: Ninja already uses all processors.
preset-dev preset-release preset-asan preset-tsan: preset-%:
	@mkdir -p build
	@cmake --preset $* > build/$*.log 2>&1 || { cat build/$*.log; exit 1; }
	@cmake --build --preset $* -- -j$(JOBS)
.NOTPARALLEL:

format:
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format-14 -i

clean:
	@rm -rf build

# Weir beside its peers, in one run; see bench/README.md.
bench: packages-build preset-release
	@python3 bench/bench.py $(BENCH)
.PHONY: bench
