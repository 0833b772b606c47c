#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# gpu.sh bundle | check | cnn | encoder | llm | all [--out DIR]: the GPU backend beside torch.compile on one machine.
# `bundle` packs what the other stages need into build/gpu-bundle.tar.gz on a machine without a GPU; unpacked on the GPU
# machine, which needs a driver and a python3 with torch, torchvision, transformers, onnx and onnxruntime, the stages run
# from there. A row that stands in DIR/rows.jsonl is not measured again.
set -euo pipefail
cd "$(dirname "$0")"
stage=${1:-all}
shift || true
out=results
[ "${1:-}" = --out ] && out=$2
if [ "$stage" = bundle ]; then
  cd ..
  folder=build/gpu-bundle
  rm -rf $folder && mkdir -p $folder/bin $folder/lib
  cp bench/gpu.sh bench/gpu_rows.py bench/gpu_llm.py $folder/
  for file in narae src/backend/cuda/libnarae_cuda.so src/backend/backend_test src/kernels/cuda/kernels_cuda_test; do
    [ -e build/cuda/$file ] && cp -L build/cuda/$file $folder/bin/ && strip $folder/bin/"$(basename $file)"
  done
  # Libraries of the system that another distribution may lack, or have in another version.
  ldd build/cuda/narae | awk '/fmt|utf8proc/ {print $3}' | xargs -I{} cp -L {} $folder/lib/
  tar czf $folder.tar.gz -C build gpu-bundle
  du -h $folder.tar.gz
  exit 0
fi
mkdir -p "$out"
export LD_LIBRARY_PATH=$PWD/lib
# The vendor's libraries lie in the folders of torch's wheels.
libs=$(python3 -c 'import glob, site; print(":".join(d for s in site.getsitepackages() for d in glob.glob(s + "/nvidia/*/lib")))')
run() { timeout 480 python3 gpu_rows.py "$1" --narae bin/narae --libs "$libs" --out "$out"; }
if [ "$stage" = check ] || [ "$stage" = all ]; then
  bin/narae devices --cuda-libs "$libs" --cache-dir "$out/cache"
  run check
fi
for one in cnn encoder; do
  if [ "$stage" = $one ] || [ "$stage" = all ]; then run $one; fi
done
if [ "$stage" = llm ] || [ "$stage" = all ]; then
  timeout 480 python3 gpu_llm.py --narae bin/narae --libs "$libs" --out "$out"
fi
