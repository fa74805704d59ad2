/* Rows to normalised keys: the keys of a row as a sequence of 64-bit words, so that comparing words as unsigned numbers,
 * first to last, is comparing keys.
 *
 * Fixed-width values stand side by side, bit after bit, across the borders of words: a bit that says which of NULL and not
 * NULL comes first, then the value, its sign bit turned, all its bits turned when it is descending. Floats are made numbers
 * that are ordered as they are: -0 is 0, NaN is one, above all. The cell of a NULL is zeros, so NULLs are equal.
 *
 * A text takes what is left of its word, if that is two bytes at least: some of its bytes and then their number, zeros
 * behind a shorter one. The number decides between texts that differ by zeros at the end; the number that is one too many
 * says that the text goes on, and then the next word has seven bytes more of it. So texts of seven bytes are decided by a
 * word, and of longer ones as much is loaded as it takes. The next key begins a new word.
 *
 * LIST, STRUCT and MAP have no words: from the first such key on, rows are compared by their cells. */
#include "exec/sort_internal.h"

enum sort_load {
    LOAD_FLAG_VALID, /* 1 where the column is not NULL */
    LOAD_FLAG_NULL,
    LOAD_8,
    LOAD_16,
    LOAD_32,
    LOAD_64,
    LOAD_F32,
    LOAD_F64,
    LOAD_INTERVAL_HIGH,
    LOAD_INTERVAL_LOW,
    LOAD_TEXT,
};

enum { TEXT_BITS_MIN = 16, TEXT_NEXT_BYTES = 7 };

typedef uint16_t __attribute__((may_alias)) cell_16;
typedef uint32_t __attribute__((may_alias)) cell_32;
typedef uint64_t __attribute__((may_alias)) cell_64;

/* ---- the plan: values into words ---- */

typedef struct layout_cursor {
    wr_sort_order *order;
    uint64_t bit; /* from the start of the sequence */
} layout_cursor;

static uint64_t low_bits(unsigned bits) {
    return bits == 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1;
}

static void add_part(layout_cursor *at, uint32_t word, wr_sort_part part) {
    wr_sort_order *o = at->order;
    for (; o->word_count <= word; o->word_count++) {
        o->words[o->word_count] = (wr_sort_word){.first = o->part_count, .end = o->part_count};
    }
    o->parts[o->part_count++] = part;
    o->words[word].end = o->part_count;
}

/* `bits` bits, which may go on in the next word. */
static void add_value(layout_cursor *at, const wr_row_layout *layout, uint32_t column, uint32_t offset, uint8_t load,
                      unsigned bits, uint64_t flip) {
    wr_sort_part part = {
        .column = column, .offset = layout->columns[column].offset + offset, .load = load, .flip = flip};
    uint32_t word = (uint32_t)(at->bit / 64);
    unsigned end = (unsigned)(at->bit % 64) + bits;
    at->bit += bits;
    part.left = end <= 64 ? (uint8_t)(64 - end) : 0;
    part.right = end <= 64 ? 0 : (uint8_t)(end - 64);
    add_part(at, word, part);
    if (end <= 64) return;
    part.left = (uint8_t)(128 - end);
    part.right = 0;
    add_part(at, word + 1, part);
}

static void add_text(layout_cursor *at, const wr_row_layout *layout, uint32_t column, bool descending) {
    if (64 - at->bit % 64 < TEXT_BITS_MIN) at->bit = (at->bit + 63) / 64 * 64;
    unsigned room = 64 - (unsigned)(at->bit % 64), bytes = room / 8 - 1;
    uint32_t word = (uint32_t)(at->bit / 64), offset = layout->columns[column].offset;
    uint64_t flip = descending ? low_bits(bytes * 8 + 8) : 0;
    add_part(at, word,
             (wr_sort_part){
                 .column = column, .offset = offset, .load = LOAD_TEXT, .left = (uint8_t)(room % 8), .flip = flip});
    wr_sort_word *w = &at->order->words[word];
    w->text_offset = offset;
    w->text_bytes = (uint8_t)bytes;
    w->text_shift = (uint8_t)(room % 8);
    w->text_descending = descending;
    at->bit = (uint64_t)(word + 1) * 64;
}

