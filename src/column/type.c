/* Types: their physical form, equality, and their names in SQL both ways. The names are one table; what a type has in
 * parentheses or behind it (scale, children, time zone) is read and printed by hand. */
#include "column/type.h"

#include "base/arena.h"

wr_phys wr_type_phys(wr_type type) {
    static const uint8_t phys[WR_TYPE_ID_COUNT] = {
        [WR_TYPE_NULL] = WR_PHYS_I8,       [WR_TYPE_BOOLEAN] = WR_PHYS_BOOL,     [WR_TYPE_TINYINT] = WR_PHYS_I8,
        [WR_TYPE_SMALLINT] = WR_PHYS_I16,  [WR_TYPE_INTEGER] = WR_PHYS_I32,      [WR_TYPE_BIGINT] = WR_PHYS_I64,
        [WR_TYPE_HUGEINT] = WR_PHYS_I128,  [WR_TYPE_UTINYINT] = WR_PHYS_U8,      [WR_TYPE_USMALLINT] = WR_PHYS_U16,
        [WR_TYPE_UINTEGER] = WR_PHYS_U32,  [WR_TYPE_UBIGINT] = WR_PHYS_U64,      [WR_TYPE_FLOAT] = WR_PHYS_F32,
        [WR_TYPE_DOUBLE] = WR_PHYS_F64,    [WR_TYPE_DECIMAL] = WR_PHYS_I64,      [WR_TYPE_VARCHAR] = WR_PHYS_VIEW,
        [WR_TYPE_BLOB] = WR_PHYS_VIEW,     [WR_TYPE_DATE] = WR_PHYS_I32,         [WR_TYPE_TIME] = WR_PHYS_I64,
        [WR_TYPE_TIMESTAMP] = WR_PHYS_I64, [WR_TYPE_TIMESTAMP_TZ] = WR_PHYS_I64, [WR_TYPE_INTERVAL] = WR_PHYS_INTERVAL,
        [WR_TYPE_UUID] = WR_PHYS_I128,     [WR_TYPE_LIST] = WR_PHYS_LIST,        [WR_TYPE_STRUCT] = WR_PHYS_STRUCT,
        [WR_TYPE_MAP] = WR_PHYS_LIST,
    };
    if (type.id == WR_TYPE_DECIMAL && type.precision > WR_DECIMAL_SMALL_DIGITS) return WR_PHYS_I128;
    return (wr_phys)phys[type.id];
}

bool wr_type_equal(wr_type a, wr_type b) {
    if (a.id != b.id || a.child_count != b.child_count) return false;
    switch (a.id) {
    case WR_TYPE_DECIMAL: return a.precision == b.precision && a.scale == b.scale;
    case WR_TYPE_TIMESTAMP:
    case WR_TYPE_TIMESTAMP_TZ: return a.unit == b.unit;
    case WR_TYPE_VARCHAR: return a.collation == b.collation;
    default: break;
    }
    for (uint32_t i = 0; i < a.child_count; i++) {
        if (a.id == WR_TYPE_STRUCT && !wr_str_equal(a.children[i].name, b.children[i].name)) return false;
        if (!wr_type_equal(a.children[i].type, b.children[i].type)) return false;
    }
    return true;
}

bool wr_type_is_integer(wr_type type) {
    return type.id >= WR_TYPE_TINYINT && type.id <= WR_TYPE_UBIGINT;
}

bool wr_type_is_numeric(wr_type type) {
    return type.id >= WR_TYPE_TINYINT && type.id <= WR_TYPE_DECIMAL;
}

/* ---- names ---- */

static const char *const id_names[WR_TYPE_ID_COUNT] = {
    [WR_TYPE_NULL] = "NULL",
    [WR_TYPE_BOOLEAN] = "BOOLEAN",
    [WR_TYPE_TINYINT] = "TINYINT",
    [WR_TYPE_SMALLINT] = "SMALLINT",
    [WR_TYPE_INTEGER] = "INTEGER",
    [WR_TYPE_BIGINT] = "BIGINT",
    [WR_TYPE_HUGEINT] = "HUGEINT",
    [WR_TYPE_UTINYINT] = "UTINYINT",
    [WR_TYPE_USMALLINT] = "USMALLINT",
    [WR_TYPE_UINTEGER] = "UINTEGER",
    [WR_TYPE_UBIGINT] = "UBIGINT",
    [WR_TYPE_FLOAT] = "FLOAT",
    [WR_TYPE_DOUBLE] = "DOUBLE",
    [WR_TYPE_DECIMAL] = "DECIMAL",
    [WR_TYPE_VARCHAR] = "VARCHAR",
    [WR_TYPE_BLOB] = "BLOB",
    [WR_TYPE_DATE] = "DATE",
    [WR_TYPE_TIME] = "TIME",
    [WR_TYPE_TIMESTAMP] = "TIMESTAMP",
    [WR_TYPE_TIMESTAMP_TZ] = "TIMESTAMP WITH TIME ZONE",
    [WR_TYPE_INTERVAL] = "INTERVAL",
    [WR_TYPE_UUID] = "UUID",
    [WR_TYPE_LIST] = "LIST",
    [WR_TYPE_STRUCT] = "STRUCT",
    [WR_TYPE_MAP] = "MAP",
};

