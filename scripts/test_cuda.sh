#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make test-cuda`: the GPU backend compiled and linked where nvcc is, its tests run where a GPU is; elsewhere each part
# is skipped with the reason.
set -uo pipefail
cd "$(dirname "$0")/.."
results=build/results/test-cuda
rm -rf $results && mkdir -p $results
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
export PATH=$PATH:/usr/local/cuda/bin
skip() {
  echo "skipped: $1"
  python3 scripts/junit.py --skip $results/$2.xml cuda "$2" "hardware: $1"
  python3 scripts/tally.py $results
  exit 0
}
command -v nvcc >/dev/null || skip "nvcc is absent, so the GPU backend is not compiled" build
release=$(nvcc --version | sed -n 's/.*release \([0-9]*\).*/\1/p')
[ "${release:-0}" -ge 13 ] || skip "nvcc is of CUDA ${release:-?}, 13 is needed" build
targets=(narae_cuda cuda_test narae_command backend_test onnx_nodes)
[ -d src/kernels/cuda ] && targets+=(kernels_cuda_test)
if cmake --preset cuda >build/cuda-configure.log 2>&1 &&
  cmake --build build/cuda -j "$(nproc)" --target "${targets[@]}" >build/cuda-build.log 2>&1; then
  python3 scripts/junit.py $results/build.xml cuda build
else
  tail -20 build/cuda-configure.log
  grep -E -A12 'error:|FAILED:|undefined reference' build/cuda-build.log | head -80
  python3 scripts/junit.py $results/build.xml cuda build "the build failed"
  python3 scripts/tally.py $results
  exit 1
fi
status=0
# Registers, spills and shared memory of each kernel.
python3 scripts/gpu_resources.py build/cuda --results $results/resources.xml >build/cuda-resources.txt || status=1
tail -1 build/cuda-resources.txt
python3 scripts/run_tests.py build/cuda $results --prefix cuda --label gpu || status=1
python3 scripts/tally.py $results || status=1
exit $status
