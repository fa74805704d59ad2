/* Loops over text; see text.h.
 *
 * A search compares the needle's first and last byte at a vector's width of places at once, and the rest where both are
 * found. Over a column it does not go text by text: views that lie one behind the other in a page, with at most a
 * length field between them, are searched as one run, and a hit is given to the text that it lies in, if it lies in
 * one. A column without hits costs what its bytes cost. */
#include "kernel/text.h"

#include "kernel/kernel_internal.h"

/* ---- search ---- */

typedef struct needle {
    const char *data;
    size_t size; /* at least 1 */
    wr_v_u8 first, last;
} needle;

static needle needle_of(const char *data, size_t size) {
    return (needle){data, size, (wr_v_u8){0} + (uint8_t)data[0], (wr_v_u8){0} + (uint8_t)data[size - 1]};
}

/* The middle is compared; first and last are known to be equal. */
WR_ALWAYS_INLINE bool middle_equal(const char *at, const needle *what) {
    return what->size <= 2 || memcmp(at + 1, what->data + 1, what->size - 2) == 0;
}

/* Places among the first WR_VECTOR_BYTES where the first and the last byte are right. */
WR_ALWAYS_INLINE uint64_t candidates(const char *at, const needle *what) {
    wr_v_u8 first = *(const wr_v_u8 *)(const void *)at;
    wr_v_u8 last = *(const wr_v_u8 *)(const void *)(at + what->size - 1);
    return wr_mask_8((wr_v_i8)(((first ^ what->first) | (last ^ what->last)) == 0));
}

/* The first of the candidates that is a hit, or NULL. */
WR_ALWAYS_INLINE const char *first_hit(const char *at, uint64_t places, const needle *what) {
    for (; places; places &= places - 1) {
        const char *place = at + __builtin_ctzll(places);
        if (middle_equal(place, what)) return place;
    }
    return NULL;
}

/* Fewer places than a vector has. */
#if WR_AVX512

static const char *search_short(const char *at, size_t places, const needle *what) {
    __mmask64 mask = (UINT64_C(1) << places) - 1;
    __m512i first = _mm512_maskz_loadu_epi8(mask, at), last = _mm512_maskz_loadu_epi8(mask, at + what->size - 1);
    mask = _mm512_mask_cmpeq_epi8_mask(mask, first, (__m512i)what->first);
    return first_hit(at, _mm512_mask_cmpeq_epi8_mask(mask, last, (__m512i)what->last), what);
}

#else

enum { SHORT_BYTES = 16 };
typedef uint8_t short_vector __attribute__((vector_size(SHORT_BYTES), aligned(1), may_alias));

WR_ALWAYS_INLINE uint64_t equal_places(const char *at, char byte) {
    short_vector text = *(const short_vector *)(const void *)at;
#if WR_SSE4
    return (uint32_t)_mm_movemask_epi8((__m128i)(text == (uint8_t)byte));
#else
    return wr_mask_8((wr_v_i8)(text == (uint8_t)byte));
#endif
}

static const char *search_short(const char *at, size_t places, const needle *what) {
    char first = what->data[0], last = what->data[what->size - 1];
    for (; places > SHORT_BYTES; at += SHORT_BYTES, places -= SHORT_BYTES) {
        uint64_t found = equal_places(at, first) & equal_places(at + what->size - 1, last);
        const char *hit = first_hit(at, found, what);
        if (hit) return hit;
    }
    size_t size = places + what->size - 1;
    if (size >= SHORT_BYTES) {
        /* The first bytes from the front of the text, the last bytes from its end, brought to the same places. */
        uint64_t ends = equal_places(at + size - SHORT_BYTES, last) >> (SHORT_BYTES - places);
        return first_hit(at, equal_places(at, first) & ends, what);
    }
    for (const char *end = at + places; at < end; at++) {
        if (at[0] == first && at[what->size - 1] == last && middle_equal(at, what)) return at;
    }
    return NULL;
}

#endif

/* The first hit that begins at `at` or behind it and ends by `end`, or NULL. */
static const char *search(const char *at, const char *end, const needle *what) {
    if ((size_t)(end - at) < what->size) return NULL;
    if (what->size == 1) return memchr(at, what->data[0], (size_t)(end - at));
    size_t places = (size_t)(end - at) - what->size + 1;
    if (places < WR_VECTOR_BYTES) return search_short(at, places, what);
    for (; places >= WR_VECTOR_BYTES; at += WR_VECTOR_BYTES, places -= WR_VECTOR_BYTES) {
        uint64_t found = candidates(at, what);
        if (WR_UNLIKELY(found)) {
            const char *hit = first_hit(at, found, what);
            if (hit) return hit;
        }
    }
    if (places == 0) return NULL;
    /* What is left, in a vector that overlaps what is done. */
    size_t done = WR_VECTOR_BYTES - places;
    at -= done;
    return first_hit(at, candidates(at, what) >> done << done, what);
}

