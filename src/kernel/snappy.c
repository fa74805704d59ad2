/* Inflating snappy.
 *
 * A snappy stream is a chain: where an element begins is known only when the tag before it was read. Pages of integers
 * are almost only pairs of a literal of 1 to 4 bytes and a copy, pages of text mostly copies; read one after the other,
 * each costs two loads and two look-ups of latency before the next can begin, or a branch that nobody can predict.
 *
 * So the chain is made as short as one load. `plan` works over the compressed bytes a vector at a time, as if a step (at
 * most one literal of up to 4 bytes, then one copy with an offset of 1 or 2 bytes) began at every one of them, and writes
 * how long that step would be (0: not such a step) and the tag of its copy. Where the steps really begin is then found
 * by adding: at += advance[at]. All else in a step hangs off that chain, has no branch that data decide, and overlaps
 * with the steps around it. Whatever is not such a step (long literals, long copies, copies that overlap themselves or
 * the literal before them, the ends of the page) is taken one element at a time, with every check.
 *
 * A copy reads before the literal of its own step is written, so that it mostly reads exactly what one earlier store
 * wrote: an integer column repeats at offset 8, and loads that straddle two young stores stall.
 *
 * Measured against two pages in lockstep and against libsnappy in docs/decisions/0002-snappy.md. */
#include "kernel/snappy.h"

#include <string.h>

#if defined __AVX512BW__
enum { VECTOR_BYTES = 64 };
#elif defined __AVX2__
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
typedef uint8_t bytes_vector __attribute__((vector_size(VECTOR_BYTES)));

enum {
    PLAN_BYTES = 512,      /* input planned at a time: both plans stay in the innermost cache */
    STEP_BYTES = 20,       /* written by a step: 4 of a literal, 16 of a copy */
    STEP_EXPANSION = 6,    /* output of a step for each byte of its input, at most */
    OUTPUT_SLACK = 64,     /* kept free of steps at the end of the output */
    INPUT_SLACK = 16,      /* and at the end of the input */
    WIDE_COPY_LITERAL = 60 /* longest literal without bytes of length */
};

typedef struct inflater {
    const uint8_t *at, *end;
    uint8_t *out, *out_end, *out_start;
} inflater;

/* What the tag of a copy says, by tag: its length in bits 0..7, in 8..15 the shift that leaves the offset's bytes of the
 * 16-bit word that ends the element, from 16 on the offset's high bits. */
#define COPY_1(tag) ((4u + (((tag) >> 2) & 7u)) | 8u << 8 | (((tag) >> 5) << 8) << 16)
#define COPY_2(tag) (((tag) >> 2) + 1u)
#define COPY(tag) (((tag)&3) == 1 ? COPY_1(tag) : ((tag)&3) == 2 ? COPY_2(tag) : 0u)
#define COPY_X4(tag) COPY(tag), COPY((tag) + 1), COPY((tag) + 2), COPY((tag) + 3)
#define COPY_X16(tag) COPY_X4(tag), COPY_X4((tag) + 4), COPY_X4((tag) + 8), COPY_X4((tag) + 12)
#define COPY_X64(tag) COPY_X16(tag), COPY_X16((tag) + 16), COPY_X16((tag) + 32), COPY_X16((tag) + 48)
static const uint32_t copy_of_tag[256] = {COPY_X64(0u), COPY_X64(64u), COPY_X64(128u), COPY_X64(192u)};

/* Length of the literals that a step takes, 0 for every other tag. */
static const uint8_t literal_of_tag[256] = {[0] = 1, [4] = 2, [8] = 3, [12] = 4};

WR_ALWAYS_INLINE uint32_t load16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}
WR_ALWAYS_INLINE uint32_t load32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}
WR_ALWAYS_INLINE uint64_t load64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}
WR_ALWAYS_INLINE bytes_vector load_vector(const uint8_t *p) {
    bytes_vector v;
    memcpy(&v, p, sizeof v);
    return v;
}
WR_ALWAYS_INLINE bytes_vector choose(bytes_vector mask, bytes_vector yes, bytes_vector no) {
    return (mask & yes) | (~mask & no);
}
WR_ALWAYS_INLINE void copy16(uint8_t *to, const uint8_t *from) {
    memcpy(to, from, 16);
}

/* Reads up to VECTOR_BYTES + 5 bytes past `count`. */
static void plan(const uint8_t *restrict input, size_t count, uint8_t *restrict advance, uint8_t *restrict copy_tag) {
    for (size_t i = 0; i < count; i += VECTOR_BYTES) {
        bytes_vector tag = load_vector(input + i), copy = tag;
        copy = choose((bytes_vector)(tag == 0), load_vector(input + i + 2), copy);
        copy = choose((bytes_vector)(tag == 4), load_vector(input + i + 3), copy);
        copy = choose((bytes_vector)(tag == 8), load_vector(input + i + 4), copy);
        copy = choose((bytes_vector)(tag == 12), load_vector(input + i + 5), copy);
        bytes_vector literal = ((tag >> 2) + 2) & (bytes_vector)((tag & 0xf3) == 0);
        bytes_vector kind = copy & 3;
        bytes_vector step = (literal + kind + 1) & (bytes_vector)((kind == 1) | (kind == 2));
        memcpy(advance + i, &step, sizeof step);
        memcpy(copy_tag + i, &copy, sizeof copy);
    }
}

/* How much of the input may be taken in steps without looking at the ends. */
WR_ALWAYS_INLINE size_t steps_in_reach(const inflater *s) {
    size_t input = (size_t)(s->end - s->at), room = (size_t)(s->out_end - s->out);
    if (input < INPUT_SLACK || room < OUTPUT_SLACK) return 0;
    input -= INPUT_SLACK;
    room = (room - OUTPUT_SLACK) / STEP_EXPANSION;
    return input < room ? input : room;
}

