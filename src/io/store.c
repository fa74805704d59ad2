/* Objects and the gate: what is the same for every store. */
#include "io/store_internal.h"

#include <stdlib.h>

#include "os/os.h"

static const wr_store_ops *const stores[] = {&wr_local_store};

/* ---- which store ---- */

/* Finds the store and cuts the scheme off the path. */
static wr_status find_store(wr_str *path, const wr_store_ops **out, wr_error *err) {
    const char *colon = path->size ? memmem(path->data, path->size, "://", 3) : NULL;
    *out = stores[0];
    if (!colon) return WR_OK;
    wr_str scheme = {path->data, (uint32_t)(colon - path->data)};
    for (uint32_t i = 0; i < scheme.size; i++) {
        char c = scheme.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return WR_OK;
    }
    for (size_t i = 0; i < WR_COUNT_OF(stores); i++) {
        if (!wr_str_equal_nocase(scheme, wr_str_from(stores[i]->scheme))) continue;
        *out = stores[i];
        path->data += scheme.size + 3;
        path->size -= scheme.size + 3;
        return WR_OK;
    }
    (void)wr_fail(err, WR_UNSUPPORTED, "there is no store for '%.*s://' (path '%.*s')", WR_STR_ARGS(scheme),
                  WR_STR_ARGS(*path));
    return wr_hint(err, "local paths and file:// are known");
}

static wr_status copy_path(wr_str path, wr_allocator *a, char **out, wr_error *err) {
    if (path.size == 0) return wr_fail(err, WR_INVALID, "the path is empty");
    if (memchr(path.data, 0, path.size)) return wr_fail(err, WR_INVALID, "the path has a zero byte in it");
    *out = wr_alloc(a, path.size + 1);
    if (!*out) return wr_fail_memory(err, path.size + 1, "a path");
    memcpy(*out, path.data, path.size);
    (*out)[path.size] = 0;
    return WR_OK;
}

/* ---- the gate ---- */

struct wr_gate {
    wr_allocator *allocator;
    bool open;
    uint32_t folder_count, folder_capacity;
    wr_text *folders; /* resolved */
};

wr_status wr_gate_create(wr_gate **out, wr_allocator *a, bool open, wr_error *err) {
    wr_gate *gate = wr_alloc_zeroed(a, sizeof *gate);
    if (!gate) return wr_fail_memory(err, sizeof *gate, "the gate");
    gate->allocator = a;
    gate->open = open;
    *out = gate;
    return WR_OK;
}

void wr_gate_destroy(wr_gate *gate) {
    if (!gate) return;
    for (uint32_t i = 0; i < gate->folder_count; i++) wr_text_deinit(&gate->folders[i]);
    wr_free(gate->allocator, gate->folders, sizeof *gate->folders * gate->folder_capacity);
    wr_free(gate->allocator, gate, sizeof *gate);
}

wr_status wr_gate_allow(wr_gate *gate, const char *folder, wr_error *err) {
    WR_TRY(wr_grow(gate->allocator, (void **)&gate->folders, &gate->folder_capacity, gate->folder_count, 1,
                   sizeof *gate->folders, err));
    wr_text resolved;
    wr_text_init(&resolved, gate->allocator);
    wr_status status = wr_path_resolve(folder, &resolved, err);
    if (status != WR_OK) {
        wr_text_deinit(&resolved);
        return status;
    }
    gate->folders[gate->folder_count++] = resolved;
    return WR_OK;
}

static bool lies_below(wr_str path, wr_str folder) {
    if (folder.size == 1) return true; /* the root */
    if (path.size < folder.size || memcmp(path.data, folder.data, folder.size) != 0) return false;
    return path.size == folder.size || path.data[folder.size] == '/';
}

wr_status wr_gate_check(const wr_gate *gate, const char *path, wr_error *err) {
    if (!gate || gate->open) return WR_OK;
    wr_str rest = wr_str_from(path);
    const wr_store_ops *store;
    WR_TRY(find_store(&rest, &store, err));
    wr_text resolved;
    wr_text_init(&resolved, gate->allocator);
    /* What cannot be resolved is denied as well: an answer must not tell what exists outside. */
    wr_status status = store->resolve(rest.data, &resolved, err);
    bool allowed = false;
    for (uint32_t i = 0; status == WR_OK && i < gate->folder_count && !allowed; i++) {
        allowed = lies_below(wr_text_view(&resolved), wr_text_view(&gate->folders[i]));
    }
    wr_text_deinit(&resolved);
    if (allowed || status == WR_NO_MEMORY) return status;
    if (err) wr_error_clear(err);
    (void)wr_fail(err, WR_DENIED, "'%s' is not below a folder that may be read", path);
    return wr_hint(err, "whoever opened this database chose which folders its queries may touch");
}

/* ---- objects ---- */