static size_t find(const char *data, size_t size, size_t from, const char *text, size_t text_size) {
    if (from > size) return SIZE_MAX;
    needle what = needle_of(text, text_size);
    const char *hit = search(data + from, data + size, &what);
    return hit ? (size_t)(hit - data) : SIZE_MAX;
}

/* ---- search in columns ---- */

/* Parquet's plain pages have 4 bytes between texts. More is not bridged: what lies between two buffers is not ours. */
enum { RUN_GAP = 4 };

WR_ALWAYS_INLINE bool is_long(const wr_string_view *view) {
    return view->size > WR_STRING_INLINE;
}

/* How many views from a[0] on, which is long, lie one behind the other. */
static uint32_t run_length(const wr_string_view *a, uint32_t n) {
    uint32_t count = 1;
    for (; count < n && is_long(&a[count]); count++) {
        uintptr_t end = (uintptr_t)a[count - 1].data + a[count - 1].size;
        if ((uintptr_t)a[count].data - end > RUN_GAP) break;
    }
    return count;
}

/* Sets the bits of those of `count` views in a run, which begin at row `first`, that hold the needle. */
static void search_run(const wr_string_view *a, uint32_t first, uint32_t count, const needle *what, uint64_t *out) {
    uint32_t row = first, end_row = first + count;
    const char *at = a[row].data, *end = a[end_row - 1].data + a[end_row - 1].size;
    while ((at = search(at, end, what))) {
        while (at >= a[row].data + a[row].size) row++;
        if (at >= a[row].data && at + what->size <= a[row].data + a[row].size) {
            wr_bit_set(out, row);
            if (++row == end_row) return;
            at = a[row].data;
        } else {
            at++;
        }
    }
}

/* Texts of up to 12 bytes. */
WR_ALWAYS_INLINE bool inlined_contains(const wr_string_view *view, const needle *what) {
    if (view->size < what->size) return false;
    for (uint32_t at = 0; at + what->size <= view->size; at++) {
        const char *place = view->inlined + at;
        if (place[0] == what->data[0] && place[what->size - 1] == what->data[what->size - 1] &&
            middle_equal(place, what)) {
            return true;
        }
    }
    return false;
}

static void contains(const wr_string_view *a, uint32_t n, const char *text, size_t text_size, uint64_t *out) {
    needle what = needle_of(text, text_size);
    memset(out, 0, wr_bitmap_bytes(n));
    for (uint32_t row = 0; row < n;) {
        if (is_long(&a[row])) {
            uint32_t count = run_length(a + row, n - row);
            search_run(a, row, count, &what, out);
            row += count;
        } else {
            if (inlined_contains(&a[row], &what)) wr_bit_set(out, row);
            row++;
        }
    }
}

static bool pieces_in_order(wr_str text, const wr_str *pieces, uint32_t piece_count) {
    const char *at = text.data, *end = text.data + text.size;
    for (uint32_t i = 0; i < piece_count; i++) {
        needle what = needle_of(pieces[i].data, pieces[i].size);
        at = search(at, end, &what);
        if (!at) return false;
        at += pieces[i].size;
    }
    return true;
}

/* Whoever has the first piece is looked at again. */
static void contains_all(const wr_string_view *a, uint32_t n, const wr_str *pieces, uint32_t piece_count,
                         uint64_t *out) {
    contains(a, n, pieces[0].data, pieces[0].size, out);
    for (uint32_t i = 0; i < wr_bitmap_words(n); i++) {
        for (uint64_t left = out[i]; left; left &= left - 1) {
            unsigned j = (unsigned)__builtin_ctzll(left);
            if (!pieces_in_order(wr_view_str(&a[i * 64 + j]), pieces, piece_count)) out[i] ^= UINT64_C(1) << j;
        }
    }
}

/* ---- begin and end ---- */

