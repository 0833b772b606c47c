# SPDX-License-Identifier: Apache-2.0
"""Files of at most 500 lines (kernels and tests 700), functions of at most 60 (kernels 150, tests 100)."""
import re

from tree import CPP, is_test

# A literal, a comment or a preprocessor line (with its continuations), each replaced by blanks of equal line count.
NOISE = re.compile(r'R"(?P<d>[^(\s]*)\((?:.|\n)*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''
                   r"|//[^\n]*|/\*(?:.|\n)*?\*/|^[ \t]*#(?:\\\n|[^\n])*", re.M)


def blank(match):
    return " " + "\n" * match.group(0).count("\n")


def kind_of(head, before):
    """What a brace opens, told by the text since the last brace or semicolon; `before`: what the last brace closed."""
    head = head.strip()
    if before == "function" and (head == "" or head.startswith(",")):
        return "function"  # constructor: members initialised with braces, then the body
    if re.search(r"\bnamespace\b|^extern\s*$", head):
        return "scope"
    if re.search(r"=\s*$|\breturn\s*$", head):
        return "data"
    if re.match(r"(template\s*<.*>\s*)?(typedef\s+)?(class|struct|union|enum)\b", head, re.S):
        function = re.search(r"\)\s*(const|noexcept|override|final)*\s*$", head) and not re.search(r"\balignas\b", head)
        return "function" if function else "scope"
    return "function" if ")" in head else "data"


def functions(text):
    """(first line, last line, name) of each function body that is not inside another."""
    text = NOISE.sub(blank, text)
    stack, found, head_start, before, line = [], [], 0, "", 1
    for match in re.finditer(r"[{};\n]", text):
        sign = match.group(0)
        if sign == "\n":
            line += 1
        elif sign == "{":
            inside = any(kind != "scope" for kind, _, _ in stack)
            head = text[head_start:match.start()]
            kind = "inner" if inside else kind_of(head, before)
            stack.append((kind, line - head.lstrip().count("\n"), head))
            head_start, before = match.end(), ""
        elif sign == "}" and stack:
            kind, start, head = stack.pop()
            if kind == "function":
                name = re.search(r"([\w~:]+)\s*\(", head)
                found.append((start, line, name.group(1) if name else head.strip()))
            head_start, before = match.end(), kind
        elif sign == ";" and text[head_start:match.start()].count("(") <= text[head_start:match.start()].count(")"):
            head_start, before = match.end(), ""
    return found


def check(tree):
    problems = []
    for name in tree.under("src", "include", "tools", "tests", "examples", "bench", "scripts", "cmake",
                           ends=CPP + (".inc", ".py", ".sh", ".cmake")):
        text = tree.text(name)
        kernel, test = name.startswith("src/kernels/"), is_test(name)
        lines, limit = text.count("\n"), 700 if kernel or test else 500
        if lines > limit:
            problems.append(f"{name}: {lines} lines, at most {limit}")
        if name.endswith(CPP):
            limit = 150 if kernel else 100 if test else 60
            problems += [f"{name}:{start}: {what}() has {end - start + 1} lines, at most {limit}"
                         for start, end, what in functions(text) if end - start + 1 > limit]
    return problems


def body(lines):
    return "  x();\n" * (lines - 2)


GOOD = [{"src/a/a.cc": "namespace n {\nvoid f() {\n" + body(60) + "}\n}\n"},
        {"src/kernels/a.cc": "void f() {\n" + body(150) + "}\n" + "int x;\n" * 540},
        {"src/a/a.cc": "const int table[] = {\n" + "1,\n" * 100 + "};\n"},
        {"src/a/a.cc": 'namespace {\nclass A {\n' + "  void f() { g(\"{\", '{'); }  // {\n" * 80 + "};\n}\n"}]
BAD = [{"src/a/a.cc": "int x;\n" * 501}, {"src/kernels/a.cc": "int x;\n" * 701}, {"tools/a.py": "x = 1\n" * 501},
       {"src/a/a.cc": "namespace n {\nvoid f() {\n" + body(61) + "}\n}\n"},
       {"src/a/a.cc": "struct A {\n  A() : a_{1}, b_{2} {\n" + body(61) + "  }\n};\n"},
       {"src/a/a.cc": "Foo::Foo(int a)\n    : a_(a) {\n" + body(60) + "}\n"},
       {"src/a/a_test.cc": "TEST(A, B) {\n" + body(101) + "}\n"},
       {"src/kernels/a.cc": "template <int N>\nstruct B f(struct C c) {\n" + body(151) + "}\n"}]
