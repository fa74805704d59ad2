/* Unbound nodes: creating, checking, comparing, copying, encoding and printing, each one walk over the shape that all
 * kinds share; what differs between kinds is read from node.def. Walks recurse: wr_node_check bounds the depth of
 * every tree that others may walk. */
#include "plan/node.h"

#include "base/utf8.h"

typedef struct kind_info {
    const char *name;
    int slots;
    const char *shape, *flags;
} kind_info;

static const kind_info infos[WR_NODE_KINDS] = {
#define WR_NODE(KIND, name, slots, shape, flags, documentation) [WR_NODE_##KIND] = {name, slots, shape, flags},
#include "plan/node.def"
};

const char *wr_node_kind_name(wr_node_kind kind) {
    return (unsigned)kind < WR_NODE_KINDS ? infos[kind].name : "unknown";
}

int wr_node_slot_count(wr_node_kind kind) {
    return infos[kind].slots;
}

wr_node *wr_node_create(wr_arena *arena, wr_node_kind kind, uint32_t position, uint32_t child_count) {
    wr_node *node = wr_arena_alloc(arena, sizeof(wr_node) + sizeof(wr_node *) * (size_t)child_count);
    if (!node) return NULL;
    node->kind = (uint16_t)kind;
    node->position = position;
    node->text = (wr_str){"", 0};
    node->child_count = child_count;
    node->children = (wr_node **)(node + 1);
    return node;
}

/* ---- flags ---- */

/* The name of the flag with this bit number, size 0 when the bit has no meaning. Names are divided by blanks. */
static wr_str flag_name(const kind_info *info, unsigned bit) {
    const char *at = info->flags;
    while (bit > 0 && (at = strchr(at, ' '))) {
        at++;
        bit--;
    }
    if (!at || *at == '-') return (wr_str){"", 0};
    return (wr_str){at, (uint32_t)strcspn(at, " ")};
}

static bool flags_known(const kind_info *info, uint16_t flags) {
    for (unsigned bit = 0; flags >> bit; bit++) {
        if ((flags >> bit & 1) && flag_name(info, bit).size == 0) return false;
    }
    return true;
}

/* ---- checking ---- */

#define BIT(KIND) (UINT64_C(1) << WR_NODE_##KIND)
_Static_assert(WR_NODE_KINDS <= 64, "classes are masks of kinds");

/* A list counts as an expression only with the flag literal; see belongs. */
static const uint64_t expressions = BIT(COLUMN) | BIT(NUMBER) | BIT(STRING) | BIT(NULL) | BIT(BOOLEAN) | BIT(INTERVAL) |
                                    BIT(TYPED) | BIT(PARAMETER) | BIT(CALL) | BIT(FIELD) | BIT(SLICE) | BIT(CAST) |
                                    BIT(CASE) | BIT(AND) | BIT(OR) | BIT(NOT) | BIT(BETWEEN) | BIT(IN) |
                                    BIT(QUANTIFIED) | BIT(EXISTS) | BIT(SCALAR_QUERY) | BIT(IS) | BIT(LIST);
static const uint64_t relations =
    BIT(TABLE) | BIT(FILE) | BIT(TABLE_FUNCTION) | BIT(DERIVED) | BIT(RELATION_ALIAS) | BIT(JOIN);

static uint64_t class_kinds(char letter) {
    switch (letter) {
    case 's': return BIT(EXPLAIN) | BIT(SET) | BIT(CREATE_VIEW) | BIT(DROP_VIEW) | BIT(QUERY);
    case 'q': return BIT(QUERY);
    case 'b': return BIT(QUERY) | BIT(SELECT) | BIT(SET_OPERATION) | BIT(VALUES);
    case 'c': return BIT(CTE);
    case 'r': return relations;
    case 'e': return expressions;
    case 't': return expressions | BIT(ALIAS) | BIT(STAR);
    case 'a': return expressions | BIT(ALIAS) | BIT(STAR) | BIT(LAMBDA);
    case 'v':
    case 'm': return expressions | BIT(QUERY);
    case 'x': return expressions | BIT(WINDOW);
    case 'i': return BIT(IDENTIFIER);
    case 'k': return BIT(ORDER_KEY);
    case 'w': return BIT(WINDOW);
    case 'f': return BIT(FRAME);
    case 'd':
    case 'n': return BIT(ALIAS);
    case 'o': return BIT(COLUMN);
    case 'g': return BIT(STAR) | BIT(LIST);
    default: return 0;
    }
}

