/* Types and ArrowSchema, both ways. Every node of an exported schema is one block, as a consumer may move children out
 * and release them apart. */
#include <stdio.h>

#include "base/arena.h"
#include "column/arrow_internal.h"
#include "column/vector_internal.h"

/* ---- out ---- */

typedef struct schema_block {
    wr_allocator *allocator;
    size_t size_bytes;
} schema_block;

static void release_schema(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    }
    if (schema->dictionary && schema->dictionary->release) schema->dictionary->release(schema->dictionary);
    schema_block *block = schema->private_data;
    schema->release = NULL;
    wr_free(block->allocator, block, block->size_bytes);
}

/* What a field of extension type arrow.uuid carries: counted pairs of counted keys and values. */
static const struct __attribute__((packed)) {
    int32_t pair_count, name_key_size;
    char name_key[20];
    int32_t name_size;
    char name[10];
    int32_t metadata_key_size;
    char metadata_key[24];
    int32_t metadata_size;
} uuid_metadata = {2, 20, "ARROW:extension:name", 10, "arrow.uuid", 24, "ARROW:extension:metadata", 0};

/* A node whose children and dictionary are still to be filled; they count as released until then. */
static wr_status make_schema(struct ArrowSchema *out, wr_allocator *a, wr_str name, const char *format, int64_t flags,
                             uint32_t child_count, bool has_dictionary, wr_error *err) {
    size_t node_count = child_count + has_dictionary, format_bytes = strlen(format) + 1;
    size_t bytes = sizeof(schema_block) + node_count * sizeof(struct ArrowSchema) +
                   child_count * sizeof(struct ArrowSchema *) + format_bytes + name.size + 1;
    *out = (struct ArrowSchema){0};
    schema_block *block = wr_alloc_zeroed(a, bytes);
    if (!block) return wr_fail_memory(err, bytes, "an Arrow schema");
    *block = (schema_block){a, bytes};
    struct ArrowSchema *nodes = (struct ArrowSchema *)(block + 1);
    struct ArrowSchema **children = (struct ArrowSchema **)(nodes + node_count);
    char *text = (char *)(children + child_count);
    memcpy(text, format, format_bytes);
    if (name.size) memcpy(text + format_bytes, name.data, name.size);
    for (uint32_t i = 0; i < child_count; i++) children[i] = &nodes[i];
    *out = (struct ArrowSchema){.format = text,
                                .name = text + format_bytes,
                                .flags = flags,
                                .n_children = child_count,
                                .children = children,
                                .dictionary = has_dictionary ? &nodes[child_count] : NULL,
                                .release = release_schema,
                                .private_data = block};
    return WR_OK;
}

enum { FORMAT_BYTES = 32 };

static const char *const plain_formats[WR_TYPE_ID_COUNT] = {
    [WR_TYPE_NULL] = "n",         [WR_TYPE_BOOLEAN] = "b",    [WR_TYPE_TINYINT] = "c",  [WR_TYPE_SMALLINT] = "s",
    [WR_TYPE_INTEGER] = "i",      [WR_TYPE_BIGINT] = "l",     [WR_TYPE_UTINYINT] = "C", [WR_TYPE_USMALLINT] = "S",
    [WR_TYPE_UINTEGER] = "I",     [WR_TYPE_UBIGINT] = "L",    [WR_TYPE_FLOAT] = "f",    [WR_TYPE_DOUBLE] = "g",
    [WR_TYPE_HUGEINT] = "d:38,0", [WR_TYPE_VARCHAR] = "u",    [WR_TYPE_BLOB] = "z",     [WR_TYPE_DATE] = "tdD",
    [WR_TYPE_TIME] = "ttu",       [WR_TYPE_INTERVAL] = "tin", [WR_TYPE_UUID] = "w:16",  [WR_TYPE_LIST] = "+l",
    [WR_TYPE_STRUCT] = "+s",      [WR_TYPE_MAP] = "+m",
};

static void default_format(wr_type type, char out[FORMAT_BYTES]) {
    static const char unit_letters[] = {[WR_UNIT_S] = 's', [WR_UNIT_MS] = 'm', [WR_UNIT_US] = 'u', [WR_UNIT_NS] = 'n'};
    switch (type.id) {
    case WR_TYPE_DECIMAL: snprintf(out, FORMAT_BYTES, "d:%u,%u", type.precision, type.scale); break;
    case WR_TYPE_TIMESTAMP: snprintf(out, FORMAT_BYTES, "ts%c:", unit_letters[type.unit]); break;
    case WR_TYPE_TIMESTAMP_TZ: snprintf(out, FORMAT_BYTES, "ts%c:UTC", unit_letters[type.unit]); break;
    default: snprintf(out, FORMAT_BYTES, "%s", plain_formats[type.id]);
    }
}

