/* The schema of a file: a tree of elements, written depth first, becomes fields with types.
 *
 * Nested fields get their full types, for DESCRIBE; that they cannot be read yet is said when they are selected. The
 * rules for lists written by old writers are those of the format's LogicalTypes.md. */
#include "format/parquet/schema.h"

enum { DEPTH_MAX = 64, FIELDS_MAX = UINT16_MAX };

typedef struct builder {
    const wr_pq_footer *footer;
    wr_arena *arena;
    wr_pq_schema *out;
    uint32_t at; /* element */
    uint32_t leaf;
    wr_error *err;
} builder;

/* ---- columns ---- */

static wr_type integer_type(unsigned bits, bool is_signed) {
    switch (bits) {
    case 8: return wr_type_of(is_signed ? WR_TYPE_TINYINT : WR_TYPE_UTINYINT);
    case 16: return wr_type_of(is_signed ? WR_TYPE_SMALLINT : WR_TYPE_USMALLINT);
    case 32: return wr_type_of(is_signed ? WR_TYPE_INTEGER : WR_TYPE_UINTEGER);
    default: return wr_type_of(is_signed ? WR_TYPE_BIGINT : WR_TYPE_UBIGINT);
    }
}

static wr_type physical_type(wr_pq_physical physical) {
    static const uint8_t ids[WR_PQ_PHYSICALS] = {
        [WR_PQ_BOOLEAN] = WR_TYPE_BOOLEAN, [WR_PQ_INT32] = WR_TYPE_INTEGER, [WR_PQ_INT64] = WR_TYPE_BIGINT,
        [WR_PQ_INT96] = WR_TYPE_TIMESTAMP, [WR_PQ_FLOAT] = WR_TYPE_FLOAT,   [WR_PQ_DOUBLE] = WR_TYPE_DOUBLE,
        [WR_PQ_BYTE_ARRAY] = WR_TYPE_BLOB, [WR_PQ_FIXED] = WR_TYPE_BLOB,
    };
    wr_type type = wr_type_of(ids[physical]);
    if (physical == WR_PQ_INT96) type.unit = WR_UNIT_NS;
    return type;
}

static wr_type decimal_type(const wr_pq_element *e, const char **refusal) {
    if (e->precision > WR_DECIMAL_MAX_DIGITS) *refusal = "a DECIMAL of more than 38 digits";
    if (e->precision == 0 || e->scale > e->precision) *refusal = "a DECIMAL whose precision and scale do not fit";
    return *refusal ? wr_type_of(WR_TYPE_BLOB) : wr_type_decimal(e->precision, e->scale);
}

/* An annotation that does not fit its physical type is left aside, as the format asks. */
static wr_type annotated_type(const wr_pq_element *e, const char **refusal) {
    bool is_text = e->physical == WR_PQ_BYTE_ARRAY, is_fixed = e->physical == WR_PQ_FIXED;
    bool is_32 = e->physical == WR_PQ_INT32, is_64 = e->physical == WR_PQ_INT64;
    wr_type type = physical_type((wr_pq_physical)e->physical);
    switch (e->logical) {
    case WR_PQ_STRING:
    case WR_PQ_ENUM:
    case WR_PQ_JSON:
        if (is_text) type = wr_type_of(WR_TYPE_VARCHAR);
        break;
    case WR_PQ_DECIMAL:
        if (is_text || is_fixed || is_32 || is_64) type = decimal_type(e, refusal);
        break;
    case WR_PQ_DATE:
        if (is_32) type = wr_type_of(WR_TYPE_DATE);
        break;
    case WR_PQ_TIME:
        if (is_32 || is_64) type = wr_type_of(WR_TYPE_TIME);
        break;
    case WR_PQ_TIMESTAMP:
        if (is_64) type = wr_type_of(e->is_utc ? WR_TYPE_TIMESTAMP_TZ : WR_TYPE_TIMESTAMP);
        if (is_64) type.unit = e->unit;
        break;
    case WR_PQ_INTEGER:
        if ((is_32 && e->bits <= 32) || (is_64 && e->bits == 64)) type = integer_type(e->bits, e->is_signed);
        break;
    case WR_PQ_UUID:
        if (is_fixed && e->fixed_bytes == 16) type = wr_type_of(WR_TYPE_UUID);
        break;
    case WR_PQ_FLOAT16:
        if (is_fixed && e->fixed_bytes == 2) type = wr_type_of(WR_TYPE_FLOAT);
        break;
    case WR_PQ_INTERVAL:
        if (is_fixed && e->fixed_bytes == 12) type = wr_type_of(WR_TYPE_INTERVAL);
        break;
    default: break;
    }
    return type;
}