const char *wr_type_id_name(wr_type_id id) {
    return (unsigned)id < WR_TYPE_ID_COUNT ? id_names[id] : "UNKNOWN";
}

/* The timestamps' units in names: TIMESTAMP is in microseconds. */
static const char *const unit_suffixes[] = {
    [WR_UNIT_S] = "_S", [WR_UNIT_MS] = "_MS", [WR_UNIT_US] = "", [WR_UNIT_NS] = "_NS"};

static bool is_name_byte(char c, bool first) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (uint8_t)c >= 0x80;
    return letter || (!first && c >= '0' && c <= '9');
}

static void print_field_name(wr_text *text, wr_str name) {
    bool plain = name.size > 0;
    for (uint32_t i = 0; i < name.size; i++) plain &= is_name_byte(name.data[i], i == 0);
    if (plain) {
        wr_text_add(text, name.data, name.size);
        return;
    }
    wr_text_add(text, "\"", 1);
    for (uint32_t i = 0; i < name.size; i++) {
        if (name.data[i] == '"') wr_text_add(text, "\"", 1);
        wr_text_add(text, &name.data[i], 1);
    }
    wr_text_add(text, "\"", 1);
}

void wr_type_print(wr_text *text, wr_type type) {
    switch (type.id) {
    case WR_TYPE_DECIMAL: wr_text_format(text, "DECIMAL(%u,%u)", type.precision, type.scale); break;
    case WR_TYPE_TIMESTAMP: wr_text_format(text, "TIMESTAMP%s", unit_suffixes[type.unit]); break;
    case WR_TYPE_TIMESTAMP_TZ: wr_text_format(text, "TIMESTAMP%s WITH TIME ZONE", unit_suffixes[type.unit]); break;
    case WR_TYPE_LIST:
        wr_type_print(text, type.children[0].type);
        wr_text_addz(text, "[]");
        break;
    case WR_TYPE_STRUCT:
    case WR_TYPE_MAP:
        wr_text_format(text, "%s(", id_names[type.id]);
        for (uint32_t i = 0; i < type.child_count; i++) {
            if (i) wr_text_addz(text, ", ");
            if (type.id == WR_TYPE_STRUCT) {
                print_field_name(text, type.children[i].name);
                wr_text_addz(text, " ");
            }
            wr_type_print(text, type.children[i].type);
        }
        wr_text_addz(text, ")");
        break;
    default: wr_text_addz(text, wr_type_id_name((wr_type_id)type.id));
    }
}

/* ---- reading names ---- */

enum { MAX_DEPTH = 32, MAX_FIELDS = UINT16_MAX };

typedef struct type_parser {
    wr_str text;
    uint32_t at, depth;
    wr_arena *arena;
} type_parser;

typedef struct type_alias {
    const char *name;
    uint8_t id, unit;
} type_alias;

