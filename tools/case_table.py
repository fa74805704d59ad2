#!/usr/bin/env python3
"""Writes src/plan/functions/case_table.h out of Unicode's UnicodeData.txt (Debian: unicode-data).

    tools/case_table.py /usr/share/unicode/UnicodeData.txt > src/plan/functions/case_table.h

A row stands for the characters first, first + step, ... last, whose counterpart is as far away for all of them. Only
simple mappings are in it, one character to one; as an exception the small sharp s has its capital, which Unicode gives
the other way round alone.
"""
import sys


def rows(mapping):
    out = []
    for point in sorted(mapping):
        delta = mapping[point] - point
        if out and out[-1][3] == delta and point - out[-1][1] in (1, 2):
            first, last, step, _ = out[-1]
            gap = point - last
            if step in (0, gap):
                out[-1] = (first, point, gap, delta)
                continue
        out.append((point, point, 0, delta))
    return out


def table(name, mapping):
    print(f"static const wr_case_range {name}[] = {{")
    for first, last, step, delta in rows(mapping):
        print(f"    {{0x{first:x}, 0x{last:x}, {step or 1}, {delta}}},")
    print("};")


upper, lower = {0xDF: 0x1E9E}, {}
for line in open(sys.argv[1], encoding="ascii"):
    fields = line.split(";")
    point = int(fields[0], 16)
    if point < 0x80:
        continue
    if fields[12]:
        upper[point] = int(fields[12], 16)
    if fields[13]:
        lower[point] = int(fields[13], 16)

print("/* Written by tools/case_table.py: the simple case mappings of Unicode beyond ASCII. */")
print("#ifndef WR_PLAN_FUNCTIONS_CASE_TABLE_H")
print("#define WR_PLAN_FUNCTIONS_CASE_TABLE_H\n")
print("#include <stdint.h>\n")
print("typedef struct wr_case_range {")
print("    uint32_t first, last, step;")
print("    int32_t delta;")
print("} wr_case_range;\n")
table("wr_upper_ranges", upper)
print()
table("wr_lower_ranges", lower)
print("\n#endif")
