/* The joins of one region of a plan as a hypergraph, for the enumeration of their orders.
 *
 * Relations are the inputs of the region, numbered; sets of them are bits of a word. An operator is a conjunct of an
 * inner join, or a whole join of another kind. Which operators may be applied when two sets are joined follows from its
 * TES, the relations that must be there on either side, and from its conflict rules ("if one of these is there, all of
 * those must be"): Moerkotte, Fender and Eich 2013, On the Correct and Complete Enumeration of the Core Search Space.
 */
#ifndef WR_OPTIMIZE_JOIN_GRAPH_H
#define WR_OPTIMIZE_JOIN_GRAPH_H

#include "optimize/optimize_internal.h"

typedef uint64_t wr_relations; /* a set */
enum { WR_RELATIONS_MAX = 64, WR_JOIN_PAIRS_MAX = 10000 };

static inline wr_relations wr_relation_bit(uint32_t i) {
    return UINT64_C(1) << i;
}
static inline bool wr_relations_contain(wr_relations outer, wr_relations inner) {
    return (inner & ~outer) == 0;
}

typedef struct wr_conflict_rule {
    wr_relations when, needs;
} wr_conflict_rule;

typedef struct wr_join_operator {
    uint8_t kind;             /* wr_join_kind */
    wr_relations uses;        /* what its condition reads */
    wr_relations left, right; /* what must be on either side; an inner one may have them swapped */
    wr_conflict_rule *rules;
    uint32_t rule_count, rule_capacity;
    /* INNER: one conjunct, an equality of two sides or any condition. */
    bool is_key, null_equals_null;
    wr_join_key key;
    wr_relations key_left, key_right;
    /* Equalities of columns that follow from each other are of one class; 0: none. Its columns are numbered. */
    uint32_t class_id, left_member, right_member;
    wr_expr *condition;
    /* Others: the join, whose keys and residual are kept. */
    wr_logical *join;
    wr_join_key *keys;
    uint32_t key_count;
    wr_expr **residual;
    uint32_t residual_count;
} wr_join_operator;

typedef struct wr_relation {
    wr_logical *node;
    double rows, bytes; /* of a row */
    wr_column_set columns;
} wr_relation;

typedef struct wr_join_graph {
    wr_plan *plan;
    wr_estimator *estimator;
    const wr_optimizer_context *context;
    wr_relation relations[WR_RELATIONS_MAX];
    uint32_t relation_count;
    wr_join_operator *operators;
    uint32_t operator_count, operator_capacity;
    uint32_t member_count;
    wr_named_expr *late; /* items of projections inside of the region, made above it instead */
    uint32_t late_count, late_capacity;
    wr_column_set late_hidden; /* those that a join above them does not show */
    bool too_large;
    const wr_join_operator **scratch; /* of wr_join_meet */
    uint32_t *parents;
} wr_join_graph;

/* Reads the region below the join at `root`. */
WR_MUST_CHECK wr_status wr_join_graph_collect(wr_join_graph *graph, wr_logical *root, wr_error *err);
bool wr_join_is_movable(const wr_logical *node);

/* A way to join a set of relations. */
typedef struct wr_join_tree {
    wr_relations set;
    double rows, cost, bytes;
    struct wr_join_tree *left, *right; /* NULL: a relation */
    uint32_t relation;
    const wr_join_operator *operator_; /* a join that is not inner */
} wr_join_tree;

/* The cheapest tree over all relations; NULL when none was found (the given order stays). */
WR_MUST_CHECK wr_status wr_join_enumerate(wr_join_graph *graph, wr_join_tree **out, wr_error *err);
/* What is applied where two sets meet. `valid` is false when they may not. */
typedef struct wr_meeting {
    bool valid;
    const wr_join_operator *join; /* not an inner one; NULL: inner */
    bool swapped;                 /* its left side is the second set */
    const wr_join_operator *
        *conjuncts; /* of inner joins; beside `join` they are a filter above it. Until the next call */
    uint32_t conjunct_count;
} wr_meeting;
WR_MUST_CHECK wr_status wr_join_meet(wr_join_graph *graph, wr_relations first, wr_relations second, wr_meeting *out,
                                     wr_error *err);

#endif