static const type_alias aliases[] = {
    {"null", WR_TYPE_NULL, 0},
    {"boolean", WR_TYPE_BOOLEAN, 0},
    {"bool", WR_TYPE_BOOLEAN, 0},
    {"logical", WR_TYPE_BOOLEAN, 0},
    {"tinyint", WR_TYPE_TINYINT, 0},
    {"int1", WR_TYPE_TINYINT, 0},
    {"smallint", WR_TYPE_SMALLINT, 0},
    {"int2", WR_TYPE_SMALLINT, 0},
    {"int16", WR_TYPE_SMALLINT, 0},
    {"short", WR_TYPE_SMALLINT, 0},
    {"integer", WR_TYPE_INTEGER, 0},
    {"int", WR_TYPE_INTEGER, 0},
    {"int4", WR_TYPE_INTEGER, 0},
    {"int32", WR_TYPE_INTEGER, 0},
    {"signed", WR_TYPE_INTEGER, 0},
    {"bigint", WR_TYPE_BIGINT, 0},
    {"int8", WR_TYPE_BIGINT, 0},
    {"int64", WR_TYPE_BIGINT, 0},
    {"long", WR_TYPE_BIGINT, 0},
    {"hugeint", WR_TYPE_HUGEINT, 0},
    {"int128", WR_TYPE_HUGEINT, 0},
    {"utinyint", WR_TYPE_UTINYINT, 0},
    {"uint8", WR_TYPE_UTINYINT, 0},
    {"usmallint", WR_TYPE_USMALLINT, 0},
    {"uint16", WR_TYPE_USMALLINT, 0},
    {"uinteger", WR_TYPE_UINTEGER, 0},
    {"uint32", WR_TYPE_UINTEGER, 0},
    {"ubigint", WR_TYPE_UBIGINT, 0},
    {"uint64", WR_TYPE_UBIGINT, 0},
    {"float", WR_TYPE_FLOAT, 0},
    {"float4", WR_TYPE_FLOAT, 0},
    {"real", WR_TYPE_FLOAT, 0},
    {"double", WR_TYPE_DOUBLE, 0},
    {"float8", WR_TYPE_DOUBLE, 0},
    {"decimal", WR_TYPE_DECIMAL, 0},
    {"numeric", WR_TYPE_DECIMAL, 0},
    {"dec", WR_TYPE_DECIMAL, 0},
    {"varchar", WR_TYPE_VARCHAR, 0},
    {"char", WR_TYPE_VARCHAR, 0},
    {"character", WR_TYPE_VARCHAR, 0},
    {"bpchar", WR_TYPE_VARCHAR, 0},
    {"text", WR_TYPE_VARCHAR, 0},
    {"string", WR_TYPE_VARCHAR, 0},
    {"blob", WR_TYPE_BLOB, 0},
    {"bytea", WR_TYPE_BLOB, 0},
    {"binary", WR_TYPE_BLOB, 0},
    {"varbinary", WR_TYPE_BLOB, 0},
    {"date", WR_TYPE_DATE, 0},
    {"time", WR_TYPE_TIME, 0},
    {"timestamp", WR_TYPE_TIMESTAMP, WR_UNIT_US},
    {"datetime", WR_TYPE_TIMESTAMP, WR_UNIT_US},
    {"timestamp_us", WR_TYPE_TIMESTAMP, WR_UNIT_US},
    {"timestamp_s", WR_TYPE_TIMESTAMP, WR_UNIT_S},
    {"timestamp_ms", WR_TYPE_TIMESTAMP, WR_UNIT_MS},
    {"timestamp_ns", WR_TYPE_TIMESTAMP, WR_UNIT_NS},
    {"timestamptz", WR_TYPE_TIMESTAMP_TZ, WR_UNIT_US},
    {"interval", WR_TYPE_INTERVAL, 0},
    {"uuid", WR_TYPE_UUID, 0},
    {"struct", WR_TYPE_STRUCT, 0},
    {"row", WR_TYPE_STRUCT, 0},
    {"map", WR_TYPE_MAP, 0},
};

static void skip_blanks(type_parser *p) {
    while (p->at < p->text.size && strchr(" \t\r\n", p->text.data[p->at])) p->at++;
}

static bool take_char(type_parser *p, char c) {
    skip_blanks(p);
    if (p->at >= p->text.size || p->text.data[p->at] != c) return false;
    p->at++;
    return true;
}

static wr_str take_word(type_parser *p) {
    skip_blanks(p);
    uint32_t start = p->at;
    while (p->at < p->text.size && is_name_byte(p->text.data[p->at], p->at == start)) p->at++;
    return (wr_str){p->text.data + start, p->at - start};
}

/* Takes the words (separated by one blank in `words`) when all of them come next. */
static bool take_words(type_parser *p, const char *words) {
    uint32_t before = p->at;
    while (*words) {
        size_t size = strcspn(words, " ");
        wr_str word = take_word(p);
        if (!wr_str_equal_nocase(word, (wr_str){words, (uint32_t)size})) {
            p->at = before;
            return false;
        }
        words += size + (words[size] == ' ');
    }
    return true;
}

static bool take_number(type_parser *p, uint32_t *out) {
    skip_blanks(p);
    uint32_t start = p->at, value = 0;
    while (p->at < p->text.size && p->text.data[p->at] >= '0' && p->text.data[p->at] <= '9') {
        if (value > 100000000) return false;
        value = value * 10 + (uint32_t)(p->text.data[p->at++] - '0');
    }
    *out = value;
    return p->at > start;
}

/* A name, or anything in double quotes, in the arena. */
static bool take_field_name(type_parser *p, wr_str *out) {
    if (!take_char(p, '"')) {
        *out = wr_arena_copy(p->arena, take_word(p));
        return out->data && out->size > 0;
    }
    char *name = wr_arena_alloc(p->arena, p->text.size - p->at + 1);
    uint32_t size = 0;
    if (!name) return false;
    while (p->at < p->text.size) {
        char c = p->text.data[p->at++];
        if (c == '"') {
            if (p->at >= p->text.size || p->text.data[p->at] != '"') {
                *out = (wr_str){name, size};
                return true;
            }
            p->at++;
        }
        name[size++] = c;
    }
    return false;
}