static void starts_with(const wr_string_view *a, uint32_t n, const char *prefix, size_t prefix_size, uint64_t *out) {
    /* The part that every view holds decides nearly all rows. */
    char start[4] = {0};
    size_t held = prefix_size < sizeof start ? prefix_size : sizeof start;
    uint32_t expected, mask = held < 4 ? (1u << (8 * held)) - 1 : UINT32_MAX;
    memcpy(start, prefix, held);
    memcpy(&expected, start, sizeof expected);
    for (uint32_t row = 0; row < n; row += 64) {
        uint32_t count = wr_word_rows(row, n);
        uint64_t word = 0;
        for (uint32_t j = 0; j < count; j++) {
            const wr_string_view *view = &a[row + j];
            bool same = (view->size >= prefix_size) & (((uint32_t)(view->words[0] >> 32) & mask) == expected);
            word |= (uint64_t)same << j;
        }
        for (uint64_t left = prefix_size > held ? word : 0; left; left &= left - 1) {
            unsigned j = (unsigned)__builtin_ctzll(left);
            const char *rest = wr_view_str(&a[row + j]).data + held;
            if (memcmp(rest, prefix + held, prefix_size - held) != 0) word ^= UINT64_C(1) << j;
        }
        out[row / 64] = word;
    }
}

static void ends_with(const wr_string_view *a, uint32_t n, const char *suffix, size_t suffix_size, uint64_t *out) {
    for (uint32_t row = 0; row < n; row += 64) {
        uint32_t count = wr_word_rows(row, n);
        uint64_t word = 0;
        for (uint32_t j = 0; j < count; j++) {
            wr_str text = wr_view_str(&a[row + j]);
            bool same =
                text.size >= suffix_size && memcmp(text.data + text.size - suffix_size, suffix, suffix_size) == 0;
            word |= (uint64_t)same << j;
        }
        out[row / 64] = word;
    }
}

/* ---- UTF-8 ---- */

/* Length of the well-formed sequence at `at`, or 0 (The Unicode Standard, table 3-7). */
WR_ALWAYS_INLINE size_t sequence_size(const uint8_t *at, size_t left) {
    uint8_t lead = at[0];
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (left < size) return 0;
    /* Not overlong, no surrogates, nothing above U+10FFFF. */
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0;
    }
    return size;
}

static size_t utf8_check(const char *data, size_t size) {
    const uint8_t *bytes = (const uint8_t *)data;
    for (size_t at = 0; at < size;) {
        while (size - at >= WR_VECTOR_BYTES) {
            wr_v_i8 block = *(const wr_v_i8 *)(const void *)(bytes + at);
            if (wr_mask_8(block < 0)) break;
            at += WR_VECTOR_BYTES;
        }
        /* To the end of the vector that is not all ASCII, or of the data. */
        size_t end = size - at < WR_VECTOR_BYTES ? size : at + WR_VECTOR_BYTES;
        while (at < end) {
            size_t sequence = sequence_size(bytes + at, size - at);
            if (sequence == 0) return at;
            at += sequence;
        }
    }
    return SIZE_MAX;
}

/* ---- code points ---- */

/* Bytes 10xxxxxx of a word: they begin no code point. */
WR_ALWAYS_INLINE uint32_t continuations(uint64_t word) {
    return (uint32_t)__builtin_popcountll(word >> 7 & ~(word >> 6) & UINT64_C(0x0101010101010101));
}

static uint32_t count_continuations(const char *data, uint32_t size) {
    uint32_t count = 0, at = 0;
#if WR_AVX512
    for (; at < size; at += 64) {
        __mmask64 inside = size - at < 64 ? wr_bitmap_tail(size - at) : ~UINT64_C(0);
        __m512i block = _mm512_maskz_loadu_epi8(inside, data + at);
        count += (uint32_t)__builtin_popcountll(_mm512_cmplt_epi8_mask(block, _mm512_set1_epi8(-64)));
    }
#else
    uint64_t word;
    for (; at + WR_VECTOR_BYTES <= size; at += WR_VECTOR_BYTES) {
        wr_v_i8 block = *(const wr_v_i8 *)(const void *)(data + at);
        count += (uint32_t)__builtin_popcountll(wr_mask_8(block < -64));
    }
    for (; at + 8 <= size; at += 8) {
        memcpy(&word, data + at, 8);
        count += continuations(word);
    }
    if (at < size) { /* size > 12: the last word overlaps what is counted, which is shifted out */
        memcpy(&word, data + size - 8, 8);
        count += continuations(word >> (8 * (8 - (size - at))));
    }
#endif
    return count;
}

static void char_count(const wr_string_view *a, uint32_t n, int64_t *out) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t inside = is_long(&a[i]) ? count_continuations(a[i].data, a[i].size)
                                         : continuations(a[i].words[0] >> 32) + continuations(a[i].words[1]);
        out[i] = (int64_t)a[i].size - inside;
    }
}

const wr_text_kernels WR_ISA_NAME(wr_text_kernels) = {
    .find = find,
    .contains = contains,
    .contains_all = contains_all,
    .starts_with = starts_with,
    .ends_with = ends_with,
    .utf8_check = utf8_check,
    .char_count = char_count,
};
