#!/usr/bin/env python3
"""Writes src/plan/functions/real_table.h: constants for the elementary functions, each a sum of two doubles.

    tools/real_table.py > src/plan/functions/real_table.h
"""
from decimal import Decimal, getcontext
from fractions import Fraction

getcontext().prec = 500


def arctan_inverse(n):
    """atan(1/n)"""
    total, power, k = Decimal(0), Decimal(1) / n, 0
    while abs(power) > Decimal(10) ** -495:
        total += power / (2 * k + 1) * (-1) ** k
        power /= n * n
        k += 1
    return total


PI = 4 * (4 * arctan_inverse(5) - arctan_inverse(239))


def parts(value, count):
    out, rest = [], Fraction(value)
    for _ in range(count):
        head = rest.numerator / rest.denominator if rest else 0.0
        out.append(head)
        rest -= Fraction(head)
    return out


def short(value, bits):
    """The value cut to so many significant bits."""
    fraction = Fraction(value)
    if fraction == 0:
        return 0.0
    scale = 0
    while abs(fraction) * Fraction(2) ** scale < 2 ** (bits - 1):
        scale += 1
    while abs(fraction) * Fraction(2) ** scale >= 2 ** bits:
        scale -= 1
    return float(Fraction(int(fraction * Fraction(2) ** scale)) / Fraction(2) ** scale)


def pair(value):
    high, low = parts(value, 2)
    return f"{{{high.hex()}, {low.hex()}}}"


print("/* Written by tools/real_table.py. A pair is a number as the sum of two doubles. */")
print("#ifndef WR_PLAN_FUNCTIONS_REAL_TABLE_H")
print("#define WR_PLAN_FUNCTIONS_REAL_TABLE_H\n")
print("#include <stdint.h>\n")
print("typedef struct wr_pair {\n    double high, low;\n} wr_pair;\n")

ln2 = Decimal(2).ln()
ln2_step = short(ln2 / 128, 32)
print("/* ln 2 / 128, the first part short enough to be multiplied by 2^21 without rounding. */")
print(f"static const double wr_ln2_step_high = {ln2_step.hex()};")
print(f"static const wr_pair wr_ln2_step_low = {pair(ln2 / 128 - Decimal(ln2_step))};")
print(f"static const double wr_steps_per_ln2 = {float(128 / ln2).hex()};")
ln2_high = short(ln2, 40)
print(f"static const double wr_ln2_high = {ln2_high.hex()};")
print(f"static const wr_pair wr_ln2_low = {pair(ln2 - Decimal(ln2_high))};")
print(f"static const wr_pair wr_inverse_ln10 = {pair(1 / Decimal(10).ln())};")
print(f"static const wr_pair wr_inverse_ln2 = {pair(1 / ln2)};")
print(f"static const wr_pair wr_half_pi = {pair(PI / 2)};")
print(f"static const wr_pair wr_pi = {pair(PI)};\n")

print("/* 2^(i/128) */")
print("static const wr_pair wr_exp_table[128] = {")
for i in range(128):
    print(f"    {pair((ln2 * i / 128).exp())},")
print("};\n")

print("/* For mantissas around 1 + (i + 1/2)/128, halved from WR_LOG_HALVED on: a short number near the inverse, and minus")
print(" * its logarithm. Both ends are 1 and 0, so that nothing cancels around one. */")
print("enum { WR_LOG_HALVED = 53 };")
print("typedef struct wr_log_entry {\n    double inverse;\n    wr_pair log;\n} wr_log_entry;\n")
print("static const wr_log_entry wr_log_table[128] = {")
for i in range(128):
    middle = Decimal(1) + (Decimal(i) + Decimal("0.5")) / 128
    middle = middle / 2 if i >= 53 else middle
    inverse = 1.0 if i in (0, 127) else round(float(1 / middle) * 512) / 512
    print(f"    {{{inverse.hex()}, {pair(-Decimal(inverse).ln())}}},")
print("};\n")

print("/* The bits of 2/pi behind the point, 64 a word. */")
words, rest = [], Fraction(2 / PI)
for _ in range(20):
    rest *= 2 ** 64
    word = int(rest)
    words.append(word)
    rest -= word
print("static const uint64_t wr_two_over_pi[20] = {")
for i in range(0, 20, 4):
    print("    " + " ".join(f"UINT64_C(0x{w:016x})," for w in words[i:i + 4]))
print("};\n")

print("/* 1/n! */")
print("static const wr_pair wr_inverse_factorial[28] = {")
factorial = 1
for n in range(28):
    factorial *= n or 1
    print(f"    {pair(Decimal(1) / factorial)},")
print("};\n\n#endif")
