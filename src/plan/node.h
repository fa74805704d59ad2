/* The unbound plan: what every front end (SQL, DataFrame, Spark Connect) produces and the binder consumes.
 *
 * It is plain data: names, literals as text, children; no types, no pointers to functions; so it can be compared,
 * printed, sent elsewhere and read back equal. All kinds share one shape, so that walking, encoding, comparing and
 * printing are written once; node.def says what each kind holds, and wr_node_check proves that a tree keeps to it.
 * Nodes live in an arena. */
#ifndef WR_PLAN_NODE_H
#define WR_PLAN_NODE_H

#include "base/arena.h"
#include "base/span.h"

typedef enum wr_node_kind {
#define WR_NODE(KIND, name, slots, shape, flags, documentation) WR_NODE_##KIND,
#include "plan/node.def"
    WR_NODE_KINDS
} wr_node_kind;

enum wr_node_flag {
    WR_NODE_ANALYZE = 1 << 0,
    WR_NODE_OR_REPLACE = 1 << 0,
    WR_NODE_IF_EXISTS = 1 << 1,
    WR_NODE_IF_NOT_EXISTS = 1 << 1,
    WR_NODE_TEMPORARY = 1 << 2,
    WR_NODE_RECURSIVE = 1 << 0,
    WR_NODE_MATERIALIZED = 1 << 0,
    WR_NODE_NOT_MATERIALIZED = 1 << 1,
    WR_NODE_ALL = 1 << 0,
    WR_NODE_BY_NAME = 1 << 1,
    WR_NODE_LATERAL = 1 << 0,
    WR_NODE_NATURAL = 1 << 0,
    WR_NODE_ASOF = 1 << 1,
    WR_NODE_DISTINCT = 1 << 0,
    WR_NODE_OPERATOR = 1 << 1,
    WR_NODE_IGNORE_NULLS = 1 << 2,
    WR_NODE_WITHIN_GROUP = 1 << 3,
    WR_NODE_TRY = 1 << 0,
    WR_NODE_NEGATED = 1 << 0,
    WR_NODE_QUOTED = 1 << 0,
    WR_NODE_DESCENDING = 1 << 0,
    WR_NODE_NULLS_FIRST = 1 << 1,
    WR_NODE_NULLS_LAST = 1 << 2,
    WR_NODE_LITERAL = 1 << 0,
};

/* Names of the fixed slots of the larger kinds. */
enum { WR_QUERY_WITH, WR_QUERY_BODY, WR_QUERY_ORDER, WR_QUERY_LIMIT, WR_QUERY_OFFSET };
enum {
    WR_SELECT_DISTINCT,
    WR_SELECT_ITEMS,
    WR_SELECT_FROM,
    WR_SELECT_WHERE,
    WR_SELECT_GROUP,
    WR_SELECT_HAVING,
    WR_SELECT_WINDOWS,
    WR_SELECT_QUALIFY
};
enum { WR_JOIN_LEFT, WR_JOIN_RIGHT, WR_JOIN_ON, WR_JOIN_USING };
enum { WR_CALL_ARGUMENTS, WR_CALL_FILTER, WR_CALL_ORDER, WR_CALL_WINDOW };
enum { WR_STAR_QUALIFIER, WR_STAR_EXCLUDE, WR_STAR_REPLACE };
enum { WR_CASE_OPERAND, WR_CASE_BRANCHES, WR_CASE_ELSE };
enum { WR_WINDOW_PARTITION, WR_WINDOW_ORDER, WR_WINDOW_FRAME };

typedef struct wr_node {
    uint16_t kind; /* wr_node_kind */
    uint16_t flags;
    uint32_t position; /* in the SQL text, or WR_NO_POSITION */
    wr_str text;
    uint32_t child_count;
    struct wr_node **children;
} wr_node;

/* Of a tree, the root counting one. An operator takes two levels (the call and its list), so a chain of them may have
 * half as many terms; AND, OR and lists have any number on one level. */
enum { WR_NODE_DEPTH_MAX = 1000 };
/* Of the encoding. */
enum { WR_NODE_VERSION = 1 };

/* A node with `child_count` NULL children (for kinds with fixed slots: their number). NULL when there is no memory. */
wr_node *wr_node_create(wr_arena *arena, wr_node_kind kind, uint32_t position, uint32_t child_count);
const char *wr_node_kind_name(wr_node_kind kind);
/* How many fixed slots the kind has, or -1. */
int wr_node_slot_count(wr_node_kind kind);
/* Proves that the tree keeps to node.def: slots, their shapes, flags, texts with a fixed vocabulary, depth. A tree that
 * no parser of ours made is checked before any other call sees it. */
WR_MUST_CHECK wr_status wr_node_check(const wr_node *node, wr_error *err);
/* Same kinds, flags, texts and children; positions do not count. Identifiers without quotes compare without case. */
bool wr_node_equal(const wr_node *a, const wr_node *b);
/* A deep copy, texts too; NULL when there is no memory. */
wr_node *wr_node_copy(wr_arena *arena, const wr_node *node);

/* The versioned encoding: plain bytes that read back equal, positions included. Reading trusts nothing and checks the
 * tree; texts are copied into the arena. */
WR_MUST_CHECK wr_status wr_node_encode(const wr_node *node, wr_text *out, wr_error *err);
WR_MUST_CHECK wr_status wr_node_decode(wr_span *in, wr_arena *arena, wr_node **out, wr_error *err);
/* (query _ (select _ [(column a) 1] (table t))): plain lists in brackets, `_` for an empty slot, none at the end; flags
 * behind the kind as in (join:natural left …). For tests and bug reports. */
void wr_node_print(const wr_node *node, wr_text *out);

#endif