static bool is_plain_list(const wr_node *node) {
    return node->kind == WR_NODE_LIST && !(node->flags & WR_NODE_LITERAL);
}

static bool all_belong(char letter, const wr_node *list);

static bool belongs(char letter, const wr_node *node) {
    if (letter == '*') return true;
    if (!(class_kinds(letter) >> node->kind & 1)) return false;
    if (node->kind == WR_NODE_ALIAS && node->child_count == 1 && node->children[0]) {
        return (node->children[0]->kind == WR_NODE_WINDOW) == (letter == 'd');
    }
    if (is_plain_list(node)) return (letter == 'g' || letter == 'v') && all_belong('e', node);
    return letter != 'g' || node->kind == WR_NODE_STAR;
}

static bool all_belong(char letter, const wr_node *list) {
    for (uint32_t i = 0; i < list->child_count; i++) {
        const wr_node *child = list->children[i];
        if (!child || child->kind >= WR_NODE_KINDS || !belongs(letter, child)) return false;
    }
    return true;
}

typedef struct slot_shape {
    char letter;
    bool list, optional;
} slot_shape;

static slot_shape shape_next(const char **at) {
    slot_shape shape = {.list = **at == '['};
    if (shape.list) *at += 1;
    shape.letter = **at;
    *at += shape.list ? 2 : 1;
    shape.optional = **at == '?';
    if (shape.optional) *at += 1;
    return shape;
}

static bool slot_fits(slot_shape shape, const wr_node *child) {
    if (!child) return shape.optional;
    if (child->kind >= WR_NODE_KINDS) return false;
    if (shape.list) return is_plain_list(child) && all_belong(shape.letter, child);
    return belongs(shape.letter, child);
}

/* The word at *at in a text of words divided by single blanks; *at moves behind the blank. */
static wr_str word_next(wr_str text, uint32_t *at) {
    uint32_t begin = *at, end = begin;
    while (end < text.size && text.data[end] != ' ') end++;
    *at = end + (end < text.size);
    return (wr_str){text.data + begin, end - begin};
}

static bool word_among(wr_str word, const char *words) {
    for (const char *at = words; *at;) {
        size_t size = strcspn(at, " ");
        if (wr_str_equal(word, (wr_str){at, (uint32_t)size})) return true;
        at += size + (at[size] == ' ');
    }
    return false;
}

/* A bound with an offset is preceding or following, and no other has one. */
static bool frame_text_fits(const wr_node *node) {
    uint32_t at = 0;
    if (node->text.size == 0 || node->text.data[node->text.size - 1] == ' ') return false;
    if (!word_among(word_next(node->text, &at), "rows range groups")) return false;
    for (unsigned i = 0; i < 2; i++) {
        wr_str bound = word_next(node->text, &at);
        bool offset = word_among(bound, "preceding following");
        if (!offset && !word_among(bound, "unbounded current")) return false;
        if (offset != (node->children[i] != NULL)) return false;
    }
    if (at == node->text.size) return true;
    wr_str exclusion = word_next(node->text, &at);
    return word_among(exclusion, "exclude_current exclude_group exclude_ties") && at == node->text.size;
}

static bool text_fits(const wr_node *node) {
    wr_str text = node->text;
    switch (node->kind) {
    case WR_NODE_SET_OPERATION: return word_among(text, "union intersect except");
    case WR_NODE_JOIN: return word_among(text, "inner left right full cross semi anti positional");
    case WR_NODE_BOOLEAN: return word_among(text, "true false");
    case WR_NODE_INTERVAL:
        return text.size == 0 || word_among(text, "millennium century decade year quarter month week day hour minute "
                                                  "second millisecond microsecond");
    case WR_NODE_TYPED: {
        const char *zero = memchr(text.data, 0, text.size);
        return zero && !memchr(zero + 1, 0, (size_t)(text.data + text.size - zero - 1));
    }
    case WR_NODE_IS:
        return word_among(text, "null true false unknown distinct") &&
               (node->children[1] != NULL) == word_among(text, "distinct");
    case WR_NODE_FRAME: return frame_text_fits(node);
    default: return true;
    }
}