static wr_status build_leaf(builder *b, const wr_pq_element *e, unsigned definition_max, wr_type *type) {
    wr_pq_leaf *leaf = &b->out->leaves[b->leaf++];
    leaf->physical = e->physical;
    leaf->definition_max = (uint8_t)definition_max;
    leaf->fixed_bytes = e->fixed_bytes;
    if (e->physical == WR_PQ_FIXED && e->fixed_bytes == 0) {
        return wr_fail(b->err, WR_CORRUPT, "column '%.*s' has fixed-size values of no size", WR_STR_ARGS(e->name));
    }
    leaf->type = annotated_type(e, &leaf->refusal);
    wr_pq_leaf_set_conversion(leaf, e);
    *type = leaf->type;
    return WR_OK;
}

/* ---- the tree ---- */

static wr_status build_field(builder *b, wr_field *out, unsigned depth, unsigned definition_max, bool repetition_done);

static wr_status make_children(builder *b, wr_type *type, uint32_t count, wr_field **out) {
    if (count > FIELDS_MAX)
        return wr_fail(b->err, WR_LIMIT, "a group of the schema has %u fields, at most %u", count, FIELDS_MAX);
    *out = WR_ARENA_ARRAY(b->arena, wr_field, count + 1);
    if (!*out) return wr_fail_memory(b->err, sizeof(wr_field) * count, "a schema");
    type->children = *out;
    type->child_count = (uint16_t)count;
    return WR_OK;
}

static wr_status build_struct(builder *b, const wr_pq_element *e, wr_type *type, unsigned depth,
                              unsigned definition_max) {
    wr_field *children;
    *type = wr_type_of(WR_TYPE_STRUCT);
    WR_TRY(make_children(b, type, e->child_count, &children));
    for (uint32_t i = 0; i < e->child_count; i++) {
        WR_TRY(build_field(b, &children[i], depth + 1, definition_max, false));
    }
    return WR_OK;
}

/* True when the repeated group is itself the element of the list, not a layer around it. */
static bool group_is_element(const wr_pq_element *list, const wr_pq_element *group) {
    if (group->physical != WR_PQ_GROUP || group->child_count != 1 || wr_str_equal(group->name, WR_STR("array")))
        return true;
    static const wr_str tuple = {"_tuple", 6};
    wr_str head = {group->name.data, list->name.size};
    wr_str tail = {group->name.data + list->name.size, tuple.size};
    return group->name.size == list->name.size + tuple.size && wr_str_equal(head, list->name) &&
           wr_str_equal(tail, tuple);
}

static wr_status build_list(builder *b, const wr_pq_element *e, wr_type *type, unsigned depth,
                            unsigned definition_max) {
    wr_field *child;
    const wr_pq_element *group = &b->footer->elements[b->at];
    *type = wr_type_of(WR_TYPE_LIST);
    WR_TRY(make_children(b, type, 1, &child));
    if (group_is_element(e, group)) return build_field(b, child, depth + 1, definition_max + 1, true);
    b->at++;
    return build_field(b, child, depth + 2, definition_max + 1, false);
}

