# SPDX-License-Identifier: Apache-2.0
# The front of the repository. `test` and `demo` each do the whole set-up themselves.
.DEFAULT_GOAL := help
.PHONY: help setup test test-cuda demo test-all soak fuzz golden bench format tidy clean

help:
	@echo "make setup      packages, Python environment and model wheels (about 1 s when nothing is to do)"
	@echo "make test       format, gates, all tests of the release build, then ASan+UBSan on the fast set"
	@echo "make test-cuda  compiles the GPU backend where nvcc is, runs its tests where a GPU is"
	@echo "make demo       compiles three OCR models for this machine, reads two pictures, asks a language model a question"
	@echo "make test-all   make test, clang-tidy, TSan, and the long tests (by hand)"
	@echo "make soak       random traffic on a server with cancels, reloads and disconnects, SOAK_SECONDS (600)"
	@echo "make fuzz       libFuzzer targets, FUZZ_SECONDS each (300)"
	@echo "make golden     references from other runtimes, in an environment of its own (by hand)"
	@echo "make bench      interleaved timings beside other runtimes, results under docs/results/ (by hand)"
	@echo "make format     clang-format over the whole tree"
	@echo "make tidy       clang-tidy over src/ and tools/"
	@echo "make clean      removes build/ (the caches stay; they are .cache/ and .venv/)"

setup:
	@scripts/setup.sh

test: setup
	@scripts/test.sh

test-cuda: setup
	@scripts/test_cuda.sh

demo: setup
	@scripts/demo.sh

test-all: test tidy
	@scripts/test_all.sh

tidy: setup
	@scripts/tidy.sh

SOAK_SECONDS ?= 600
soak: setup
	@cmake --preset release >/dev/null && cmake --build build/release --target narae_command
	@python3 tests/serve/soak.py build/release/narae $(SOAK_SECONDS)

FUZZ_SECONDS ?= 300
fuzz: setup
	@scripts/fuzz.sh $(FUZZ_SECONDS)

golden: setup
	@scripts/golden.sh

bench: setup
	@scripts/bench.sh

format: setup
	@git ls-files -co --exclude-standard '*.cc' '*.h' '*.hpp' '*.c' | xargs -r clang-format -i

clean:
	rm -rf build
