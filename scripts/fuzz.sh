#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the libFuzzer targets (tests/fuzz/*_fuzz.cc) with ASan+UBSan and runs each for SECONDS (300).
#   scripts/fuzz.sh [SECONDS]
# Seeds come from tests/fuzz/seeds/NAME/ and, for onnx_*, from the unpacked node tests, where they exist; what was found stays in build/fuzz/found/NAME/.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-300}
cmake --preset fuzz >/dev/null
cmake --build build/fuzz -j "$(nproc)" --target fuzzers
mapfile -t fuzzers < <(find build/fuzz -name '*_fuzz' -type f -perm -u+x | sort)
[ ${#fuzzers[@]} -gt 0 ] || { echo "fuzz: there is no tests/fuzz/*_fuzz.cc" >&2 && exit 1; }
status=0
for fuzzer in "${fuzzers[@]}"; do
  name=$(basename "$fuzzer")
  corpus=build/fuzz/corpus/$name found=build/fuzz/found/$name
  mkdir -p "$corpus" "$found"
  seeds=()
  [ -d "tests/fuzz/seeds/$name" ] && seeds=("tests/fuzz/seeds/$name")
  nodes=.cache/shared/onnx/node
  if [[ $name == onnx_* && -d $nodes ]]; then
    mkdir -p build/fuzz/onnx_nodes
    for test in "$nodes"/test_*; do cp -n "$test/model.onnx" "build/fuzz/onnx_nodes/${test##*/}.onnx"; done
    seeds+=(build/fuzz/onnx_nodes)
  fi
  echo "== $name, $seconds s"
  "$fuzzer" "$corpus" "${seeds[@]}" -max_total_time="$seconds" -rss_limit_mb=4096 -max_len=65536 -timeout=20 \
    -artifact_prefix="$found/" -print_final_stats=1 >"build/fuzz/$name.log" 2>&1 || status=1
  tail -n 12 "build/fuzz/$name.log"
done
exit $status