static void add_fixed(layout_cursor *at, const wr_row_layout *layout, const wr_sort_column *key, wr_phys phys) {
    uint64_t turn = key->descending ? ~UINT64_C(0) : 0;
    unsigned bits = (unsigned)wr_phys_bytes(phys) * 8;
    uint64_t sign = UINT64_C(1) << ((bits - 1) & 63);
    uint32_t c = key->column;
    switch (phys) {
    case WR_PHYS_BOOL: add_value(at, layout, c, 0, LOAD_8, 1, turn & 1); break;
    case WR_PHYS_I8: add_value(at, layout, c, 0, LOAD_8, 8, (turn ^ sign) & 0xff); break;
    case WR_PHYS_U8: add_value(at, layout, c, 0, LOAD_8, 8, turn & 0xff); break;
    case WR_PHYS_I16: add_value(at, layout, c, 0, LOAD_16, 16, (turn ^ sign) & 0xffff); break;
    case WR_PHYS_U16: add_value(at, layout, c, 0, LOAD_16, 16, turn & 0xffff); break;
    case WR_PHYS_I32: add_value(at, layout, c, 0, LOAD_32, 32, (turn ^ sign) & UINT32_MAX); break;
    case WR_PHYS_U32: add_value(at, layout, c, 0, LOAD_32, 32, turn & UINT32_MAX); break;
    case WR_PHYS_F32: add_value(at, layout, c, 0, LOAD_F32, 32, turn & UINT32_MAX); break;
    case WR_PHYS_I64: add_value(at, layout, c, 0, LOAD_64, 64, turn ^ sign); break;
    case WR_PHYS_U64: add_value(at, layout, c, 0, LOAD_64, 64, turn); break;
    case WR_PHYS_F64: add_value(at, layout, c, 0, LOAD_F64, 64, turn); break;
    case WR_PHYS_I128:
        add_value(at, layout, c, 8, LOAD_64, 64, turn ^ UINT64_C(1) << 63);
        add_value(at, layout, c, 0, LOAD_64, 64, turn);
        break;
    case WR_PHYS_INTERVAL:
        add_value(at, layout, c, 0, LOAD_INTERVAL_HIGH, 64, turn ^ UINT64_C(1) << 63);
        add_value(at, layout, c, 0, LOAD_INTERVAL_LOW, 64, turn);
        break;
    default: break;
    }
}

static void add_keys(wr_sort_order *o, bool nulls_apart) {
    layout_cursor at = {o, 0};
    bool whole = true; /* all keys so far end in the first word */
    for (uint32_t k = 0; k < o->key_count; k++) {
        const wr_sort_column *key = &o->keys[k];
        wr_phys phys = (wr_phys)o->layout->columns[key->column].phys;
        if (k > 0 || !nulls_apart) {
            add_value(&at, o->layout, key->column, 0, key->nulls_first ? LOAD_FLAG_VALID : LOAD_FLAG_NULL, 1, 0);
        }
        if (wr_phys_is_nested(phys)) {
            o->cells_key = k;
            break;
        }
        if (phys == WR_PHYS_VIEW) {
            add_text(&at, o->layout, key->column, key->descending);
        } else {
            add_fixed(&at, o->layout, key, phys);
        }
        whole &= at.bit <= 64 && phys != WR_PHYS_VIEW;
        if (whole) o->tie_key = k + 1;
    }
    o->exact = o->tie_key == o->key_count;
}

wr_status wr_sort_order_init(wr_sort_order *o, wr_allocator *a, const wr_row_layout *layout, const wr_sort_column *keys,
                             uint32_t key_count, bool nulls_apart, wr_error *err) {
    *o =
        (wr_sort_order){.allocator = a, .layout = layout, .keys = keys, .key_count = key_count, .cells_key = key_count};
    /* A key is at most a flag and two values, each across a border. */
    o->words = wr_alloc(a, sizeof *o->words * (key_count * 3 + 1));
    o->parts = wr_alloc(a, sizeof *o->parts * (key_count * 5 + 1));
    if (!o->words || !o->parts) return wr_fail_memory(err, sizeof *o->parts * key_count, "sort keys");
    add_keys(o, nulls_apart);
    return WR_OK;
}

void wr_sort_order_deinit(wr_sort_order *o) {
    if (!o->allocator) return;
    wr_free(o->allocator, o->words, sizeof *o->words * (o->key_count * 3 + 1));
    wr_free(o->allocator, o->parts, sizeof *o->parts * (o->key_count * 5 + 1));
    *o = (wr_sort_order){0};
}

/* ---- words of rows ---- */

/* Bits in the order of numbers: of a negative one all are turned, else the sign. */
static uint32_t f32_bits(float value) {
    uint32_t bits;
    value = value != value ? __builtin_nanf("") : value + 0.0F;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ (uint32_t)((int32_t)bits >> 31 | INT32_MIN);
}

static uint64_t f64_bits(double value) {
    uint64_t bits;
    value = value != value ? __builtin_nan("") : value + 0.0;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ (uint64_t)((int64_t)bits >> 63 | INT64_MIN);
}

/* The first `bytes` bytes, at most 7, and the number of them. */
static uint64_t text_head(const wr_string_view *view, unsigned bytes) {
    uint64_t head;
    memcpy(&head, view->size <= WR_STRING_INLINE ? view->inlined : view->data, sizeof head);
    uint32_t size = view->size < bytes + 1 ? view->size : bytes + 1;
    return __builtin_bswap64(head) >> (64 - 8 * bytes) << 8 | size;
}