static wr_status fail_shape(const wr_node *node, wr_error *err, const char *what) {
    return wr_fail_at(err, WR_INVALID, node->position, "the plan is malformed: a node \"%s\" %s",
                      infos[node->kind].name, what);
}

static wr_status check_self(const wr_node *node, wr_error *err) {
    const kind_info *info = &infos[node->kind];
    if (!flags_known(info, node->flags)) return fail_shape(node, err, "has a flag that it cannot have");
    const char *at = info->shape;
    if (info->slots >= 0) {
        if (node->child_count != (uint32_t)info->slots) return fail_shape(node, err, "has a wrong number of slots");
        for (uint32_t i = 0; i < node->child_count; i++) {
            if (!slot_fits(shape_next(&at), node->children[i])) {
                return fail_shape(node, err, "holds what does not belong there");
            }
        }
    } else {
        uint32_t least = *at >= '0' && *at <= '9' ? (uint32_t)(*at++ - '0') : 0;
        if (node->child_count < least) return fail_shape(node, err, "has too few children");
        slot_shape shape = shape_next(&at);
        if (node->kind == WR_NODE_LIST && (node->flags & WR_NODE_LITERAL)) shape.letter = 'e';
        for (uint32_t i = 0; i < node->child_count; i++) {
            if (!slot_fits(shape, node->children[i])) return fail_shape(node, err, "holds what does not belong there");
        }
    }
    if (!text_fits(node)) return fail_shape(node, err, "has a text that it cannot have");
    return WR_OK;
}

static wr_status check_depth(const wr_node *node, uint32_t depth, wr_error *err) {
    if (depth > WR_NODE_DEPTH_MAX) {
        wr_fail_at(err, WR_LIMIT, node->position, "the statement is nested more than %d levels deep",
                   WR_NODE_DEPTH_MAX);
        wr_hint(err, "split it with WITH or views; a chain of operators takes two levels for each of its terms");
        return WR_LIMIT;
    }
    WR_TRY(check_self(node, err));
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (node->children[i]) WR_TRY(check_depth(node->children[i], depth + 1, err));
    }
    return WR_OK;
}

wr_status wr_node_check(const wr_node *node, wr_error *err) {
    if (node->kind >= WR_NODE_KINDS) return wr_fail(err, WR_INVALID, "the plan is malformed: unknown kind of node");
    return check_depth(node, 1, err);
}

/* ---- comparing and copying ---- */

bool wr_node_equal(const wr_node *a, const wr_node *b) {
    if (!a || !b) return a == b;
    if (a->kind != b->kind || a->flags != b->flags || a->child_count != b->child_count) return false;
    bool folded = a->kind == WR_NODE_IDENTIFIER && !(a->flags & WR_NODE_QUOTED);
    if (folded ? !wr_str_equal_nocase(a->text, b->text) : !wr_str_equal(a->text, b->text)) return false;
    for (uint32_t i = 0; i < a->child_count; i++) {
        if (!wr_node_equal(a->children[i], b->children[i])) return false;
    }
    return true;
}

static bool text_copy(wr_arena *arena, wr_node *node, wr_str text) {
    if (text.size == 0) return true;
    node->text = wr_arena_copy(arena, text);
    return node->text.data != NULL;
}

wr_node *wr_node_copy(wr_arena *arena, const wr_node *node) {
    wr_node *copy = wr_node_create(arena, node->kind, node->position, node->child_count);
    if (!copy || !text_copy(arena, copy, node->text)) return NULL;
    copy->flags = node->flags;
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (!node->children[i]) continue;
        copy->children[i] = wr_node_copy(arena, node->children[i]);
        if (!copy->children[i]) return NULL;
    }
    return copy;
}

/* ---- encoding ----
 * "WN", the version, then the nodes in preorder: kind (a byte; NO_NODE for an empty slot), flags, position + 1, size
 * and bytes of the text, number of children; numbers as varints. */

