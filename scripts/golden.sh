#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make golden`: references from other runtimes, in an environment of its own (.cache/golden), so that torch never
# enters the one that the tests use. Runs tests/golden/make.py, which writes beside itself.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.cache/golden
[ -x $venv/bin/python ] || python3 -m venv $venv
$venv/bin/python -m pip install -q --disable-pip-version-check -r tests/golden/requirements.txt
exec $venv/bin/python tests/golden/make.py "$@"
