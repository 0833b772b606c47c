# SPDX-License-Identifier: Apache-2.0
"""The files a gate looks at: the checkout (tracked and new, not ignored) or a folder made for a self-test."""
import pathlib
import subprocess


class Skip(Exception):
    """The gate cannot be applied here; its text begins with data:, wheel: or hardware: (scripts/tally.py)."""


class Tree:
    def __init__(self, root, git=True):
        self.root = pathlib.Path(root)
        if git:
            out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=self.root, check=True,
                                 capture_output=True).stdout.decode()
            names = [name for name in out.split("\0") if name]
        else:
            names = [str(path.relative_to(self.root)) for path in self.root.rglob("*")]
        self.names = sorted(name for name in set(names) if (self.root / name).is_file())

    def under(self, *folders, ends=None):
        """Names below one of the folders, with one of the given endings."""
        return [name for name in self.names
                if (not folders or any(name.startswith(folder + "/") for folder in folders))
                and (ends is None or name.endswith(ends))]

    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def bytes(self, name):
        return (self.root / name).read_bytes()

    def is_file(self, name):
        return (self.root / name).is_file()

    def is_folder(self, name):
        return (self.root / name).is_dir()


CPP = (".cc", ".h", ".hpp", ".c")


def is_test(name):
    return name.startswith("tests/") or name.endswith(("_test.cc", "_cases.cc", "_fuzz.cc"))
