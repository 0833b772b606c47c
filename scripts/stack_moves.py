#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Static check of hot loops: a multiply-accumulate loop must keep its tile in registers.

Disassembles kernel objects and looks at every innermost loop with vector multiply-accumulates: how many, how many
instructions each costs, and how many ymm/zmm registers go to or come from the stack, which must be none. (A compiler
that spills an accumulator tile costs up to 4x, and no test of numbers notices.)

  scripts/stack_moves.py BUILD [--results FILE] [--all]     kernel objects named brgemm*, block_gemm*, conv* and dwconv*
  scripts/stack_moves.py FILE.o ..                          these objects
"""
import argparse
import pathlib
import re
import subprocess
import sys

from run_tests import write_case  # beside this file

OBJECT = re.compile(r"^(brgemm|conv|dwconv|block_gemm)\w*\.cc\.o$")
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
INSTRUCTION = re.compile(r"^\s+([0-9a-f]+):\s+(\S+)\s*(.*)$")
MULTIPLY_ADD = re.compile(r"^(vfn?m(add|sub)\d+p[sd]|vpdpbusds?|vpdpwssds?|vdpbf16ps|vpmaddubsw)$")
VECTOR = re.compile(r"%[yz]mm")
STACK = re.compile(r"\(%rsp[,)]")
FRAME = re.compile(r"\(%rbp[,)]")


def parse(text):
    """{function: [(address, mnemonic, operands)]} of an objdump -d text."""
    functions, code = {}, None
    for line in text.splitlines():
        if match := FUNCTION.match(line):
            code = functions.setdefault(match.group(1), [])
        elif code is not None and (match := INSTRUCTION.match(line)):
            code.append((int(match.group(1), 16), match.group(2), match.group(3)))
    return functions


def innermost_loops(code):
    """(first, last) indices of loops that contain no other: a jump back to an address in the same function."""
    place = {address: index for index, (address, _, _) in enumerate(code)}
    loops = set()
    for index, (_, mnemonic, operands) in enumerate(code):
        if mnemonic.startswith("j") and (target := re.match(r"([0-9a-f]+)\b", operands)):
            first = place.get(int(target.group(1), 16))
            if first is not None and first <= index:
                loops.add((first, index))
    return sorted(loop for loop in loops
                  if not any(other != loop and loop[0] <= other[0] and other[1] <= loop[1] for other in loops))


def hot_loops(code):
    """(multiply-accumulates, instructions, stack moves as text) of each innermost loop that multiplies and adds."""
    framed = any(mnemonic == "mov" and operands == "%rsp,%rbp" for _, mnemonic, operands in code)
    for first, last in innermost_loops(code):
        body = code[first:last + 1]
        accumulate = [i for i in body if MULTIPLY_ADD.match(i[1]) and VECTOR.search(i[2])]
        if not accumulate:
            continue
        moves = [f"{address:x}: {mnemonic} {operands}" for address, mnemonic, operands in body
                 if VECTOR.search(operands) and (STACK.search(operands) or framed and FRAME.search(operands))]
        yield len(accumulate), len(body), moves


def disassemble(path):
    return subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-C", str(path)], check=True, capture_output=True,
                          text=True).stdout


def examine(path, show_all):
    """(number of hot loops, problems) of one object."""
    count, problems = 0, []
    for function, code in parse(disassemble(path)).items():
        for accumulate, instructions, moves in hot_loops(code):
            count += 1
            if show_all:
                print(f"  {path.name} {function[:90]}: {accumulate} multiply-accumulates, "
                      f"{instructions / accumulate:.2f} instructions each, {len(moves)} stack moves")
            if moves:
                problems.append(f"{path.name} {function}: {len(moves)} stack moves in a loop of {accumulate} "
                                f"multiply-accumulates, such as {moves[0]}")
    return count, problems


LOOP = """0000000000000000 <kernel>:
   0:\tvxorps %zmm0,%zmm0,%zmm0
   8:\tvmovaps (%rsi),%zmm1
   10:\tvfmadd231ps (%rdi){1to16},%zmm1,%zmm0
   18:\tSPILL
   20:\tadd    $0x40,%rsi
   28:\tcmp    %rdx,%rsi
   30:\tjne    8 <kernel+0x8>
   38:\tvmovaps %zmm0,0x40(%rsp)
   40:\tret
"""


def self_test():
    """The check must see a planted spill, and must not take a store after the loop for one."""
    def moves(text):
        return [len(found) for _, _, found in hot_loops(parse(text)["kernel"])]

    cases = [(LOOP.replace("SPILL", "nop"), [0]), (LOOP.replace("SPILL", "vmovaps %zmm0,0x40(%rsp)"), [1]),
             (LOOP.replace("SPILL", "vfmadd231ps 0x80(%rsp),%zmm1,%zmm0"), [1]),
             (LOOP.replace("SPILL", "mov 0x80(%rsp),%rax"), [0]), (LOOP.replace("SPILL", "vmovups 0x20(%rbp),%ymm3"), [0]),
             (LOOP.replace("vxorps %zmm0,%zmm0,%zmm0", "mov    %rsp,%rbp").replace("SPILL", "vmovups 0x20(%rbp),%ymm3"), [1]),
             (LOOP.replace("jne    8 ", "jne    38 "), [])]
    return [f"case {n}: {moves(text)} instead of {want}" for n, (text, want) in enumerate(cases) if moves(text) != want]


def objects_of(paths):
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*.o") if OBJECT.match(p.name) and "kernels" in str(p))
        else:
            yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    parser.add_argument("--results", type=pathlib.Path, help="JUnit file")
    parser.add_argument("--all", action="store_true", help="print every hot loop")
    args = parser.parse_args()
    loops, problems = 0, self_test()
    for path in objects_of(args.paths):
        count, found = examine(path, args.all)
        loops += count
        problems += found
    if loops == 0 and list(pathlib.Path("src/kernels/cpu").glob("brgemm*_avx*.cc")):
        problems.append("no hot loop found: are the kernel objects built?")
    print(f"stack_moves: {loops} hot loops, {len(problems)} problems")
    for problem in problems:
        print("  " + problem)
    if args.results:
        write_case(args.results, "gates", "stack_moves", 0.0, failure="\n".join(problems) if problems else None)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