static wr_status build_map(builder *b, wr_type *type, unsigned depth, unsigned definition_max) {
    wr_field *children;
    *type = wr_type_of(WR_TYPE_MAP);
    WR_TRY(make_children(b, type, 2, &children));
    b->at++;
    for (uint32_t i = 0; i < 2; i++) WR_TRY(build_field(b, &children[i], depth + 2, definition_max + 1, false));
    return WR_OK;
}

static wr_status build_type(builder *b, const wr_pq_element *e, wr_type *type, unsigned depth,
                            unsigned definition_max) {
    if (e->physical != WR_PQ_GROUP) return build_leaf(b, e, definition_max, type);
    const wr_pq_element *next = b->at < b->footer->element_count ? &b->footer->elements[b->at] : NULL;
    bool wraps = e->child_count == 1 && next && next->repetition == WR_PQ_REPEATED;
    if (e->logical == WR_PQ_LIST && wraps) return build_list(b, e, type, depth, definition_max);
    bool is_entry = wraps && next->physical == WR_PQ_GROUP && next->child_count == 2;
    if (e->logical == WR_PQ_MAP && is_entry) return build_map(b, type, depth, definition_max);
    return build_struct(b, e, type, depth, definition_max);
}

/* The element at b->at and what is below it. */
static wr_status build_field(builder *b, wr_field *out, unsigned depth, unsigned definition_max, bool repetition_done) {
    if (b->at >= b->footer->element_count) return wr_fail(b->err, WR_CORRUPT, "the schema ends within a group");
    if (depth > DEPTH_MAX) return wr_fail(b->err, WR_LIMIT, "the schema is more than %d levels deep", DEPTH_MAX);
    const wr_pq_element *e = &b->footer->elements[b->at++];
    out->name = e->name;
    out->nullable = e->repetition == WR_PQ_OPTIONAL;
    if (e->repetition == WR_PQ_REPEATED && !repetition_done) {
        wr_field *child;
        out->type = wr_type_of(WR_TYPE_LIST);
        WR_TRY(make_children(b, &out->type, 1, &child));
        child->name = e->name;
        return build_type(b, e, &child->type, depth + 1, definition_max + 1);
    }
    return build_type(b, e, &out->type, depth, definition_max + (e->repetition == WR_PQ_OPTIONAL));
}

wr_status wr_pq_schema_build(wr_pq_schema *out, const wr_pq_footer *footer, wr_arena *arena, wr_error *err) {
    builder b = {footer, arena, out, 1, 0, err};
    uint32_t count = footer->elements[0].child_count;
    if (count >= footer->element_count && count) {
        return wr_fail(err, WR_CORRUPT, "the schema's root has %u fields, but there are only %u elements", count,
                       footer->element_count - 1);
    }
    *out = (wr_pq_schema){
        .leaf_count = footer->leaf_count,
        .leaves = WR_ARENA_ARRAY(arena, wr_pq_leaf, footer->leaf_count + 1),
        .fields = {count, WR_ARENA_ARRAY(arena, wr_field, count + 1)},
        .columns = WR_ARENA_ARRAY(arena, wr_pq_column, count + 1),
    };
    if (!out->leaves || !out->fields.fields || !out->columns) {
        return wr_fail_memory(err, sizeof(wr_pq_leaf) * footer->leaf_count, "a schema");
    }
    for (uint32_t i = 0; i < count; i++) {
        out->columns[i].leaf = b.leaf;
        WR_TRY(build_field(&b, &out->fields.fields[i], 1, 0, false));
        out->columns[i].nested = out->fields.fields[i].type.id >= WR_TYPE_LIST;
    }
    if (b.at != footer->element_count || b.leaf != footer->leaf_count) {
        return wr_fail(err, WR_CORRUPT, "the schema's root has %u fields, which use %u of its %u elements", count, b.at,
                       footer->element_count);
    }
    return WR_OK;
}