/* True when the exporter writes values of the type in this layout. */
static bool has_layout(wr_type type, const char *text) {
    wr_arrow_format f;
    if (!wr_arrow_format_parse(text, &f)) return false;
    switch (type.id) {
    case WR_TYPE_DECIMAL:
        return f.layout == WR_ARROW_DECIMAL && f.precision == type.precision && f.scale == type.scale &&
               (f.width == 16 || (f.width == 8 && type.precision <= WR_DECIMAL_SMALL_DIGITS));
    case WR_TYPE_VARCHAR:
    case WR_TYPE_BLOB:
        return f.layout >= WR_ARROW_TEXT && f.layout <= WR_ARROW_TEXT_VIEW && f.is_text == (type.id == WR_TYPE_VARCHAR);
    /* An instant is the same in every zone. */
    case WR_TYPE_TIMESTAMP:
    case WR_TYPE_TIMESTAMP_TZ:
        return f.layout == WR_ARROW_TIMESTAMP && f.unit == type.unit && !f.zone[0] == (type.id == WR_TYPE_TIMESTAMP);
    case WR_TYPE_LIST:
        return f.layout == WR_ARROW_LIST || f.layout == WR_ARROW_LARGE_LIST || f.layout == WR_ARROW_LIST_VIEW;
    default: return strcmp(text, plain_formats[type.id]) == 0;
    }
}

static wr_status fail_request(wr_type type, const struct ArrowSchema *requested, wr_allocator *a, wr_error *err) {
    wr_text name;
    wr_text_init(&name, a);
    wr_type_print(&name, type);
    (void)wr_fail(err, WR_INVALID, "%s cannot be given as Arrow format '%s'",
                  name.failed ? wr_type_id_name((wr_type_id)type.id) : name.data,
                  requested->format ? requested->format : "");
    wr_text_deinit(&name);
    char format[FORMAT_BYTES];
    default_format(type, format);
    switch (type.id) {
    case WR_TYPE_VARCHAR: return wr_hint(err, "ask for 'u', 'U' or 'vu', or for a dictionary of these");
    case WR_TYPE_BLOB: return wr_hint(err, "ask for 'z', 'Z' or 'vz', or for a dictionary of these");
    case WR_TYPE_LIST: return wr_hint(err, "ask for '+l', '+L' or '+vl'");
    default: return wr_hint(err, "ask for '%s', or for a dictionary of it", format);
    }
}

static wr_status check_child_count(const struct ArrowSchema *requested, uint32_t count, wr_error *err) {
    if (!requested || requested->n_children == count) return WR_OK;
    return wr_fail(err, WR_INVALID, "the requested Arrow schema has %lld children where there are %u",
                   (long long)requested->n_children, count);
}

static wr_status export_field(struct ArrowSchema *out, wr_allocator *a, wr_str name, wr_type type, int64_t flags,
                              const struct ArrowSchema *requested, wr_error *err);

/* A map's child: the struct of its keys, which are never NULL, and values. */
static wr_status export_entries(struct ArrowSchema *out, wr_allocator *a, wr_type map,
                                const struct ArrowSchema *requested, wr_error *err) {
    if (requested && !has_layout(wr_vector_child_type(map, 0), requested->format)) {
        return fail_request(wr_vector_child_type(map, 0), requested, a, err);
    }
    WR_TRY(check_child_count(requested, map.child_count, err));
    WR_TRY(make_schema(out, a, WR_STR("entries"), "+s", 0, map.child_count, false, err));
    for (uint32_t i = 0; i < map.child_count; i++) {
        WR_TRY(export_field(out->children[i], a, i ? WR_STR("value") : WR_STR("key"), map.children[i].type,
                            i ? ARROW_FLAG_NULLABLE : 0, requested ? requested->children[i] : NULL, err));
    }
    return WR_OK;
}

