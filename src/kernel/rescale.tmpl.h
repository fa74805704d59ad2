/* Decimals to another scale.
 *   NAME  suffix of the functions: source_target
 *   FROM  int64_t or the 128-bit integer
 *   TO    likewise */

/* Up: sources from `lower` to `upper` have products within the limit. */
static bool WR_CAT(rescale_up, NAME)(const void *a, uint32_t n, wr_int128 factor, wr_int128 limit, void *out,
                                     uint64_t *failed) {
    const FROM *x = a;
    TO *restrict to = out;
    const wr_int128 bound = limit / factor, most = most_of(sizeof(FROM) * 8, true);
    const FROM upper = (FROM)smaller(bound, most), lower = (FROM)larger(-bound, -most - 1);
    uint64_t any = 0;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = sizeof(TO) == 8 ? (TO)((uint64_t)x[i] * (uint64_t)factor) : (TO)((wr_uint128)x[i] * (wr_uint128)factor);
        any |= (uint64_t)((x[i] > upper) | (x[i] < lower));
    }
    if (WR_LIKELY(!any)) return false;
    WR_FILL_BITS(failed, n, i, (x[i] > upper) | (x[i] < lower));
    return true;
}

WR_ALWAYS_INLINE bool WR_CAT(scale_down, NAME)(FROM x, const rounding_divisor *divisor, wr_int128 limit, TO *out) {
    wr_uint128 quotient = divide_rounding(x < 0 ? -(wr_uint128)x : (wr_uint128)x, divisor);
    *out = (TO)(x < 0 ? -quotient : quotient);
    return quotient > (wr_uint128)limit;
}

static bool WR_CAT(rescale_down, NAME)(const void *a, uint32_t n, wr_int128 divisor, wr_int128 limit, void *out,
                                       uint64_t *failed) {
    const FROM *x = a;
    TO *restrict to = out;
    const rounding_divisor by = rounding_divisor_of(divisor);
    bool any = false;
    for (uint32_t i = 0; i < n; i++) any |= WR_CAT(scale_down, NAME)(x[i], &by, limit, &to[i]);
    if (WR_LIKELY(!any)) return false;
    TO result;
    WR_FILL_BITS(failed, n, i, WR_CAT(scale_down, NAME)(x[i], &by, limit, &result));
    return true;
}

#undef NAME
#undef FROM
#undef TO
