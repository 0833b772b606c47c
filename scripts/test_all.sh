#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The part of `make test-all` beyond `make test`: the fast set under TSan and the tests labelled `long` (all models x
# passes x opt levels). By hand: it takes as long as it takes.
set -uo pipefail
cd "$(dirname "$0")/.."
results=build/results/test-all
rm -rf $results && mkdir -p $results
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1  # other clones of this tree share the cache
status=0
cmake --preset tsan >/dev/null && cmake --build build/tsan -j "$(nproc)" --target fast_tests >build/tsan-build.log || {
  tail -40 build/tsan-build.log
  exit 1
}
python3 scripts/run_tests.py build/tsan $results --prefix tsan --label fast --not-label long || status=1
if ctest --test-dir build/release -N -L long | grep -q 'Test *#'; then
  python3 scripts/run_tests.py build/release $results --prefix long --label long --jobs 1 || status=1
fi
python3 scripts/tally.py $results || status=1
exit $status
