# SPDX-License-Identifier: Apache-2.0
"""Arrows: a room includes only headers of rooms it links (and theirs), as its CMakeLists.txt says and
docs/architecture.md section 2 allows; no cycle of rooms or of headers. kernels/ sees plain headers of tensor/ only.
tools/ stands on load, examples/ and include/ on the public headers alone."""
import re

from tree import CPP, is_test

ROOM = re.compile(r"narae_room\(\s*(\w+)([^)]*)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
ARROW = re.compile(r"^  (\w+)/ .*->\s*(.+)$", re.M)
ARCHITECTURE = "docs/architecture.md"


def rooms_of(tree):
    """{room: {"DEPS": [..], "TEST_DEPS": [..]}} from src/*/CMakeLists.txt."""
    rooms = {}
    for name in tree.under("src", ends="CMakeLists.txt"):
        for room, rest in ROOM.findall(re.sub(r"#.*", "", tree.text(name))):
            lists, key = {"DEPS": [], "TEST_DEPS": []}, None
            for word in rest.split():
                if word.isupper():  # a keyword: DEPS, or one that names no rooms
                    key = word
                    lists.setdefault(word, [])
                elif key:
                    lists[key].append(word)
            rooms[room] = lists
    return rooms


def closure(start, arrows):
    seen, todo = set(), list(start)
    while todo:
        room = todo.pop()
        if room not in seen:
            seen.add(room)
            todo += arrows.get(room, [])
    return seen


def cycle_in(arrows):
    """One cycle as a list, or None."""
    state, path = {}, []

    def visit(node):
        state[node] = 1
        path.append(node)
        for other in arrows.get(node, []):
            if state.get(other) == 1:
                return path[path.index(other):] + [other]
            if other not in state and (found := visit(other)):
                return found
        path.pop()
        state[node] = 2
        return None

    for node in list(arrows):
        if node not in state and (found := visit(node)):
            return found
    return None


def documented_arrows(tree):
    if not tree.is_file(ARCHITECTURE):
        return None
    arrows = {room: re.findall(r"\w+", re.sub(r"\([^)]*\)", "", rest)) for room, rest in ARROW.findall(tree.text(ARCHITECTURE))}
    return {room: [word for word in words if word in arrows] for room, words in arrows.items()}


def check_links(rooms, documented):
    arrows = {room: lists["DEPS"] for room, lists in rooms.items()}
    problems = []
    if found := cycle_in(arrows):
        problems.append("rooms form a cycle: " + " -> ".join(found))
    for room, deps in arrows.items():
        for dep in deps:
            if dep not in rooms:
                problems.append(f"src/{room} links {dep}, which is no room")
            elif documented is not None and dep not in closure(documented.get(room, []), documented):
                problems.append(f"src/{room} links {dep}: {ARCHITECTURE} section 2 has no such arrow")
    return problems


def source_includes(tree, name):
    """(line, quote, header) for each #include of a file."""
    text = tree.text(name)
    return [(text.count("\n", 0, m.start(2)) + 1, m.group(1), m.group(2)) for m in INCLUDE.finditer(text)]


def plain_headers(tree):
    """Headers of tensor/ that include no header of src/ but other plain ones: data that a kernel may see."""
    wanted = {name: [h for _, quote, h in source_includes(tree, name) if quote == '"']
              for name in tree.under("src/tensor", ends=".h")}
    plain = set(wanted)
    while True:
        worse = {name for name in plain if any("src/" + header not in plain for header in wanted[name])}
        if not worse:
            return plain
        plain -= worse


def allowed_rooms(name, rooms, arrows, documented):
    """Rooms whose headers this file may include; None: any."""
    top = name.split("/")[0]
    if top == "src":
        room = name.split("/")[1]
        lists = rooms.get(room, {"DEPS": [], "TEST_DEPS": []})
        start = [room] + lists["DEPS"] + (lists["TEST_DEPS"] if is_test(name) else [])
        return closure(start, arrows)
    if top == "tools":
        return closure(["load", "server"], documented or arrows)
    if top in ("examples", "include"):
        return set()
    return None


def check_include(tree, name, header, rooms, arrows, documented, plain):
    """A problem with one quoted #include of `name`, or None."""
    beside = "/".join(name.split("/")[:-1] + [header])
    room = header.split("/")[0]
    if "/" not in header or room not in rooms:
        if header.startswith("narae/"):
            return None if not name.startswith("src/") or name.startswith("src/api/") else "only api/ includes public headers"
        if name.startswith("src/"):
            return "headers of src/ are included by their path from src/" if tree.is_file(beside) else "no room has it"
        return None
    if not tree.is_file("src/" + header):
        return "no such file"
    allowed = allowed_rooms(name, rooms, arrows, documented)
    if allowed is not None and room not in allowed:
        return f"room {room} is not linked here"
    if name.startswith("src/kernels/") and not is_test(name) and room != "kernels" and "src/" + header not in plain:
        return "kernels see plain headers of tensor/ only"
    return None


def check(tree):
    rooms = rooms_of(tree)
    arrows = {room: lists["DEPS"] for room, lists in rooms.items()}
    documented = documented_arrows(tree)
    problems = check_links(rooms, documented)
    plain = plain_headers(tree)
    headers = {}
    for name in tree.under("src", "include", "tools", "examples", "tests", "bench", ends=CPP + (".inc",)):
        for line, quote, header in source_includes(tree, name):
            if quote == '"' and (problem := check_include(tree, name, header, rooms, arrows, documented, plain)):
                problems.append(f'{name}:{line}: #include "{header}": {problem}')
            if name.startswith("src/") and tree.is_file("src/" + header):
                headers.setdefault(name, []).append("src/" + header)
    if found := cycle_in(headers):
        problems.append("headers form a cycle: " + " -> ".join(found))
    return problems


BASE = {"src/base/CMakeLists.txt": "narae_room(base)\n", "src/base/error.h": "#pragma once\n",
        "src/tensor/CMakeLists.txt": "narae_room(tensor DEPS base)\n", "src/tensor/formats.h": "",
        "src/tensor/tensor.h": '#include "base/error.h"\n',
        "src/kernels/CMakeLists.txt": "narae_room(kernels DEPS tensor)\n",
        "src/kernels/add.cc": '#include "tensor/formats.h"\n'}
GOOD = [BASE, BASE | {"src/kernels/CMakeLists.txt": "narae_room(kernels DEPS tensor TEST_CASES ops)\n"}, BASE | {"src/base/base_test.cc": '#include "base/error.h"\n',
                      ARCHITECTURE: "  base/  x -> nothing\n  tensor/  y -> base\n  kernels/  k -> tensor's data\n"}]
BAD = [BASE | {"src/base/up.cc": '#include "tensor/tensor.h"\n'},
       BASE | {"src/base/CMakeLists.txt": "narae_room(base\n  DEPS tensor)\n"},
       BASE | {"src/kernels/sub.cc": '#include "tensor/tensor.h"\n'},
       BASE | {"src/kernels/sub.cc": '#include "base/error.h"\n'},
       BASE | {"src/base/error.h": '#include "base/a.h"\n', "src/base/a.h": '#include "base/error.h"\n'},
       BASE | {"src/base/b.cc": '#include "error.h"\n'},
       BASE | {"src/base/b.cc": '#include "base/gone.h"\n'},
       BASE | {"examples/a.cc": '#include "base/error.h"\n'},
       BASE | {"include/narae/narae.h": '#include "tensor/tensor.h"\n'},
       BASE | {"tools/main.cc": '#include "base/error.h"\n'},
       BASE | {ARCHITECTURE: "  base/  x -> nothing\n  tensor/  y -> nothing\n  kernels/  k -> tensor\n"}]
