#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the libFuzzer targets (tests/fuzz/*_fuzz.cc) with ASan+UBSan and runs each for SECONDS (300).
#   scripts/fuzz.sh [SECONDS [NAME..]]        NAME: onnx_wire, onnx_import, graph_text, engine,
#                                            chat_template, tokenizer_json, gguf_tokenizer, gguf,
#                                            safetensors, infer_body, model_config
# Seeds are made anew: of the golden graphs (make_seeds), and for onnx_* the unpacked node tests, where they exist. What
# was found stays in build/fuzz/found/NAME/, the log in build/fuzz/NAME.log.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-300}
[ $# -gt 0 ] && shift
names=("$@")
cmake --preset fuzz >/dev/null
cmake --build build/fuzz -j "$(nproc)" --target fuzzers
if [ ${#names[@]} -eq 0 ]; then
  mapfile -t names < <(find build/fuzz -name '*_fuzz' -type f -perm -u+x -printf '%f\n' | sed 's/_fuzz$//' | sort)
fi
[ ${#names[@]} -gt 0 ] || { echo "fuzz: there is no tests/fuzz/*_fuzz.cc" >&2 && exit 1; }
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=allocator_may_return_null=1

seeds=build/fuzz/seeds
build/fuzz/tests/fuzz/make_seeds "$seeds" tests/graph/*.txt >build/fuzz/make_seeds.log
nodes=.cache/shared/onnx/node
mkdir -p "$seeds/onnx_wire"
if [ -d "$nodes" ]; then
  for test in "$nodes"/test_*; do cp -n "$test/model.onnx" "$seeds/onnx_wire/${test##*/}.onnx"; done
else
  echo "fuzz: there is no $nodes (make setup unpacks it): onnx_* start from nothing" >&2
fi
ln -sfn onnx_wire "$seeds/onnx_import"
mkdir -p "$seeds/chat_template" && cp tests/text/templates/*.jinja "$seeds/chat_template/"
python3 tests/fuzz/tokenizer_seeds.py "$seeds"
python3 tests/fuzz/weights_seeds.py "$seeds"
python3 tests/fuzz/serve_seeds.py "$seeds"

status=0
for name in "${names[@]}"; do
  corpus=build/fuzz/corpus/$name found=build/fuzz/found/$name
  mkdir -p "$corpus" "$found"
  echo "== $name, $seconds s"
  "build/fuzz/tests/fuzz/${name}_fuzz" "$corpus" "$seeds/$name/" -max_total_time="$seconds" -rss_limit_mb=4096 \
    -max_len=65536 -timeout=20 -print_funcs=0 -artifact_prefix="$found/" -print_final_stats=1 >"build/fuzz/$name.log" 2>&1 || status=1
  tail -n 12 "build/fuzz/$name.log"
done
exit $status