static bool parse_type(type_parser *p, wr_type *out);

/* "(name type, ...)" of a STRUCT, "(type, type)" of a MAP. */
static bool parse_children(type_parser *p, wr_type *type) {
    wr_field *fields = NULL;
    uint32_t count = 0, capacity = 0;
    if (!take_char(p, '(')) return false;
    do {
        wr_field field = {.nullable = true};
        if (type->id == WR_TYPE_STRUCT) {
            if (!take_field_name(p, &field.name)) return false;
        } else {
            field.name = count == 0 ? WR_STR("key") : WR_STR("value");
            field.nullable = count > 0;
        }
        if (!parse_type(p, &field.type) || count == MAX_FIELDS) return false;
        if (!wr_arena_push(p->arena, &fields, &count, &capacity, sizeof field, &field)) return false;
    } while (take_char(p, ','));
    if (!take_char(p, ')') || (type->id == WR_TYPE_MAP && count != 2)) return false;
    type->children = fields;
    type->child_count = (uint16_t)count;
    return true;
}

static bool parse_decimal(type_parser *p, wr_type *out) {
    uint32_t precision = WR_DECIMAL_SMALL_DIGITS, scale = 3;
    if (take_char(p, '(')) {
        scale = 0;
        if (!take_number(p, &precision)) return false;
        if (take_char(p, ',') && !take_number(p, &scale)) return false;
        if (!take_char(p, ')')) return false;
    }
    if (precision < 1 || precision > WR_DECIMAL_MAX_DIGITS || scale > precision) return false;
    *out = wr_type_decimal(precision, scale);
    return true;
}

/* TIMESTAMP(0), (3), (6), (9) are its units; other digits take the next finer one. */
static bool parse_timestamp(type_parser *p, wr_type *out) {
    if (take_char(p, '(')) {
        uint32_t digits;
        if (!take_number(p, &digits) || digits > 9 || !take_char(p, ')')) return false;
        out->unit = digits == 0 ? WR_UNIT_S : digits <= 3 ? WR_UNIT_MS : digits <= 6 ? WR_UNIT_US : WR_UNIT_NS;
    }
    if (take_words(p, "with time zone"))
        out->id = WR_TYPE_TIMESTAMP_TZ;
    else if (out->id == WR_TYPE_TIMESTAMP)
        (void)take_words(p, "without time zone");
    return true;
}

/* What stands behind a type's name. */
static bool parse_rest(type_parser *p, wr_type *out) {
    switch (out->id) {
    case WR_TYPE_DECIMAL: return parse_decimal(p, out);
    case WR_TYPE_TIMESTAMP:
    case WR_TYPE_TIMESTAMP_TZ: return parse_timestamp(p, out);
    case WR_TYPE_TIME: (void)take_words(p, "without time zone"); return true;
    case WR_TYPE_DOUBLE: (void)take_words(p, "precision"); return true;
    case WR_TYPE_STRUCT:
    case WR_TYPE_MAP: return parse_children(p, out);
    case WR_TYPE_VARCHAR:
    case WR_TYPE_BLOB: {
        /* A length is read and has no effect, as in PostgreSQL's text. */
        uint32_t length;
        (void)take_words(p, "varying");
        return !take_char(p, '(') || (take_number(p, &length) && take_char(p, ')'));
    }
    default: return true;
    }
}

static bool parse_type(type_parser *p, wr_type *out) {
    if (p->depth >= MAX_DEPTH) return false;
    p->depth++;
    wr_str word = take_word(p);
    const type_alias *found = NULL;
    for (size_t i = 0; i < WR_COUNT_OF(aliases) && !found; i++) {
        if (wr_str_equal_nocase(word, wr_str_from(aliases[i].name))) found = &aliases[i];
    }
    if (!found) return false;
    *out = wr_type_of((wr_type_id)found->id);
    if (found->id == WR_TYPE_TIMESTAMP || found->id == WR_TYPE_TIMESTAMP_TZ) out->unit = found->unit;
    if (!parse_rest(p, out)) return false;
    for (uint32_t lists = 0; take_char(p, '['); lists++) {
        wr_field *element = WR_ARENA_NEW(p->arena, wr_field);
        if (!element || !take_char(p, ']') || p->depth + lists >= MAX_DEPTH) return false;
        *element = (wr_field){WR_STR("element"), *out, true};
        *out = (wr_type){.id = WR_TYPE_LIST, .unit = WR_UNIT_US, .child_count = 1, .children = element};
    }
    p->depth--;
    return true;
}

bool wr_type_parse(wr_str text, struct wr_arena *arena, wr_type *out) {
    type_parser p = {.text = text, .arena = arena};
    if (!parse_type(&p, out)) return false;
    skip_blanks(&p);
    return p.at == text.size;
}
