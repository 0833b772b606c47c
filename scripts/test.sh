#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make test`: format and gates, the release build with all its tests, then ASan+UBSan on the fast set (the rooms' own
# tests and whatever has the CTest label `fast`). Goes on after a failure where it can, so that one run shows them all.
set -uo pipefail
cd "$(dirname "$0")/.."
results=build/results/test
rm -rf $results && mkdir -p $results
jobs=$(nproc)
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1  # other clones of this tree share the cache
status=0

step() { echo "== $*"; }

# build PRESET TARGET..: a build that fails is a result like any other.
build() {
  local preset=$1
  shift
  if cmake --preset "$preset" >build/$preset-configure.log 2>&1 &&
    cmake --build build/$preset -j "$jobs" --target "$@" >build/$preset-build.log 2>&1; then
    python3 scripts/junit.py $results/build-$preset.xml "build" "$preset"
    return 0
  fi
  tail -40 build/$preset-configure.log
  grep -E -A12 'error:|FAILED:|undefined reference' build/$preset-build.log | head -80
  tail -3 build/$preset-build.log
  python3 scripts/junit.py $results/build-$preset.xml "build" "$preset" "the build failed"
  return 1
}

step "format"
mapfile -t sources < <(git ls-files '*.cc' '*.h' '*.hpp' '*.c')
if [ ${#sources[@]} -eq 0 ] || clang-format --dry-run -Werror "${sources[@]}" >build/format.log 2>&1; then
  python3 scripts/junit.py $results/format.xml format clang-format
else
  grep -m20 'error:' build/format.log
  python3 scripts/junit.py $results/format.xml format clang-format "run make format"
  status=1
fi

step "gates"
python3 tests/gates/run.py --results $results || status=1
python3 scripts/tally_test.py $results/tally-test.xml || status=1

step "release build"
if build release all; then
  step "static check of hot loops"
  python3 scripts/stack_moves.py build/release --results $results/stack-moves.xml || status=1
  step "tests"
  python3 scripts/run_tests.py build/release $results --prefix release --not-label long || status=1
else
  status=1
fi

step "ASan+UBSan build"
if build dev fast_tests; then
  step "tests under ASan+UBSan"
  # only the fast set was built; ctest names the others NOT_AVAILABLE, so the label comes first
  # Where a library opened late has thread-local memory at certain addresses, the runtime of GCC 12 misreads its start
  # (it takes glibc for an old one) and LeakSanitizer reads there; glibc's own records lead there as well.
  ASAN_OPTIONS=detect_stack_use_after_return=1:intercept_tls_get_addr=0 UBSAN_OPTIONS=print_stacktrace=1 \
    python3 scripts/run_tests.py build/dev $results --prefix dev --label fast --not-label long || status=1
else
  status=1
fi

python3 scripts/tally.py $results || status=1
exit $status
