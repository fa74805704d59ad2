/* Between store.c, which every call passes, and the stores themselves. */
#ifndef WR_IO_STORE_INTERNAL_H
#define WR_IO_STORE_INTERNAL_H

#include "io/store.h"

typedef struct wr_store_ops {
    const char *scheme; /* "file"; a path without one belongs to the first store of the table */
    /* `path` is zero-terminated and without its scheme. Fills what is the store's own in `out`. */
    wr_status (*open)(wr_object *out, const char *path, wr_error *err);
    wr_status (*read)(wr_object *object, uint64_t offset, void *data, size_t size, wr_error *err);
    void (*close)(wr_object *object);
    /* What a pattern without a scheme names; see glob.c. */
    wr_status (*list)(wr_object_list *list, wr_str pattern, wr_error *err);
    /* The path that the gate judges, added to `out`. */
    wr_status (*resolve)(const char *path, wr_text *out, wr_error *err);
} wr_store_ops;

struct wr_object {
    _Atomic int32_t refs;
    wr_allocator *allocator;
    const wr_store_ops *ops;
    wr_object_info info;
    char *path; /* zero-terminated: what info.path shows */
    void *handle;
};

extern const wr_store_ops wr_local_store;

/* Appends a copy of `path`. */
WR_MUST_CHECK wr_status wr_object_list_add(wr_object_list *list, wr_str path, uint64_t size_bytes, int64_t modified_ns,
                                           wr_error *err);
/* glob.c: all files of the local file system that a pattern names. */
WR_MUST_CHECK wr_status wr_glob(wr_object_list *list, wr_str pattern, wr_error *err);
/* One component of a path against one of a pattern: *, ?, [a-z], [!a-z], and \ before a character that stands for
 * itself. */
bool wr_glob_match(wr_str pattern, wr_str name);

#endif