static wr_status export_dictionary(struct ArrowSchema *out, wr_allocator *a, wr_str name, wr_type type, int64_t flags,
                                   const struct ArrowSchema *requested, wr_error *err) {
    wr_arrow_format index;
    if (!wr_arrow_format_parse(requested->format, &index) || !wr_arrow_is_integer(&index)) {
        return wr_fail(err, WR_INVALID, "a dictionary cannot have indices of Arrow format '%s'",
                       requested->format ? requested->format : "");
    }
    WR_TRY(make_schema(out, a, name, requested->format, flags, 0, true, err));
    return export_field(out->dictionary, a, (wr_str){"", 0}, type, ARROW_FLAG_NULLABLE, requested->dictionary, err);
}

static wr_status export_values(struct ArrowSchema *out, wr_allocator *a, wr_str name, wr_type type, int64_t flags,
                               const struct ArrowSchema *requested, wr_error *err) {
    char format[FORMAT_BYTES];
    default_format(type, format);
    uint32_t child_count = wr_vector_child_count(type);
    if (requested && !has_layout(type, requested->format)) return fail_request(type, requested, a, err);
    WR_TRY(check_child_count(requested, child_count, err));
    WR_TRY(make_schema(out, a, name, requested ? requested->format : format, flags, child_count, false, err));
    if (type.id == WR_TYPE_UUID) out->metadata = (const char *)&uuid_metadata;
    if (type.id == WR_TYPE_MAP) {
        return export_entries(out->children[0], a, type, requested ? requested->children[0] : NULL, err);
    }
    for (uint32_t i = 0; i < child_count; i++) {
        wr_str child = type.children[i].name;
        if (child.size == 0 && type.id == WR_TYPE_LIST) child = WR_STR("item");
        WR_TRY(export_field(out->children[i], a, child, type.children[i].type, ARROW_FLAG_NULLABLE,
                            requested ? requested->children[i] : NULL, err));
    }
    return WR_OK;
}

static wr_status export_field(struct ArrowSchema *out, wr_allocator *a, wr_str name, wr_type type, int64_t flags,
                              const struct ArrowSchema *requested, wr_error *err) {
    if (requested && requested->dictionary) return export_dictionary(out, a, name, type, flags, requested, err);
    return export_values(out, a, name, type, flags, requested, err);
}

static wr_status export_columns(struct ArrowSchema *out, wr_allocator *a, const wr_schema *columns,
                                const struct ArrowSchema *requested, wr_error *err) {
    for (uint32_t i = 0; i < columns->field_count; i++) {
        const wr_field *field = &columns->fields[i];
        wr_status status = export_field(out->children[i], a, field->name, field->type, ARROW_FLAG_NULLABLE,
                                        requested ? requested->children[i] : NULL, err);
        if (status != WR_OK) {
            (void)wr_error_prefix(err, "column \"%.*s\": ", WR_STR_ARGS(field->name));
            return status;
        }
    }
    return WR_OK;
}

wr_status wr_arrow_schema_export(struct ArrowSchema *out, wr_allocator *a, const wr_schema *columns,
                                 const struct ArrowSchema *requested, wr_error *err) {
    *out = (struct ArrowSchema){0};
    if (requested && (!requested->format || strcmp(requested->format, "+s") != 0)) {
        return wr_fail(err, WR_INVALID, "a schema of Arrow format '%s' was requested; rows are a struct, '+s'",
                       requested->format ? requested->format : "");
    }
    if (requested && requested->n_children != columns->field_count) {
        return wr_fail(err, WR_INVALID, "the requested Arrow schema has %lld columns, the rows have %u",
                       (long long)requested->n_children, columns->field_count);
    }
    WR_TRY(make_schema(out, a, (wr_str){"", 0}, "+s", 0, columns->field_count, false, err));
    wr_status status = export_columns(out, a, columns, requested, err);
    if (status != WR_OK) out->release(out);
    return status;
}

/* ---- in ---- */

typedef struct schema_reader {
    wr_arena *arena;
    uint32_t depth;
} schema_reader;

/* The value of a key in a field's metadata: counted pairs of counted keys and values. */
static bool find_metadata(const char *metadata, const char *key, wr_str *out) {
    int32_t pair_count = 0, size;
    if (metadata) memcpy(&pair_count, metadata, 4);
    const char *at = metadata ? metadata + 4 : NULL;
    for (int32_t i = 0; i < pair_count; i++) {
        wr_str part[2];
        for (int j = 0; j < 2; j++) {
            memcpy(&size, at, 4);
            if (size < 0) return false;
            part[j] = (wr_str){at + 4, (uint32_t)size};
            at += 4 + size;
        }
        if (wr_str_equal(part[0], wr_str_from(key))) {
            *out = part[1];
            return true;
        }
    }
    return false;
}