/* Bytes from `offset` on, which lies within the text. */
static uint64_t text_more(const wr_string_view *view, uint32_t offset) {
    wr_str text = wr_view_str(view);
    uint32_t size = text.size - offset;
    uint64_t bytes = 0;
    memcpy(&bytes, text.data + offset, size < TEXT_NEXT_BYTES ? size : TEXT_NEXT_BYTES);
    return (__builtin_bswap64(bytes) & ~UINT64_C(0xff)) | (size < TEXT_NEXT_BYTES + 1 ? size : TEXT_NEXT_BYTES + 1);
}

#define EACH_ROW(value)                                                                                                \
    for (size_t i = 0; i < count; i++) {                                                                               \
        const uint8_t *cell = entries[i].row + p.offset;                                                               \
        uint64_t loaded = (uint64_t)(value) ^ p.flip;                                                                  \
        entries[i].key |= loaded << p.left >> p.right;                                                                 \
    }                                                                                                                  \
    break

static void load_flag(wr_sort_part p, uint64_t turn, wr_sort_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++) {
        entries[i].key |= ((uint64_t)wr_row_is_valid(entries[i].row, p.column) ^ turn) << p.left;
    }
}

static void load_part(wr_sort_part p, const wr_sort_word *word, wr_sort_entry *entries, size_t count) {
    switch ((enum sort_load)p.load) {
    case LOAD_FLAG_VALID: load_flag(p, 0, entries, count); break;
    case LOAD_FLAG_NULL: load_flag(p, 1, entries, count); break;
    case LOAD_8: EACH_ROW(*cell);
    case LOAD_16: EACH_ROW(*(const cell_16 *)cell);
    case LOAD_32: EACH_ROW(*(const cell_32 *)cell);
    case LOAD_64: EACH_ROW(*(const cell_64 *)cell);
    case LOAD_F32: EACH_ROW(f32_bits(*(const float *)cell));
    case LOAD_F64: EACH_ROW(f64_bits(*(const double *)cell));
    case LOAD_INTERVAL_HIGH: EACH_ROW((wr_uint128)wr_interval_length(*(const wr_interval *)cell) >> 64);
    case LOAD_INTERVAL_LOW: EACH_ROW(wr_interval_length(*(const wr_interval *)cell));
    case LOAD_TEXT: EACH_ROW(text_head((const wr_string_view *)cell, word->text_bytes));
    }
}

static void load_text(const wr_sort_word *word, uint32_t text, wr_sort_entry *entries, size_t count) {
    uint64_t flip = word->text_descending ? ~UINT64_C(0) : 0;
    uint32_t offset = word->text_bytes + (text - 1) * TEXT_NEXT_BYTES;
    for (size_t i = 0; i < count; i++) {
        entries[i].key = text_more((const wr_string_view *)(entries[i].row + word->text_offset), offset) ^ flip;
    }
}

void wr_sort_load(const wr_sort_order *o, wr_sort_place place, wr_sort_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++) entries[i].key = 0;
    if (place.word >= o->word_count) return;
    const wr_sort_word *word = &o->words[place.word];
    if (place.text) {
        load_text(word, place.text, entries, count);
        return;
    }
    for (uint32_t p = word->first; p < word->end; p++) load_part(o->parts[p], word, entries, count);
}

wr_sort_step wr_sort_next(const wr_sort_order *o, wr_sort_place place, uint64_t key, wr_sort_place *next) {
    if (place.word < o->word_count) {
        const wr_sort_word *word = &o->words[place.word];
        if (word->text_bytes) {
            uint64_t size = place.text ? key : key >> word->text_shift,
                     goes_on = place.text ? TEXT_NEXT_BYTES + 1 : word->text_bytes + 1;
            if (word->text_descending) size = ~size;
            if ((size & 0xff) == goes_on) {
                *next = (wr_sort_place){place.word, place.text + 1};
                return WR_SORT_WORD;
            }
        }
        if (place.word + 1 < o->word_count) {
            *next = (wr_sort_place){place.word + 1, 0};
            return WR_SORT_WORD;
        }
    }
    return o->cells_key < o->key_count ? WR_SORT_CELLS : WR_SORT_END;
}

int wr_sort_compare(const wr_sort_order *o, uint32_t first_key, const uint8_t *a, const uint8_t *b) {
    for (uint32_t k = first_key; k < o->key_count; k++) {
        const wr_sort_column *key = &o->keys[k];
        bool valid_a = wr_row_is_valid(a, key->column), valid_b = wr_row_is_valid(b, key->column);
        if (valid_a != valid_b) return valid_a == key->nulls_first ? 1 : -1;
        int order = valid_a ? wr_row_compare(o->layout, key->column, a, b) : 0;
        if (order) return key->descending ? -order : order;
    }
    return 0;
}
