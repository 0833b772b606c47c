#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make bench`: installs the rivals, builds the release and hands over to bench/bench.py (docs/results/ takes the rest).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh bench
cmake --preset release >/dev/null
cmake --build build/release -j "$(nproc)" --target narae_command libnarae.so
exec .venv/bin/python bench/bench.py "$@"