enum { NO_NODE = 0xff };
static const char magic[2] = {'W', 'N'};

static void put_byte(wr_text *out, unsigned byte) {
    wr_text_add(out, &(char){(char)byte}, 1);
}

static void put_varint(wr_text *out, uint32_t value) {
    for (; value >= 0x80; value >>= 7) put_byte(out, (value & 0x7f) | 0x80);
    put_byte(out, value);
}

static void put_node(wr_text *out, const wr_node *node) {
    if (!node) {
        put_byte(out, NO_NODE);
        return;
    }
    put_byte(out, node->kind);
    put_varint(out, node->flags);
    put_varint(out, node->position + 1); /* none becomes 0 */
    put_varint(out, node->text.size);
    wr_text_add(out, node->text.data, node->text.size);
    put_varint(out, node->child_count);
    for (uint32_t i = 0; i < node->child_count; i++) put_node(out, node->children[i]);
}

wr_status wr_node_encode(const wr_node *node, wr_text *out, wr_error *err) {
    wr_text_add(out, magic, sizeof magic);
    put_byte(out, WR_NODE_VERSION);
    put_node(out, node);
    return out->failed ? wr_fail_memory(err, out->size, "an encoded plan") : WR_OK;
}

static wr_status fail_encoding(const wr_span *in, wr_error *err, const char *what) {
    return wr_fail(err, WR_CORRUPT, "encoded plan: %s at byte %zu", what, in->at);
}

static wr_status get_varint(wr_span *in, uint32_t most, const char *what, uint32_t *out, wr_error *err) {
    uint64_t value;
    if (!wr_span_varint(in, &value)) return fail_encoding(in, err, "it ends too early, or a number is too long,");
    if (value > most) return fail_encoding(in, err, what);
    *out = (uint32_t)value;
    return WR_OK;
}

static wr_status get_text(wr_span *in, wr_arena *arena, wr_node *node, wr_error *err) {
    uint32_t size;
    WR_TRY(get_varint(in, UINT32_MAX, "a text is too long", &size, err));
    const uint8_t *data = wr_span_take(in, size);
    if (!data) return fail_encoding(in, err, "it ends inside a text");
    wr_str text = {(const char *)data, size};
    if (wr_utf8_valid_prefix(text) != size) return fail_encoding(in, err, "a text is not UTF-8 before");
    if (!text_copy(arena, node, text)) return wr_fail_memory(err, size, "a plan");
    return WR_OK;
}

static wr_status get_node(wr_span *in, wr_arena *arena, uint32_t depth, wr_node **out, wr_error *err) {
    uint8_t kind = NO_NODE;
    uint32_t flags, position, child_count;
    wr_node head = {.text = {"", 0}};
    *out = NULL;
    if (!wr_span_u8(in, &kind)) return fail_encoding(in, err, "it ends too early");
    if (kind == NO_NODE) return WR_OK;
    if (kind >= WR_NODE_KINDS) return fail_encoding(in, err, "unknown kind of node before");
    if (depth > WR_NODE_DEPTH_MAX)
        return wr_fail(err, WR_LIMIT, "encoded plan: nested more than %d levels deep", WR_NODE_DEPTH_MAX);
    WR_TRY(get_varint(in, UINT16_MAX, "unknown flags before", &flags, err));
    WR_TRY(get_varint(in, UINT32_MAX, "a position is too large before", &position, err));
    WR_TRY(get_text(in, arena, &head, err));
    WR_TRY(get_varint(in, UINT32_MAX, "too many children before", &child_count, err));
    if (child_count > wr_span_left(in)) return fail_encoding(in, err, "more children than bytes");
    wr_node *node = wr_node_create(arena, kind, position - 1, child_count);
    if (!node) return wr_fail_memory(err, sizeof *node, "a plan");
    node->flags = (uint16_t)flags;
    node->text = head.text;
    for (uint32_t i = 0; i < child_count; i++) WR_TRY(get_node(in, arena, depth + 1, &node->children[i], err));
    *out = node;
    return WR_OK;
}

