#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make golden`: references from other runtimes, in an environment of its own (.cache/golden), so that torch never
# enters the one that the tests use. Runs the tests/golden/make*.py, which write beside themselves;
# arguments name cases of make.py, which then runs alone.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.cache/golden
[ -x $venv/bin/python ] || python3 -m venv $venv
$venv/bin/python -m pip install -q --disable-pip-version-check -r tests/golden/requirements.txt
$venv/bin/python tests/golden/make.py "$@"
[ $# -eq 0 ] || exit 0
for script in tests/golden/make_*.py; do $venv/bin/python "$script"; done
