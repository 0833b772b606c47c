# SPDX-License-Identifier: Apache-2.0
"""A skipped test says why in a form that scripts/tally.py can judge: data:, wheel: or hardware:."""
import re




def check(tree):
    problems = []
    for name in tree.under("src", "tests", "tools", "examples", ends=".cc"):
        text = tree.text(name)
        for match in re.finditer(r'GTEST_SKIP\(\)\s*(?:<<\s*(?:fmt::format\(\s*)?("[^"]*|\w+))?', text):
            reason = match.group(1) or ""
            literal = reason.startswith('"')
            if not reason or literal and not re.match(r'"(data|wheel|hardware): ', reason):
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{name}:{line}: a skip's reason begins with data:, wheel: or hardware:")
        # A program of its own ends with 77 behind the line that says why.
        for match in re.finditer(r'(?:printf\((".*)\n)?\s*return 77;', text):
            if not re.match(r'"(data|wheel|hardware): ', match.group(1) or ""):
                line = text.count("\n", 0, match.end()) + 1
                problems.append(f"{name}:{line}: 77 behind a line that begins with data:, wheel: or hardware:")
    return problems


GOOD = [{"src/a_test.cc": 'GTEST_SKIP() << "data: no x";\nGTEST_SKIP() << reason;\nGTEST_SKIP()\n  << fmt::format("wheel: {}", 1);',
         "tests/a.cc": 'std::printf("data: no %s\\n", x);\n    return 77;'}]
BAD = [{"src/a_test.cc": 'GTEST_SKIP() << "not now";'}, {"src/a_test.cc": "GTEST_SKIP();"},
       {"tests/a.cc": 'std::printf("SKIPPED: no %s", x);\n return 77;'}, {"tests/a.cc": "return 77;"},
       {"src/a_test.cc": 'GTEST_SKIP() << fmt::format("{}", 1);'}]