static wr_status refuse(const struct ArrowSchema *schema, const wr_arrow_format *f, const char *why, wr_error *err) {
    return wr_fail(err, WR_UNSUPPORTED, "Arrow's %s ('%s') has no counterpart here%s%s", f->name, schema->format,
                   *why ? ": " : "", why);
}

static wr_status import_decimal(const struct ArrowSchema *schema, const wr_arrow_format *f, wr_type *out,
                                wr_error *err) {
    if (f->precision > WR_DECIMAL_MAX_DIGITS) return refuse(schema, f, "DECIMAL holds at most 38 digits", err);
    if (f->scale < 0 || f->scale > f->precision) {
        return refuse(schema, f, "the scale of a DECIMAL is between 0 and its precision", err);
    }
    *out = wr_type_decimal((unsigned)f->precision, (unsigned)f->scale);
    return WR_OK;
}

static wr_status import_field(schema_reader *r, const struct ArrowSchema *schema, wr_field *out, wr_error *err);

static wr_status expect_children(const struct ArrowSchema *schema, int64_t least, int64_t most, wr_error *err) {
    if (schema->n_children >= least && schema->n_children <= most) return WR_OK;
    return wr_fail(err, WR_INVALID, "an Arrow schema of format '%s' has %lld children", schema->format,
                   (long long)schema->n_children);
}

static wr_status import_children(schema_reader *r, const struct ArrowSchema *schema, wr_type *out, wr_error *err) {
    uint32_t count = (uint32_t)schema->n_children;
    wr_field *fields = WR_ARENA_ARRAY(r->arena, wr_field, count);
    if (!fields) return wr_fail_memory(err, count * sizeof(wr_field), "an Arrow schema");
    for (uint32_t i = 0; i < count; i++) WR_TRY(import_field(r, schema->children[i], &fields[i], err));
    out->children = fields;
    out->child_count = (uint16_t)count;
    return WR_OK;
}

static wr_status import_nested(schema_reader *r, const struct ArrowSchema *schema, const wr_arrow_format *f,
                               wr_type *out, wr_error *err) {
    switch (f->layout) {
    case WR_ARROW_STRUCT:
        *out = wr_type_of(WR_TYPE_STRUCT);
        WR_TRY(expect_children(schema, 1, UINT16_MAX, err));
        return import_children(r, schema, out, err);
    case WR_ARROW_MAP: {
        *out = wr_type_of(WR_TYPE_MAP);
        WR_TRY(expect_children(schema, 1, 1, err));
        const struct ArrowSchema *entries = schema->children[0];
        if (!entries->format || strcmp(entries->format, "+s") != 0 || entries->n_children != 2) {
            return wr_fail(err, WR_INVALID, "the entries of an Arrow map are no struct of a key and a value");
        }
        return import_children(r, entries, out, err);
    }
    case WR_ARROW_RUN_ENDS: {
        wr_field values;
        WR_TRY(expect_children(schema, 2, 2, err));
        WR_TRY(import_field(r, schema->children[1], &values, err));
        *out = values.type;
        return WR_OK;
    }
    default:
        *out = wr_type_of(WR_TYPE_LIST);
        WR_TRY(expect_children(schema, 1, 1, err));
        return import_children(r, schema, out, err);
    }
}