wr_status wr_node_decode(wr_span *in, wr_arena *arena, wr_node **out, wr_error *err) {
    uint8_t version = 0;
    *out = NULL;
    const uint8_t *head = wr_span_take(in, sizeof magic);
    if (!head || memcmp(head, magic, sizeof magic) != 0 || !wr_span_u8(in, &version)) {
        return wr_fail(err, WR_CORRUPT, "encoded plan: it does not start as one");
    }
    if (version != WR_NODE_VERSION) {
        return wr_fail(err, WR_UNSUPPORTED, "encoded plan: version %u, expected version %d", version, WR_NODE_VERSION);
    }
    wr_node *node;
    WR_TRY(get_node(in, arena, 1, &node, err));
    if (!node) return fail_encoding(in, err, "it holds no node");
    WR_TRY(wr_node_check(node, err));
    *out = node;
    return WR_OK;
}

/* ---- printing ---- */

static void print_quoted(wr_text *out, char quote, wr_str text) {
    wr_text_add(out, &quote, 1);
    for (uint32_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20) {
            wr_text_format(out, "\\x%02x", c);
            continue;
        }
        if (c == (unsigned char)quote) wr_text_add(out, &quote, 1);
        wr_text_add(out, text.data + i, 1);
    }
    wr_text_add(out, &quote, 1);
}

/* Bare when it cannot be taken for the notation around it. */
static void print_text(wr_text *out, wr_str text) {
    bool bare = text.size > 0 && !(text.size == 1 && text.data[0] == '_');
    for (uint32_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= 0x20 || strchr("()[]'\"", c)) bare = false;
    }
    if (bare) {
        wr_text_add(out, text.data, text.size);
    } else {
        print_quoted(out, '\'', text);
    }
}

/* Kinds that read better without parentheses. */
static bool print_leaf(const wr_node *node, wr_text *out) {
    switch (node->kind) {
    case WR_NODE_NUMBER:
    case WR_NODE_BOOLEAN: print_text(out, node->text); return true;
    case WR_NODE_NULL: wr_text_addz(out, "null"); return true;
    case WR_NODE_STRING: print_quoted(out, '\'', node->text); return true;
    case WR_NODE_IDENTIFIER:
        if (node->flags & WR_NODE_QUOTED) {
            print_quoted(out, '"', node->text);
        } else {
            print_text(out, node->text);
        }
        return true;
    default: return false;
    }
}

static void print_head(const wr_node *node, wr_text *out) {
    const kind_info *info = &infos[node->kind];
    wr_text_format(out, "(%s", info->name);
    for (unsigned bit = 0; node->flags >> bit; bit++) {
        if (node->flags >> bit & 1) wr_text_format(out, ":%.*s", WR_STR_ARGS(flag_name(info, bit)));
    }
    const char *zero = node->kind == WR_NODE_TYPED ? memchr(node->text.data, 0, node->text.size) : NULL;
    if (zero) {
        uint32_t type_size = (uint32_t)(zero - node->text.data);
        wr_text_addz(out, " ");
        print_text(out, (wr_str){node->text.data, type_size});
        wr_text_addz(out, " ");
        print_quoted(out, '\'', (wr_str){zero + 1, node->text.size - type_size - 1});
    } else if (node->text.size > 0) {
        wr_text_addz(out, " ");
        print_text(out, node->text);
    }
}

static void print_node(const wr_node *node, uint32_t depth, wr_text *out) {
    if (!node || node->kind >= WR_NODE_KINDS || depth > WR_NODE_DEPTH_MAX) {
        wr_text_addz(out, node ? "…" : "_");
        return;
    }
    if (print_leaf(node, out)) return;
    bool brackets = is_plain_list(node);
    if (brackets) {
        wr_text_addz(out, "[");
    } else {
        print_head(node, out);
    }
    uint32_t count = node->child_count;
    while (count > 0 && !node->children[count - 1]) count--;
    for (uint32_t i = 0; i < count; i++) {
        if (!brackets || i > 0) wr_text_addz(out, " ");
        print_node(node->children[i], depth + 1, out);
    }
    wr_text_addz(out, brackets ? "]" : ")");
}

void wr_node_print(const wr_node *node, wr_text *out) {
    print_node(node, 1, out);
}
