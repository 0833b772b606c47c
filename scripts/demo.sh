#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make demo`: builds narae_ocr, lets it compile the three OCR networks and read two pictures, checks what it read, and
# sets its times beside onnxruntime's.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
results=build/results/demo
out=build/demo
models=.cache/models/ppocr
threads=$(nproc)
repeat=5
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1  # other clones of this tree share the cache
rm -rf $results $out && mkdir -p $results $out
status=0

# note CASE [FAILURE]: one result for the closing line of .ci/run.
note() { python3 scripts/junit.py "$results/$1.xml" demo "$@" && [ $# -eq 1 ]; }

if [ -f $models.absent ]; then
  echo "demo: $(cat $models.absent)" >&2
  note models "the OCR networks are not there: $(cat $models.absent)"
  exit 1
fi

echo "== building narae_ocr"
if ! { cmake --preset release && cmake --build build/release -j "$threads" --target narae_ocr; } >$out/build.log 2>&1; then
  grep -E -A12 'error:|FAILED:|undefined reference' $out/build.log | head -60
  tail -3 $out/build.log
  note build "narae_ocr does not build, see $out/build.log"
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
exit $status