static bool take_literal(inflater *s, uint8_t tag) {
    size_t length = tag >> 2;
    const uint8_t *at = s->at + 1;
    if (length >= WIDE_COPY_LITERAL) {
        size_t extra = length - WIDE_COPY_LITERAL + 1;
        if ((size_t)(s->end - at) < extra) return false;
        length = 0;
        for (size_t i = 0; i < extra; i++) length |= (size_t)at[i] << (8 * i);
        at += extra;
    }
    length++;
    size_t input = (size_t)(s->end - at), room = (size_t)(s->out_end - s->out);
    if (length > input || length > room) return false;
    if (length <= 64 && input >= 64 && room >= 64) {
        for (size_t i = 0; i < length; i += 16) copy16(s->out + i, at + i);
    } else {
        memcpy(s->out, at, length);
    }
    s->at = at + length;
    s->out += length;
    return true;
}

/* Copies `length` <= 64 bytes that repeat with a period of `offset`; at least 80 bytes may be written. */
static void repeat(uint8_t *out, size_t offset, size_t length) {
    const uint8_t *from = out - offset;
    if (offset >= 16) {
        for (size_t i = 0; i < length; i += 16) copy16(out + i, from + i);
    } else if ((offset & (offset - 1)) == 0) {
        uint64_t word = load64(from);
        if (offset == 4) word = (word & UINT32_MAX) * UINT64_C(0x100000001);
        if (offset == 2) word = (word & UINT16_MAX) * UINT64_C(0x1000100010001);
        if (offset == 1) word = (word & UINT8_MAX) * UINT64_C(0x101010101010101);
        for (size_t i = 0; i < length; i += 8) memcpy(out + i, &word, 8);
    } else {
        for (size_t i = 0; i < length; i++) out[i] = from[i];
    }
}

static bool take_copy(inflater *s, uint8_t tag) {
    size_t bytes = (tag & 3) == 3 ? 5 : 1 + (tag & 3), length = (tag >> 2) + 1u, offset;
    const uint8_t *at = s->at + 1;
    if ((size_t)(s->end - s->at) < bytes) return false;
    if ((tag & 3) == 1) {
        length = 4 + ((tag >> 2) & 7);
        offset = (size_t)(tag >> 5) << 8 | at[0];
    } else {
        offset = (tag & 3) == 2 ? load16(at) : load32(at);
    }
    size_t room = (size_t)(s->out_end - s->out);
    if (offset == 0 || offset > (size_t)(s->out - s->out_start) || length > room) return false;
    if (room >= 80) {
        repeat(s->out, offset, length);
    } else {
        const uint8_t *from = s->out - offset;
        for (size_t i = 0; i < length; i++) s->out[i] = from[i];
    }
    s->at += bytes;
    s->out += length;
    return true;
}

/* The next element, whatever it is. */
static __attribute__((noinline)) bool take_element(inflater *s) {
    uint8_t tag = *s->at;
    return tag & 3 ? take_copy(s, tag) : take_literal(s, tag);
}

/* Takes about `reach` bytes of the input, in steps wherever it can. */
static bool take_planned(inflater *s, size_t reach) {
    uint8_t advance[PLAN_BYTES + VECTOR_BYTES], copy_tag[PLAN_BYTES + VECTOR_BYTES];
    const uint8_t *const base = s->at;
    plan(base, reach, advance, copy_tag);
    uint8_t *out = s->out;
    size_t at = 0;
    while (at < reach) {
        size_t step = advance[at];
        if (WR_LIKELY(step)) {
            uint32_t copy = copy_of_tag[copy_tag[at]], literal = literal_of_tag[base[at]], length = copy & 0xff;
            uint32_t literal_bytes = load32(base + at + 1);
            size_t offset = (load16(base + at + step - 2) >> (copy >> 8 & 0xff)) + (copy >> 16);
            uint8_t *to = out + literal;
            bool odd = (offset < literal + length) | (length > 16) | (offset > (size_t)(to - s->out_start));
            if (WR_LIKELY(!odd)) {
                uint8_t bytes[16];
                memcpy(bytes, to - offset, 16);
                memcpy(out, &literal_bytes, 4);
                memcpy(to, bytes, 16);
                out = to + length;
                at += step;
                continue;
            }
        }
        s->at = base + at;
        s->out = out;
        if (!take_element(s)) return false;
        at = (size_t)(s->at - base);
        out = s->out;
        size_t left = steps_in_reach(s);
        if (at + left < reach) reach = at + left;
    }
    s->at = base + at;
    s->out = out;
    return true;
}

static bool take_all(inflater *s) {
    for (size_t reach; (reach = steps_in_reach(s)) >= 32;) {
        if (!take_planned(s, reach < PLAN_BYTES ? reach : PLAN_BYTES)) return false;
    }
    while (s->at < s->end) {
        if (!take_element(s)) return false;
    }
    return s->out == s->out_end;
}

static bool inflate(wr_inflate_page *page) {
    const uint8_t *at = page->input, *end = at + page->input_bytes;
    uint64_t stated = 0;
    for (unsigned shift = 0; at < end && shift < 35; shift += 7) {
        stated |= (uint64_t)(*at & 0x7f) << shift;
        if (!(*at++ & 0x80)) {
            inflater s = {at, end, page->output, page->output + page->output_bytes, page->output};
            bool whole = stated == page->output_bytes && take_all(&s);
            page->failed_at = (size_t)(s.at - page->input);
            return whole;
        }
    }
    page->failed_at = (size_t)(at - page->input);
    return false;
}

const wr_snappy_kernels WR_ISA_NAME(wr_snappy_kernels) = {inflate};
