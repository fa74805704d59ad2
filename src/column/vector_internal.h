/* Shared by the files that implement vector.h. */
#ifndef WR_COLUMN_VECTOR_INTERNAL_H
#define WR_COLUMN_VECTOR_INTERNAL_H

#include "column/vector.h"

/* A vector of `type` and its kind with own buffers for row_count rows (recycled where they can be), without validity,
 * heap or children: those that the vector had are released. */
WR_MUST_CHECK wr_status wr_vector_begin(wr_vector *v, wr_allocator *a, wr_type type, wr_vector_kind kind,
                                        uint32_t row_count, wr_error *err);
/* Gives v a validity bitmap of its own for its rows, not cleared. */
WR_MUST_CHECK wr_status wr_vector_begin_validity(wr_vector *v, wr_allocator *a, uint64_t **out, wr_error *err);
/* Type of child i: of a LIST its elements, of a MAP its entries. */
wr_type wr_vector_child_type(wr_type type, uint32_t i);
uint32_t wr_vector_child_count(wr_type type);
/* Bytes of `row_count` values. */
size_t wr_vector_data_bytes(wr_phys phys, size_t row_count);

/* The bits of the rows, packed; a NULL row gives 0. `bits` NULL stands for all set. */
void wr_gather_bits(const uint64_t *bits, const uint32_t *rows, uint32_t count, bool has_nulls, uint64_t *out);
/* out[i] = data[rows[i]] for values of 1, 2, 4, 8 or 16 bytes; no NULL rows. */
void wr_gather_values(size_t width, const void *data, const uint32_t *rows, uint32_t count, void *out);

/* Appends to the flat vector `to` the rows of `from` that `rows` names; UINT32_MAX is a NULL row. */
WR_MUST_CHECK wr_status wr_vector_append_rows(wr_vector *to, wr_allocator *a, const wr_vector *from,
                                              const uint32_t *rows, uint32_t count, wr_error *err);
/* Appends `count` rows to the flat vector `to` without writing their data, valid where it has a bitmap; not to the
 * children of a struct. */
WR_MUST_CHECK wr_status wr_vector_extend(wr_vector *to, wr_allocator *a, uint32_t count, wr_error *err);
/* Drops rows at the end of a flat vector; the children of a struct have as many as it. */
void wr_vector_truncate(wr_vector *v, uint32_t row_count);
/* Appends one value of the vector's type. */
WR_MUST_CHECK wr_status wr_vector_append_value(wr_vector *to, wr_allocator *a, const wr_value *value, wr_error *err);

#endif
