#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""junit.py [--skip] FILE SUITE CASE [TEXT]: one result for tally.py, for steps that are shell commands."""
import sys

from run_tests import write_case  # beside this file

skips = sys.argv[1] == "--skip"
path, suite, name, *text = sys.argv[1 + skips:]
write_case(path, suite, name, 0.0, **{"skipped" if skips else "failure": text[0] if text else None})
