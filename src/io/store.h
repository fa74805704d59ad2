/* Where bytes come from: stores behind one gate.
 *
 * A path names an object in a store ("orders.parquet", "data/x.parquet", later "s3://…"). Every path of a query passes
 * wr_gate_check once, whatever the function that opens it. An opened object is immutable for its reader: its identity
 * (path, size, time) is pinned at open, and a read that finds the file cut short says so. A new store is one
 * wr_store_ops and one line in store.c. */
#ifndef WR_IO_STORE_H
#define WR_IO_STORE_H

#include "base/buffer.h"
#include "base/str.h"

typedef struct wr_gate wr_gate;
/* An open gate lets everything pass; a closed one lets pass what lies below an allowed folder, after links and ".."
 * are resolved. */
WR_MUST_CHECK wr_status wr_gate_create(wr_gate **out, wr_allocator *a, bool open, wr_error *err);
void wr_gate_destroy(wr_gate *gate);
WR_MUST_CHECK wr_status wr_gate_allow(wr_gate *gate, const char *folder, wr_error *err);
WR_MUST_CHECK wr_status wr_gate_check(const wr_gate *gate, const char *path, wr_error *err); /* WR_DENIED */

typedef struct wr_object_info {
    wr_str path; /* as the user wrote it, a pattern resolved */
    uint64_t size_bytes;
    int64_t modified_ns;
} wr_object_info;

typedef struct wr_object wr_object;
typedef struct wr_range {
    uint64_t offset;
    size_t size;
    void *data; /* where the bytes go; the caller's */
} wr_range;

WR_MUST_CHECK wr_status wr_object_open(wr_object **out, wr_allocator *a, const wr_gate *gate, wr_str path,
                                       wr_error *err);
/* The bytes of a buffer, which is retained; `name` stands in messages. */
WR_MUST_CHECK wr_status wr_object_open_memory(wr_object **out, wr_allocator *a, wr_str name, wr_buffer *bytes,
                                              wr_error *err);
wr_object *wr_object_retain(wr_object *object);
void wr_object_release(wr_object *object);
const wr_object_info *wr_object_describe(const wr_object *object);
/* Reads all ranges; ranges that lie close are fetched together. From any thread. */
WR_MUST_CHECK wr_status wr_object_read(wr_object *object, const wr_range *ranges, uint32_t count, wr_error *err);

/* The objects that a path or a pattern (*, ?, [a-z], **, {a,b}) names, sorted by path; a plain path that does not exist
 * is WR_NOT_FOUND with the nearest names as hint. Freed with wr_object_list_deinit. */
typedef struct wr_object_list {
    wr_allocator *allocator;
    wr_object_info *items;
    uint32_t count, capacity;
} wr_object_list;
WR_MUST_CHECK wr_status wr_object_list_init(wr_object_list *list, wr_allocator *a, const wr_gate *gate, wr_str pattern,
                                            wr_error *err);
void wr_object_list_deinit(wr_object_list *list);

#endif
