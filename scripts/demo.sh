#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make demo`: builds narae_ocr, lets it compile the three OCR networks and read two pictures, checks what it read, and
# sets its times beside onnxruntime's; then asks a language model a question, and a server of three models by curl.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
results=build/results/demo
out=build/demo
models=.cache/models/ppocr
language_model=.cache/models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
encoder=.cache/models/minilm
threads=$(nproc)
repeat=5
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1  # other clones of this tree share the cache
rm -rf $results $out && mkdir -p $results $out
status=0

# note CASE [FAILURE]: one result for the closing line of .ci/run.
note() { python3 scripts/junit.py "$results/$1.xml" demo "$@" && [ $# -eq 1 ]; }

for folder in $models $(dirname $language_model) $encoder; do
  [ -f "$folder.absent" ] || continue
  echo "demo: $(cat "$folder.absent")" >&2
  note models "models are not there: $(cat "$folder.absent")"
  exit 1
done

echo "== building narae and narae_ocr"
if ! { cmake --preset release && cmake --build build/release -j "$threads" --target narae_ocr narae_command; } >$out/build.log 2>&1; then
  grep -E -A12 'error:|FAILED:|undefined reference' $out/build.log | head -60
  tail -3 $out/build.log
  note build "narae or narae_ocr does not build, see $out/build.log"
  exit 1
fi

for picture in page sign; do
  echo "== $picture.png"
  if ! build/release/examples/ocr/narae_ocr --models $models --threads "$threads" --repeat $repeat \
    --tsv $out/$picture.tsv examples/ocr/$picture.png $out/$picture.png; then
    note $picture "narae_ocr ended with an error" || status=1
  elif python3 examples/ocr/check_texts.py examples/ocr/$picture.expected.tsv $out/$picture.tsv | tee $out/$picture.check; then
    note $picture
  else
    note $picture "$(cat $out/$picture.check)" || status=1
  fi
done

if [ $status -eq 0 ]; then
  echo "== beside onnxruntime"
  if .venv/bin/python -c 'import onnxruntime' 2>/dev/null; then
    .venv/bin/python examples/ocr/beside_onnxruntime.py --models $models --threads "$threads" --repeat $repeat \
      $out/page.tsv $out/sign.tsv || note onnxruntime "timing onnxruntime failed" || status=1
  else
    echo "demo: no onnxruntime in .venv (make setup said why), so there is nothing to compare with"
  fi
  echo "pictures with boxes and texts: $out/page.png $out/sign.png"
fi
# A question to look at; then one whose every next token is beyond doubt.
echo "== SmolLM2-135M-Instruct: Why is the sky blue?"
echo '[{"role": "user", "content": "Why is the sky blue?"}]' >$out/question.json
if build/release/narae generate $language_model --chat $out/question.json --greedy --max-tokens 64 --threads "$threads"; then
  note question
else
  note question "narae generate ended with an error" || status=1
fi
counted=$(build/release/narae generate $language_model --prompt "1, 2, 3, 4, 5, 6," --greedy --max-tokens 24 \
  --threads "$threads" 2>/dev/null | head -1)
if [ "$counted" = " 7, 8, 9, 10, 11, 12, 13" ]; then
  echo "1, 2, 3, 4, 5, 6,$counted: as expected"
  note counting
else
  note counting "after 1, 2, 3, 4, 5, 6, came \"$counted\"" || status=1
fi
echo "== a server: KServe and OpenAI"
if scripts/demo_server.sh $out $models/ch_PP-OCRv4_det_infer.onnx $encoder $language_model "$threads"; then
  note server
else
  note server "the server did not answer as it should, see $out/server.log" || status=1
fi
exit $status
