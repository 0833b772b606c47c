#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""junit.py FILE SUITE CASE [FAILURE]: one result for tally.py, for steps that are shell commands."""
import sys

from run_tests import write_case  # beside this file

path, suite, name = sys.argv[1:4]
write_case(path, suite, name, 0.0, failure=sys.argv[4] if len(sys.argv) > 4 else None)
