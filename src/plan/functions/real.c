/* Elementary functions in pairs of doubles; see real.h.
 *
 * exp: x = k ln2/128 + r; 2^(k/128) is a table and a shift, and exp(r) a short series whose first term alone needs a
 * pair. log: the mantissa times a short number c near its inverse is 1 + r, exactly; log = e ln2 - log c + log(1 + r).
 * pow goes through both. sin and cos reduce by as many bits of 2/pi as the argument's size asks for (Payne and Hanek),
 * then sum their series in pairs; atan is two steps of a fifth-order iteration on them. */
#include "plan/functions/real.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "plan/functions/real_table.h"

/* ---- pairs ---- */

static inline wr_pair fast_sum(double a, double b) { /* |a| >= |b| */
    double sum = a + b;
    return (wr_pair){sum, b - (sum - a)};
}

static inline wr_pair sum_of(double a, double b) {
    double sum = a + b, part = sum - a;
    return (wr_pair){sum, (a - (sum - part)) + (b - part)};
}

/* Veltkamp's split into halves of 26 and 27 bits, and Dekker's product. */
static inline wr_pair product_of(double a, double b) {
    const double splitter = 134217729; /* 2^27 + 1 */
    double a_big = splitter * a, b_big = splitter * b;
    double a_high = a_big - (a_big - a), b_high = b_big - (b_big - b);
    double a_low = a - a_high, b_low = b - b_high, product = a * b;
    return (wr_pair){product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

static inline wr_pair pair_of(double a) {
    return (wr_pair){a, 0};
}
static inline wr_pair pair_add(wr_pair a, wr_pair b) {
    wr_pair high = sum_of(a.high, b.high), low = sum_of(a.low, b.low);
    high = fast_sum(high.high, high.low + low.high);
    return fast_sum(high.high, high.low + low.low);
}
static inline wr_pair pair_negate(wr_pair a) {
    return (wr_pair){-a.high, -a.low};
}
static inline wr_pair pair_multiply(wr_pair a, wr_pair b) {
    wr_pair p = product_of(a.high, b.high);
    return fast_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}
static inline wr_pair pair_scale(wr_pair a, double by) { /* by a power of two */
    return (wr_pair){a.high * by, a.low * by};
}
static inline wr_pair pair_divide(wr_pair a, wr_pair b) {
    double first = a.high / b.high;
    wr_pair rest = pair_add(a, pair_negate(pair_multiply(pair_of(first), b)));
    double second = rest.high / b.high;
    rest = pair_add(rest, pair_negate(pair_multiply(pair_of(second), b)));
    return pair_add(fast_sum(first, second), pair_of(rest.high / b.high));
}
static inline wr_pair pair_root(wr_pair a) {
    if (a.high <= 0) return pair_of(0);
    double root = sqrt(a.high);
    wr_pair rest = pair_add(a, pair_negate(product_of(root, root)));
    return fast_sum(root, rest.high / (2 * root));
}
static inline double rounded(wr_pair a) {
    return a.high + a.low;
}

/* ---- exp ---- */

/* exp(x) as a pair and a power of two; |x| is below 800. */
static wr_pair exp_parts(wr_pair x, int *exponent) {
    double k = rint(x.high * wr_steps_per_ln2);
    wr_pair r = sum_of(x.high, -k * wr_ln2_step_high);
    wr_pair low = product_of(k, wr_ln2_step_low.high);
    r = pair_add(r, (wr_pair){-low.high, x.low - low.low - k * wr_ln2_step_low.low});
    double h = r.high;
    double tail = h * h * (0.5 + h * (1.0 / 6 + h * (1.0 / 24 + h * (1.0 / 120 + h * (1.0 / 720)))));
    wr_pair s = sum_of(r.high, tail + r.low); /* exp(r) - 1; its square's rounding is below 2^-70 */
    int whole = (int)k;
    wr_pair power = wr_exp_table[whole & 127];
    wr_pair grown = product_of(power.high, s.high);
    wr_pair result = fast_sum(power.high, grown.high);
    result.low += grown.low + power.low + power.high * s.low + power.low * s.high;
    *exponent = (whole - (whole & 127)) / 128;
    return fast_sum(result.high, result.low);
}

static double exp_of_pair(wr_pair x) {
    if (x.high > 709.8) return HUGE_VAL;
    if (x.high < -745.2) return 0;
    int exponent;
    wr_pair result = exp_parts(x, &exponent);
    /* A subnormal result must be rounded once: its lost bits are brought down before. */
    if (exponent >= -1020) return scalbn(rounded(result), exponent);
    double unit = scalbn(1, -1074 - exponent);
    wr_pair shifted = sum_of(result.high, unit * 6755399441055744.0); /* 1.5 * 2^52 units */
    double whole = shifted.high - unit * 6755399441055744.0, rest = shifted.low + result.low;
    if (rest > unit / 2 || (rest == unit / 2 && fmod(whole / unit, 2) != 0)) whole += unit;
    if (rest < -unit / 2 || (rest == -unit / 2 && fmod(whole / unit, 2) != 0)) whole -= unit;
    return scalbn(whole, exponent);
}

double wr_real_exp(double x) {
    if (x != x) return x;
    if (x == 0) return 1;
    return exp_of_pair(pair_of(x));
}

/* ---- log ---- */

/* Of a positive, finite number. */
static wr_pair log_of(double x) {
    int exponent;
    double m = frexp(x, &exponent) * 2; /* 1 <= m < 2 */
    exponent--;
    int index = (int)((m - 1) * 128);
    if (index >= WR_LOG_HALVED) {
        m *= 0.5;
        exponent++;
    }
    const wr_log_entry *entry = &wr_log_table[index];
    wr_pair p = product_of(m, entry->inverse);
    wr_pair r = sum_of(p.high - 1, p.low);
    double h = r.high;
    double tail =
        h * h * h *
        (1.0 / 3 - h * (1.0 / 4 - h * (1.0 / 5 - h * (1.0 / 6 - h * (1.0 / 7 - h * (1.0 / 8 - h * (1.0 / 9)))))));
    wr_pair square = product_of(h, h);
    square.low += 2 * h * r.low;
    wr_pair result = pair_add(r, (wr_pair){-0.5 * square.high, -0.5 * square.low});
    result = pair_add(result, pair_of(tail));
    if (exponent == 0 && entry->inverse == 1) return result;
    result = pair_add(entry->log, result);
    wr_pair low = pair_multiply(pair_of(exponent), wr_ln2_low);
    return pair_add(pair_of(exponent * wr_ln2_high), pair_add(low, result));
}

/* What all logarithms say of numbers that have none: true when *out is the answer. */
static bool log_special(double x, double *out) {
    if (x > 0 && x < HUGE_VAL) return false;
    *out = x == 0 ? -HUGE_VAL : x > 0 || x != x ? x : NAN;
    return true;
}

double wr_real_log(double x) {
    double special;
    return log_special(x, &special) ? special : rounded(log_of(x));
}
double wr_real_log2(double x) {
    double special;
    return log_special(x, &special) ? special : rounded(pair_multiply(log_of(x), wr_inverse_ln2));
}
double wr_real_log10(double x) {
    double special;
    return log_special(x, &special) ? special : rounded(pair_multiply(log_of(x), wr_inverse_ln10));
}

/* ---- pow ---- */

static bool is_integer(double y) {
    return y == rint(y);
}
static bool is_odd(double y) {
    return is_integer(y) && fabs(y) < 0x1p53 && fmod(fabs(y), 2) == 1;
}

/* Zero, infinite and NaN arguments; true when *out is the answer. */
static bool pow_special(double x, double y, double *out) {
    if (y == 0 || x == 1) {
        *out = 1;
    } else if (x != x || y != y) {
        *out = x + y;
    } else if (isinf(y)) {
        double size = fabs(x);
        *out = size == 1 ? 1 : (size > 1) == (y > 0) ? HUGE_VAL : 0;
    } else if (x == 0 || isinf(x)) {
        double size = (x == 0) == (y > 0) ? 0 : HUGE_VAL;
        *out = is_odd(y) ? copysign(size, x) : size;
    } else {
        return false;
    }
    return true;
}

double wr_real_pow(double x, double y) {
    double special;
    if (pow_special(x, y, &special)) return special;
    if (x < 0 && !is_integer(y)) return NAN;
    double sign = x < 0 && is_odd(y) ? -1 : 1;
    if (fabs(y) > 0x1p70) return sign * (x == -1 ? 1 : (fabs(x) > 1) == (y > 0) ? HUGE_VAL : 0);
    wr_pair exponent = pair_multiply(log_of(fabs(x)), pair_of(y));
    return sign * exp_of_pair(exponent);
}

double wr_real_cbrt(double x) {
    if (x == 0 || x != x || isinf(x)) return x;
    int exponent;
    wr_pair root = exp_parts(pair_divide(log_of(fabs(x)), pair_of(3)), &exponent);
    double near = scalbn(rounded(root), exponent);
    /* One Newton step: x - near^3 exactly enough. */
    wr_pair cube = pair_multiply(product_of(near, near), pair_of(near));
    near += (fabs(x) - cube.high - cube.low) / (3 * near * near);
    return copysign(near, x);
}

/* ---- sin and cos ---- */

/* Bits [first, first + 64) of 2/pi behind the point. */
static uint64_t two_over_pi_bits(int first) {
    int word = first >> 6, shift = first & 63;
    uint64_t high = wr_two_over_pi[word], low = wr_two_over_pi[word + 1];
    return shift ? high << shift | low >> (64 - shift) : high;
}

/* The top 106 bits of a number of four words (highest first) as a pair, below one. */
static wr_pair pair_of_words(const uint64_t w[4]) {
    wr_pair sum = {0, 0};
    double unit = 0x1p-32;
    int used = 0;
    for (int i = 0; i < 8 && used < 5; i++, unit *= 0x1p-32) {
        uint32_t half = (uint32_t)(i % 2 ? w[i / 2] : w[i / 2] >> 32);
        sum = pair_add(sum, pair_of(half * unit));
        used += used || half;
    }
    return sum;
}

/* |x| = quadrant * pi/2 + *r, |*r| <= pi/4; x is finite and at least pi/4. */
static unsigned reduce(double x, wr_pair *r) {
    int exponent;
    uint64_t mantissa = (uint64_t)scalbn(frexp(x, &exponent), 53);
    exponent -= 53;
    int skip = exponent > 2 ? exponent - 2 : 0;
    /* mantissa times 256 bits of 2/pi: five words, lowest first. */
    uint64_t product[5];
    unsigned __int128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (unsigned __int128)mantissa * two_over_pi_bits(skip + (3 - i) * 64);
        product[i] = (uint64_t)carry;
        carry >>= 64;
    }
    product[4] = (uint64_t)carry;
    int point = 256 - (exponent - skip); /* bit where the whole part begins */
    unsigned quadrant = 0;
    uint64_t fraction[4];
    for (int i = 0; i < 4; i++) {
        /* 64 bits below bit `top`. */
        int top = point - i * 64, low = top - 64;
        uint64_t word = 0;
        for (int k = 0; k < 2; k++) {
            int at = (low >> 6) + k, shift = low & 63;
            uint64_t value = at >= 0 && at < 5 ? product[at] : 0;
            word |= k == 0 ? value >> shift : shift ? value << (64 - shift) : 0;
        }
        fraction[i] = word;
    }
    for (int k = 1; k >= 0; k--) {
        int bit = point + k;
        quadrant = quadrant << 1 | (bit < 320 ? (unsigned)(product[bit >> 6] >> (bit & 63)) & 1 : 0);
    }
    bool negative = fraction[0] >> 63;
    if (negative) {
        quadrant++;
        unsigned borrow = 1;
        for (int i = 3; i >= 0; i--) {
            fraction[i] = ~fraction[i] + borrow;
            borrow = borrow && fraction[i] == 0;
        }
    }
    *r = pair_multiply(pair_of_words(fraction), wr_half_pi);
    if (negative) *r = pair_negate(*r);
    return quadrant & 3;
}

/* x - x^3/3! + ... or 1 - x^2/2! + ..., |x| <= pi/4. */
static wr_pair series(wr_pair x, bool odd) {
    wr_pair square = pair_negate(pair_multiply(x, x));
    int n = odd ? 27 : 26;
    wr_pair sum = wr_inverse_factorial[n];
    for (n -= 2; n >= 0; n -= 2) sum = pair_add(wr_inverse_factorial[n], pair_multiply(sum, square));
    return odd ? pair_multiply(sum, x) : sum;
}

static void sin_cos(double x, wr_pair *sine, wr_pair *cosine) {
    wr_pair r = pair_of(fabs(x));
    unsigned quadrant = r.high > 0.785 ? reduce(r.high, &r) : 0;
    wr_pair s = series(r, true), c = series(r, false);
    *sine = quadrant & 1 ? c : s;
    *cosine = quadrant & 1 ? s : c;
    if (quadrant >= 2) *sine = pair_negate(*sine);
    if (quadrant == 1 || quadrant == 2) *cosine = pair_negate(*cosine);
    if (x < 0) *sine = pair_negate(*sine);
}

double wr_real_sin(double x) {
    if (!isfinite(x)) return NAN;
    if (fabs(x) < 0x1p-27) return x; /* x^3/6 is below half a unit */
    wr_pair s, c;
    sin_cos(x, &s, &c);
    return rounded(s);
}
double wr_real_cos(double x) {
    if (!isfinite(x)) return NAN;
    wr_pair s, c;
    sin_cos(x, &s, &c);
    return rounded(c);
}
double wr_real_tan(double x) {
    if (!isfinite(x)) return NAN;
    if (fabs(x) < 0x1p-27) return x;
    wr_pair s, c;
    sin_cos(x, &s, &c);
    return rounded(pair_divide(s, c));
}

/* ---- atan and its kin ---- */

/* tan(angle - y) = (t cos y - sin y) / (cos y + t sin y) for t = tan(angle): its series gives the step. */
static wr_pair atan_of(wr_pair t) {
    double z = t.high, guess = z * (0.785398163397448 + 0.273 * (1 - z)); /* within 0.004 for 0 <= z <= 1 */
    wr_pair y = pair_of(guess);
    for (int i = 0; i < 2; i++) {
        wr_pair s = series(y, true), c = series(y, false);
        wr_pair over = pair_add(pair_multiply(t, c), pair_negate(s)), under = pair_add(c, pair_multiply(t, s));
        wr_pair step = pair_divide(over, under);
        double d = step.high;
        y = pair_add(y, pair_add(step, pair_of(-d * d * d / 3)));
    }
    return y;
}

/* The angle of the point (x, y), both not negative and not both zero. */
static wr_pair angle_of(wr_pair y, wr_pair x) {
    if (y.high <= x.high) return atan_of(pair_divide(y, x));
    return pair_add(wr_half_pi, pair_negate(atan_of(pair_divide(x, y))));
}

double wr_real_atan(double x) {
    if (x != x || fabs(x) < 0x1p-27) return x;
    if (fabs(x) > 0x1p60) return copysign(wr_half_pi.high, x);
    return copysign(rounded(angle_of(pair_of(fabs(x)), pair_of(1))), x);
}

double wr_real_atan2(double y, double x) {
    if (x != x || y != y) return x + y;
    bool left = signbit(x);
    if (y == 0) return copysign(left ? wr_pi.high : 0, y);
    if (isinf(x)) {
        double quarter = wr_pi.high / 4;
        return copysign(isinf(y) ? (left ? 3 * quarter : quarter) : left ? wr_pi.high : 0, y);
    }
    if (isinf(y) || x == 0) return copysign(wr_half_pi.high, y);
    /* Scaled so that nothing over- or underflows. */
    int exponent_x, exponent_y;
    double mx = frexp(fabs(x), &exponent_x), my = frexp(fabs(y), &exponent_y);
    int gap = exponent_y - exponent_x;
    if (gap > 60) return copysign(wr_half_pi.high, y);
    if (gap < -60 && !left) return gap < -1070 ? copysign(scalbn(my / mx, gap), y) : y / x;
    wr_pair angle = gap < -60 ? pair_of(0) : angle_of(pair_of(scalbn(my, gap)), pair_of(mx));
    if (left) angle = pair_add(wr_pi, pair_negate(angle));
    return copysign(rounded(angle), y);
}

/* sqrt(1 - x^2) without cancellation. */
static wr_pair leg_of(double x) {
    return pair_root(pair_multiply(sum_of(1, -x), sum_of(1, x)));
}

double wr_real_asin(double x) {
    if (!(fabs(x) <= 1)) return NAN;
    if (fabs(x) < 0x1p-27) return x;
    return copysign(rounded(angle_of(pair_of(fabs(x)), leg_of(x))), x);
}
double wr_real_acos(double x) {
    if (!(fabs(x) <= 1)) return NAN;
    wr_pair angle = angle_of(leg_of(x), pair_of(fabs(x)));
    return rounded(x < 0 ? pair_add(wr_pi, pair_negate(angle)) : angle);
}

/* ---- hyperbolic ---- */

/* exp(x)/2 and exp(-x)/2, for 0 <= x < 40. */
static void half_exps(double x, wr_pair *up, wr_pair *down) {
    int exponent;
    wr_pair e = exp_parts(pair_of(x), &exponent);
    *up = pair_scale(e, scalbn(0.5, exponent));
    *down = pair_divide(pair_of(0.25), *up);
}

/* exp(x)/2 where exp(-x) does not matter. */
static double half_exp(double x) {
    if (isinf(x)) return x;
    return exp_of_pair(pair_add(pair_of(x), (wr_pair){-wr_ln2_high, -wr_ln2_low.high}));
}

/* x + x^3/3! + ..., |x| < 1/2. */
static wr_pair sinh_series(double x) {
    wr_pair square = product_of(x, x), sum = wr_inverse_factorial[21];
    for (int n = 19; n >= 1; n -= 2) sum = pair_add(wr_inverse_factorial[n], pair_multiply(sum, square));
    return pair_multiply(sum, pair_of(x));
}

double wr_real_sinh(double x) {
    double size = fabs(x);
    if (x != x || size < 0x1p-27) return x;
    if (size > 40) return copysign(half_exp(size), x);
    if (size < 0.5) return rounded(sinh_series(x));
    wr_pair up, down;
    half_exps(size, &up, &down);
    return copysign(rounded(pair_add(up, pair_negate(down))), x);
}
double wr_real_cosh(double x) {
    double size = fabs(x);
    if (x != x) return x;
    if (size > 40) return half_exp(size);
    wr_pair up, down;
    half_exps(size, &up, &down);
    return rounded(pair_add(up, down));
}
double wr_real_tanh(double x) {
    double size = fabs(x);
    if (x != x || size < 0x1p-27) return x;
    if (size > 22) return copysign(1, x);
    wr_pair up, down;
    half_exps(size, &up, &down);
    wr_pair over = size < 0.5 ? sinh_series(size) : pair_add(up, pair_negate(down));
    return copysign(rounded(pair_divide(over, pair_add(up, down))), x);
}

/* log of a pair: that of its high part and of 1 + low/high. */
static wr_pair log_of_pair(wr_pair x) {
    double ratio = x.low / x.high;
    return pair_add(log_of(x.high), pair_of(ratio - ratio * ratio / 2));
}

/* log((1 + t) / (1 - t)) / 2 = t + t^3/3 + ..., |t| < 1/4. */
static wr_pair atanh_series(wr_pair t) {
    wr_pair square = pair_multiply(t, t), sum = pair_of(0);
    for (int n = 55; n >= 1; n -= 2) {
        sum = pair_add(pair_divide(pair_of(1), pair_of(n)), pair_multiply(sum, square));
    }
    return pair_multiply(sum, t);
}

double wr_real_asinh(double x) {
    double size = fabs(x);
    if (x != x || isinf(x) || size < 0x1p-27) return x;
    if (size > 0x1p60) return copysign(rounded(pair_add(log_of(size), (wr_pair){wr_ln2_high, wr_ln2_low.high})), x);
    wr_pair root = pair_root(pair_add(product_of(size, size), pair_of(1)));
    /* asinh x = atanh(x / sqrt(x^2 + 1)), for small x. */
    if (size < 0.25) return copysign(rounded(atanh_series(pair_divide(pair_of(size), root))), x);
    return copysign(rounded(log_of_pair(pair_add(pair_of(size), root))), x);
}
double wr_real_acosh(double x) {
    if (x != x || x < 1) return NAN;
    if (isinf(x)) return x;
    if (x > 0x1p60) return rounded(pair_add(log_of(x), (wr_pair){wr_ln2_high, wr_ln2_low.high}));
    wr_pair root = pair_root(pair_multiply(sum_of(x, -1), sum_of(x, 1)));
    if (x < 1.03) return rounded(atanh_series(pair_divide(root, pair_of(x))));
    return rounded(log_of_pair(pair_add(pair_of(x), root)));
}
double wr_real_atanh(double x) {
    double size = fabs(x);
    if (!(size <= 1)) return NAN;
    if (size < 0x1p-27) return x;
    if (size == 1) return copysign(HUGE_VAL, x);
    if (size < 0.25) return rounded(atanh_series(pair_of(x)));
    wr_pair ratio = pair_divide(sum_of(1, size), sum_of(1, -size));
    return copysign(rounded(pair_scale(log_of_pair(ratio), 0.5)), x);
}