wr_status wr_object_open(wr_object **out, wr_allocator *a, const wr_gate *gate, wr_str path, wr_error *err) {
    char *copy;
    WR_TRY(copy_path(path, a, &copy, err));
    wr_object *object = NULL;
    const wr_store_ops *store;
    wr_str rest = {copy, path.size};
    wr_status status = wr_gate_check(gate, copy, err);
    if (status == WR_OK) status = find_store(&rest, &store, err);
    if (status == WR_OK) {
        object = wr_alloc_zeroed(a, sizeof *object);
        if (!object) status = wr_fail_memory(err, sizeof *object, "an opened file");
    }
    if (status == WR_OK) {
        *object = (wr_object){.refs = 1, .allocator = a, .ops = store, .path = copy, .info.path = {copy, path.size}};
        status = store->open(object, rest.data, err);
    }
    if (status != WR_OK) {
        if (object) wr_free(a, object, sizeof *object);
        wr_free(a, copy, path.size + 1);
        return status;
    }
    *out = object;
    return WR_OK;
}

wr_object *wr_object_retain(wr_object *object) {
    __atomic_fetch_add((int32_t *)&object->refs, 1, __ATOMIC_RELAXED);
    return object;
}

void wr_object_release(wr_object *object) {
    if (!object || __atomic_fetch_sub((int32_t *)&object->refs, 1, __ATOMIC_ACQ_REL) != 1) return;
    object->ops->close(object);
    wr_free(object->allocator, object->path, object->info.path.size + 1);
    wr_free(object->allocator, object, sizeof *object);
}

const wr_object_info *wr_object_describe(const wr_object *object) {
    return &object->info;
}

wr_status wr_object_read(wr_object *object, const wr_range *ranges, uint32_t count, wr_error *err) {
    for (uint32_t i = 0; i < count;) {
        uint64_t offset = ranges[i].offset;
        size_t size = ranges[i].size;
        uint8_t *data = ranges[i].data;
        if (offset > object->info.size_bytes || size > object->info.size_bytes - offset) {
            return wr_fail(err, WR_CORRUPT, "'%s': bytes %llu to %llu are asked for, but the file has %llu",
                           object->path, (unsigned long long)offset, (unsigned long long)(offset + size),
                           (unsigned long long)object->info.size_bytes);
        }
        /* Ranges that follow each other in the file and in memory are one read. */
        for (i++; i < count && ranges[i].offset == offset + size && ranges[i].data == data + size; i++) {
            size += ranges[i].size;
        }
        WR_TRY(object->ops->read(object, offset, data, size, err));
    }
    return WR_OK;
}

/* ---- lists ---- */

wr_status wr_object_list_add(wr_object_list *list, wr_str path, uint64_t size_bytes, int64_t modified_ns,
                             wr_error *err) {
    WR_TRY(wr_grow(list->allocator, (void **)&list->items, &list->capacity, list->count, 1, sizeof *list->items, err));
    char *copy = wr_alloc(list->allocator, path.size + 1u);
    if (!copy) return wr_fail_memory(err, path.size + 1u, "a path");
    memcpy(copy, path.data, path.size);
    copy[path.size] = 0;
    list->items[list->count++] = (wr_object_info){{copy, path.size}, size_bytes, modified_ns};
    return WR_OK;
}

void wr_object_list_deinit(wr_object_list *list) {
    for (uint32_t i = 0; i < list->count; i++) {
        wr_free(list->allocator, (void *)(uintptr_t)list->items[i].path.data, list->items[i].path.size + 1u);
    }
    wr_free(list->allocator, list->items, sizeof *list->items * list->capacity);
    *list = (wr_object_list){.allocator = list->allocator};
}

static int compare_items(const void *a, const void *b) {
    return wr_str_compare(((const wr_object_info *)a)->path, ((const wr_object_info *)b)->path);
}

/* Patterns with braces may name a file twice. */
static void drop_duplicates(wr_object_list *list) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (kept && wr_str_equal(list->items[kept - 1].path, list->items[i].path)) {
            wr_free(list->allocator, (void *)(uintptr_t)list->items[i].path.data, list->items[i].path.size + 1u);
        } else {
            list->items[kept++] = list->items[i];
        }
    }
    list->count = kept;
}

wr_status wr_object_list_init(wr_object_list *list, wr_allocator *a, const wr_gate *gate, wr_str pattern,
                              wr_error *err) {
    *list = (wr_object_list){.allocator = a};
    wr_str rest = pattern;
    const wr_store_ops *store;
    char *copy;
    WR_TRY(copy_path(pattern, a, &copy, err));
    wr_status status = find_store(&rest, &store, err);
    if (status == WR_OK) {
        /* Names are not told from outside the gate: the part before the first wildcard decides, and each file again
         * when it is opened. */
        size_t fixed = strcspn(copy, "*?[{\\");
        if (copy[fixed]) {
            while (fixed && copy[fixed - 1] != '/') fixed--;
            char first = copy[fixed];
            copy[fixed] = 0;
            status = wr_gate_check(gate, fixed ? copy : ".", err);
            copy[fixed] = first;
        } else {
            status = wr_gate_check(gate, copy, err);
        }
    }
    if (status == WR_OK) status = store->list(list, rest, err);
    wr_free(a, copy, pattern.size + 1u);
    if (status == WR_OK) {
        if (list->count) qsort(list->items, list->count, sizeof *list->items, compare_items);
        drop_duplicates(list);
    } else {
        wr_object_list_deinit(list);
    }
    return status;
}