static wr_type plain_type(const struct ArrowSchema *schema, const wr_arrow_format *f) {
    static const uint8_t ids[] = {
        [WR_ARROW_NULL] = WR_TYPE_NULL,         [WR_ARROW_BOOL] = WR_TYPE_BOOLEAN,
        [WR_ARROW_I8] = WR_TYPE_TINYINT,        [WR_ARROW_U8] = WR_TYPE_UTINYINT,
        [WR_ARROW_I16] = WR_TYPE_SMALLINT,      [WR_ARROW_U16] = WR_TYPE_USMALLINT,
        [WR_ARROW_I32] = WR_TYPE_INTEGER,       [WR_ARROW_U32] = WR_TYPE_UINTEGER,
        [WR_ARROW_I64] = WR_TYPE_BIGINT,        [WR_ARROW_U64] = WR_TYPE_UBIGINT,
        [WR_ARROW_F16] = WR_TYPE_FLOAT,         [WR_ARROW_F32] = WR_TYPE_FLOAT,
        [WR_ARROW_F64] = WR_TYPE_DOUBLE,        [WR_ARROW_TEXT] = WR_TYPE_BLOB,
        [WR_ARROW_LARGE_TEXT] = WR_TYPE_BLOB,   [WR_ARROW_TEXT_VIEW] = WR_TYPE_BLOB,
        [WR_ARROW_FIXED_BINARY] = WR_TYPE_BLOB, [WR_ARROW_DATE_DAYS] = WR_TYPE_DATE,
        [WR_ARROW_DATE_MS] = WR_TYPE_DATE,      [WR_ARROW_TIME32] = WR_TYPE_TIME,
        [WR_ARROW_TIME64] = WR_TYPE_TIME,       [WR_ARROW_TIMESTAMP] = WR_TYPE_TIMESTAMP,
        [WR_ARROW_DURATION] = WR_TYPE_INTERVAL, [WR_ARROW_MONTHS] = WR_TYPE_INTERVAL,
        [WR_ARROW_DAY_TIME] = WR_TYPE_INTERVAL, [WR_ARROW_MONTH_DAY_NANO] = WR_TYPE_INTERVAL,
    };
    wr_type type = wr_type_of((wr_type_id)ids[f->layout]);
    wr_str extension;
    if (f->is_text) type.id = WR_TYPE_VARCHAR;
    if (f->layout == WR_ARROW_TIMESTAMP) {
        type.unit = f->unit;
        if (f->zone[0]) type.id = WR_TYPE_TIMESTAMP_TZ;
    }
    if (f->layout == WR_ARROW_FIXED_BINARY && f->width == 16 &&
        find_metadata(schema->metadata, "ARROW:extension:name", &extension) &&
        wr_str_equal(extension, WR_STR("arrow.uuid"))) {
        type.id = WR_TYPE_UUID;
    }
    return type;
}

static wr_status import_type(schema_reader *r, const struct ArrowSchema *schema, wr_type *out, wr_error *err) {
    wr_arrow_format f;
    if (!wr_arrow_format_parse(schema->format, &f)) {
        return wr_fail(err, WR_INVALID, "'%s' is no Arrow format", schema->format ? schema->format : "");
    }
    if (schema->dictionary) {
        if (!wr_arrow_is_integer(&f)) return refuse(schema, &f, "as the index of a dictionary", err);
        if (schema->dictionary->dictionary) return refuse(schema, &f, "a dictionary of dictionaries", err);
        return import_type(r, schema->dictionary, out, err);
    }
    if (f.layout == WR_ARROW_UNION) return refuse(schema, &f, "", err);
    if (f.layout == WR_ARROW_DECIMAL) return import_decimal(schema, &f, out, err);
    if (f.layout >= WR_ARROW_LIST) return import_nested(r, schema, &f, out, err);
    *out = plain_type(schema, &f);
    return WR_OK;
}

static wr_status import_field(schema_reader *r, const struct ArrowSchema *schema, wr_field *out, wr_error *err) {
    wr_str name = schema->name ? wr_str_from(schema->name) : (wr_str){"", 0};
    if (r->depth == WR_ARROW_MAX_DEPTH) {
        return wr_fail(err, WR_LIMIT, "Arrow types are nested deeper than %d levels", WR_ARROW_MAX_DEPTH);
    }
    r->depth++;
    wr_status status = import_type(r, schema, &out->type, err);
    r->depth--;
    if (status != WR_OK) {
        (void)wr_error_prefix(err, "%s \"%.*s\": ", r->depth ? "field" : "column", WR_STR_ARGS(name));
        return status;
    }
    out->nullable = (schema->flags & ARROW_FLAG_NULLABLE) != 0;
    out->name = wr_arena_copy(r->arena, name);
    return out->name.data ? WR_OK : wr_fail_memory(err, name.size, "an Arrow schema");
}

wr_status wr_arrow_schema_import(wr_schema *out, wr_arena *arena, const struct ArrowSchema *schema, wr_error *err) {
    if (!schema->format || strcmp(schema->format, "+s") != 0) {
        return wr_fail(err, WR_INVALID, "rows come as an Arrow struct, '+s', not as '%s'",
                       schema->format ? schema->format : "");
    }
    if (schema->n_children < 0 || schema->n_children > UINT16_MAX) {
        return wr_fail(err, WR_LIMIT, "an Arrow schema of %lld columns; %d is the most", (long long)schema->n_children,
                       UINT16_MAX);
    }
    schema_reader r = {.arena = arena};
    wr_type rows = {0};
    WR_TRY(import_children(&r, schema, &rows, err));
    *out = (wr_schema){.field_count = rows.child_count, .fields = (wr_field *)(uintptr_t)rows.children};
    return WR_OK;
}
