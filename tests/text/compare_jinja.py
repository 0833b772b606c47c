# SPDX-License-Identifier: Apache-2.0
"""compare_jinja.py RENDER_TEMPLATES: every templates/*.jinja with every conversation, byte for byte what jinja2 gives
in an immutable sandbox set as for chat templates; and snippets that must be refused, or are beyond the limits.

Where jinja2 raises, Narae must give an Error; raise_exception's own words must be in it.
"""
import datetime
import json
import pathlib
import subprocess
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox

HERE = pathlib.Path(__file__).resolve().parent
NOW = 1753530000  # 26 Jul 2025


class Generation(jinja2.ext.Extension):
    """{% generation %} marks what a model has written; its body is rendered as it is."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_keep"), [], [], body).set_lineno(line)

    def _keep(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    made = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                                        extensions=[Generation, jinja2.ext.loopcontrols])
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = lambda form: datetime.datetime.fromtimestamp(NOW).strftime(form)
    return made


class Narae:
    def __init__(self, binary):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def render(self, source, context):
        line = json.dumps({"template": source, "context": context, "now": NOW})
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"render_templates died ({self.process.wait()}) at {source[:200]!r}")
        answer = json.loads(answer)
        return answer.get("text"), answer.get("error")


def reference(source, context):
    try:
        return environment().from_string(source).render(**context), None
    except Exception as error:  # whatever a template makes Python raise
        return None, str(error)


def compare(narae, name, source, context, problems):
    """1 where both gave text."""
    expected, error = reference(source, context)
    text, own_error = narae.render(source, context)
    if text != expected:
        problems.append(f"{name}\n  jinja2: {expected!r} {error}\n  narae:  {text!r} {own_error}")
    elif error and "raise_exception(" in source and error not in own_error and len(error) < 80 and "must" in error:
        problems.append(f"{name}: the template's own words are lost: {error!r} became {own_error!r}")
    return expected is not None


# Templates that must end in an Error which says so: source, a word of the error.
REFUSED = [
    ("{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}", "steps"),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "deep"),
    ("{% set ns = namespace(x='y') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}", "steps"),
    ("{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}", "nested"),
    ("{% set ns = namespace(x={}) %}{% for i in range(9999) %}{% set ns.x = {'a': ns.x.get} %}{% endfor %}", "nested"),
    ("{% set ns = namespace(x=[1]) %}{% for i in range(9999) %}{% for j in ns.x %}{% set ns.x = [loop] %}{% endfor %}{% endfor %}", "nested"),
    ("{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}", "holds itself"),
    ("{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == ns.x ~ '' or ns.x }}", "steps"),
    ("{{ 'x' * 1000000000000 }}", "large"), ("{{ 9223372036854775807 + 1 }}", "64 bits"), ("{{ range(9999999) }}", "range"),
    ("{{ 99999999999999999999 }}", "large"), ("{{ 1 // 0 }}", "zero"), ("{{ -9223372036854775807 - 1 // -1 }}", None),
    ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "deep"), ("{{ " + "not " * 5000 + "1 }}", "deep"),
    ("{{ " + "1 + " * 5000 + "1 }}", "deep"), ("{{ x" + ".y" * 5000 + " }}", "deep"), ("{{ x" + "|trim" * 5000 + " }}", "deep"),
    ("{% if 1 %}" * 5000, "deep"), ("{% for i in [1] %}", "not closed"), ("{{ 1", "not closed"), ("{% if 1 %}x", "not closed"),
    ("{# x", "not closed"), ("{% raw %}", "not closed"), ("{{ 'x }}", "not closed"), ("{{ ) }}", "closes nothing"),
    ("{% include 'x' %}", "include"), ("{% extends 'x' %}", "extends"), ("{% import 'x' as y %}", "import"),
    ("{{ x | nothing }}", "nothing"), ("{{ x is nothing }}", "nothing"), ("{{ 'x'.format(1) }}", "format"),
    ("{{ [1].append(2) }}", "append"), ("{{ ''.__class__ }}{{ ''.__class__() }}", "__class__"),
    ("{{ x.y.z }}", "undefined"), ("{{ nothing() }}", "undefined"), ("{% break %}", "loops only"), ("{{ 'a' + 1 }}", "'+'"),
    ("{% endif %}", "endif"), ("{{ 'a' if }}", "value"), ("{% set x.y.z = 1 %}", "expected"), ("{{ [1] | sort(what=1) }}", "what"),
    ("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "too many"), ("{% macro m(a) %}{% endmacro %}{{ m(z=2) }}", "z"),
    ("{{ raise_exception('no such turn') }}", "no such turn"), ("{{ 'a' < 1 }}", "'<'"), ("{{ strftime_now('%Y' * 500) }}", "format"),
]


def main():
    narae = Narae(sys.argv[1])
    conversations = json.loads((HERE / "conversations.json").read_text(encoding="utf-8"))
    sources = sorted((HERE / "templates").glob("*.jinja"))
    problems, rendered, total = [], {}, 0
    for path in sources:
        for name, context in conversations.items():
            context = {"bos_token": "<s>", "eos_token": "</s>", **context}
            source = path.read_text(encoding="utf-8")
            for ending in (source, source.rstrip("\n"), source.replace("\n", "\r\n")):
                total += 1
                rendered[path.stem] = rendered.get(path.stem, 0) + compare(narae, f"{path.stem} x {name}", ending, context, problems)
    problems += [f"{name}: jinja2 itself rendered no conversation" for name, count in rendered.items() if count == 0]
    for source, word in REFUSED:
        text, error = narae.render(source, {})
        if word and (error is None or word not in error):
            problems.append(f"not refused with '{word}': {source[:100]!r}: {str(text)[:100]!r} {error!r}")
    print("\n".join(problems))
    print(f"{len(sources)} templates, {total} renderings ({sum(rendered.values())} with text), {len(REFUSED)} refusals: {len(problems)} problems")
    return 1 if problems or len(sources) < 30 else 0


if __name__ == "__main__":
    sys.exit(main())
