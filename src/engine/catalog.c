/* Versions of the catalog and the cache of opened files; see catalog.h. */
#include "engine/catalog.h"
#include "base/lock.h"

enum { CACHED_FILES_MAX = 1024 };

typedef struct catalog_version {
    wr_catalog catalog;
    wr_database_catalog *owner;
    int32_t refs; /* under owner->lock */
    wr_arena arena;
    wr_view *views;
    uint32_t view_count;
} catalog_version;

typedef struct cached_file {
    wr_table_file *file;
    uint64_t used; /* clock of the last use */
} cached_file;

struct wr_database_catalog {
    wr_allocator *allocator;
    const wr_gate *gate;
    const wr_kernels *kernels;
    wr_mutex lock;
    catalog_version *current;
    cached_file *files;
    uint32_t file_count, file_capacity;
    uint64_t clock;
};

/* ---- opened files ---- */

/* The lock is held. */
static wr_table_file *cached(wr_database_catalog *c, const wr_object_info *info) {
    for (uint32_t i = 0; i < c->file_count; i++) {
        const wr_object_info *known = wr_object_describe(c->files[i].file->object);
        if (known->size_bytes == info->size_bytes && known->modified_ns == info->modified_ns &&
            wr_str_equal(known->path, info->path)) {
            c->files[i].used = ++c->clock;
            return wr_table_file_retain(c->files[i].file);
        }
    }
    return NULL;
}

/* The lock is held. What cannot be remembered is only slower next time. */
static wr_table_file *remember(wr_database_catalog *c, wr_table_file *file) {
    if (c->file_count == CACHED_FILES_MAX) {
        uint32_t oldest = 0;
        for (uint32_t i = 1; i < c->file_count; i++) {
            if (c->files[i].used < c->files[oldest].used) oldest = i;
        }
        wr_table_file *dropped = c->files[oldest].file;
        c->files[oldest] = (cached_file){wr_table_file_retain(file), ++c->clock};
        return dropped;
    }
    if (wr_grow(c->allocator, (void **)&c->files, &c->file_capacity, c->file_count, 1, sizeof(cached_file), NULL) ==
        WR_OK) {
        c->files[c->file_count++] = (cached_file){wr_table_file_retain(file), ++c->clock};
    }
    return NULL;
}

static wr_status open_file(wr_database_catalog *c, const wr_object_info *info, wr_table_file **out, wr_error *err) {
    wr_mutex_lock(&c->lock);
    *out = cached(c, info);
    wr_mutex_unlock(&c->lock);
    if (*out) return WR_OK;
    wr_object *object = NULL;
    WR_TRY(wr_object_open(&object, c->allocator, c->gate, info->path, err));
    const wr_format *format = NULL;
    wr_status status = wr_format_find(object, &format, err);
    if (status == WR_OK) status = format->open(out, c->allocator, object, c->kernels, err);
    wr_object_release(object);
    if (status != WR_OK) return status;
    wr_mutex_lock(&c->lock);
    wr_table_file *dropped = remember(c, *out);
    wr_mutex_unlock(&c->lock);
    if (dropped) wr_table_file_release(dropped);
    return WR_OK;
}

static wr_status version_open_files(wr_catalog *catalog, wr_str pattern, wr_table **table, wr_error *err) {
    wr_database_catalog *c = ((catalog_version *)catalog)->owner;
    wr_object_list list;
    WR_TRY(wr_object_list_init(&list, c->allocator, c->gate, pattern, err));
    wr_table_file **files = NULL;
    uint32_t opened = 0;
    wr_status status = WR_OK;
    if (list.count == 0) {
        status = wr_fail(err, WR_NOT_FOUND, "no file matches '%.*s'", WR_STR_ARGS(pattern));
        goto cleanup;
    }
    files = wr_alloc(c->allocator, sizeof(wr_table_file *) * list.count);
    if (!files) {
        status = wr_fail_memory(err, sizeof(wr_table_file *) * list.count, "file list");
        goto cleanup;
    }
    while (opened < list.count) {
        WR_TRY_CLEANUP(open_file(c, &list.items[opened], &files[opened], err));
        opened++;
    }
    status = wr_file_table_create(table, c->allocator, pattern, files, opened, err);
    opened = 0; /* taken */
cleanup:
    for (uint32_t i = 0; i < opened; i++) wr_table_file_release(files[i]);
    wr_free(c->allocator, files, sizeof(wr_table_file *) * list.count);
    wr_object_list_deinit(&list);
    return status;
}

/* ---- versions ---- */

static const wr_view *find_view(const catalog_version *v, wr_str name) {
    for (uint32_t i = 0; i < v->view_count; i++) {
        if (wr_str_equal_nocase(v->views[i].name, name)) return &v->views[i];
    }
    return NULL;
}

static wr_status version_find(wr_catalog *catalog, const wr_str *names, uint32_t name_count, wr_table **table,
                              const wr_view **view, wr_error *err) {
    *table = NULL;
    *view = find_view((catalog_version *)catalog, names[name_count - 1]);
    if (*view && name_count == 1) return WR_OK;
    *view = NULL;
    return wr_fail(err, WR_NOT_FOUND, "table \"%.*s\" does not exist", WR_STR_ARGS(names[name_count - 1]));
}

static wr_status version_names(wr_catalog *catalog, wr_status (*each)(void *user, wr_str name), void *user,
                               wr_error *err) {
    (void)err;
    catalog_version *v = (catalog_version *)catalog;
    for (uint32_t i = 0; i < v->view_count; i++) WR_TRY(each(user, v->views[i].name));
    return WR_OK;
}

static const wr_catalog_ops version_ops = {
    .find = version_find,
    .open_files = version_open_files,
    .names = version_names,
};

static wr_status version_create(wr_database_catalog *c, uint64_t number, catalog_version **out, wr_error *err) {
    catalog_version *v = *out = wr_alloc_zeroed(c->allocator, sizeof *v);
    if (!v) return wr_fail_memory(err, sizeof *v, "catalog");
    v->catalog = (wr_catalog){&version_ops, number};
    v->owner = c;
    v->refs = 1;
    wr_arena_init(&v->arena, c->allocator);
    return WR_OK;
}

static void version_destroy(catalog_version *v) {
    wr_arena_deinit(&v->arena);
    wr_free(v->owner->allocator, v, sizeof *v);
}

wr_catalog *wr_catalog_pin(wr_database_catalog *c) {
    wr_mutex_lock(&c->lock);
    catalog_version *v = c->current;
    v->refs++;
    wr_mutex_unlock(&c->lock);
    return &v->catalog;
}

void wr_catalog_unpin(wr_catalog *catalog) {
    if (!catalog) return;
    catalog_version *v = (catalog_version *)catalog;
    wr_database_catalog *c = v->owner;
    wr_mutex_lock(&c->lock);
    bool last = --v->refs == 0;
    wr_mutex_unlock(&c->lock);
    if (last) version_destroy(v);
}

static bool copy_view(wr_arena *arena, const wr_view *view, wr_view *out) {
    *out = (wr_view){.name = wr_arena_copy(arena, view->name),
                     .query = wr_node_copy(arena, view->query),
                     .column_count = view->column_count};
    wr_str *columns = WR_ARENA_ARRAY(arena, wr_str, view->column_count ? view->column_count : 1);
    if (!out->name.data || !out->query || !columns) return false;
    for (uint32_t i = 0; i < view->column_count; i++) {
        columns[i] = wr_arena_copy(arena, view->columns[i]);
        if (!columns[i].data) return false;
    }
    out->columns = columns;
    return true;
}

/* The next version: the views of the current one without `dropped`, and `added` (either may be NULL). The lock is held:
 * changes come one after the other, readers only wait for a copy of names and trees. */
static wr_status next_version(wr_database_catalog *c, const wr_view *dropped, const wr_view *added, wr_error *err) {
    catalog_version *next, *old = c->current;
    WR_TRY(version_create(c, old->catalog.version + 1, &next, err));
    next->views = WR_ARENA_ARRAY(&next->arena, wr_view, old->view_count + 1);
    bool complete = next->views != NULL;
    for (uint32_t i = 0; complete && i < old->view_count; i++) {
        if (&old->views[i] != dropped)
            complete = copy_view(&next->arena, &old->views[i], &next->views[next->view_count++]);
    }
    if (complete && added) complete = copy_view(&next->arena, added, &next->views[next->view_count++]);
    if (!complete) {
        version_destroy(next);
        return wr_fail_memory(err, 0, "catalog");
    }
    c->current = next;
    if (--old->refs == 0) version_destroy(old);
    return WR_OK;
}

wr_status wr_catalog_create_view(wr_database_catalog *c, const wr_view *view, bool replace, bool if_not_exists,
                                 wr_error *err) {
    wr_status status;
    wr_mutex_lock(&c->lock);
    const wr_view *old = find_view(c->current, view->name);
    if (old && if_not_exists) {
        status = WR_OK;
    } else if (old && !replace) {
        wr_fail(err, WR_EXISTS, "view \"%.*s\" exists already", WR_STR_ARGS(view->name));
        status = wr_hint(err, "CREATE OR REPLACE VIEW replaces it");
    } else {
        status = next_version(c, old, view, err);
    }
    wr_mutex_unlock(&c->lock);
    return status;
}

wr_status wr_catalog_drop_view(wr_database_catalog *c, wr_str name, bool if_exists, wr_error *err) {
    wr_status status = WR_OK;
    wr_mutex_lock(&c->lock);
    const wr_view *old = find_view(c->current, name);
    if (old) {
        status = next_version(c, old, NULL, err);
    } else if (!if_exists) {
        status = wr_fail(err, WR_NOT_FOUND, "view \"%.*s\" does not exist", WR_STR_ARGS(name));
    }
    wr_mutex_unlock(&c->lock);
    return status;
}

wr_status wr_database_catalog_create(wr_database_catalog **out, wr_allocator *a, const wr_gate *gate,
                                     const wr_kernels *kernels, wr_error *err) {
    wr_database_catalog *c = *out = wr_alloc_zeroed(a, sizeof *c);
    if (!c) return wr_fail_memory(err, sizeof *c, "catalog");
    c->allocator = a;
    c->gate = gate;
    c->kernels = kernels;
    wr_mutex_init(&c->lock);
    wr_status status = version_create(c, 1, &c->current, err);
    if (status == WR_OK) return WR_OK;
    wr_mutex_deinit(&c->lock);
    wr_free(a, c, sizeof *c);
    *out = NULL;
    return status;
}

void wr_database_catalog_destroy(wr_database_catalog *c) {
    if (!c) return;
    version_destroy(c->current);
    for (uint32_t i = 0; i < c->file_count; i++) wr_table_file_release(c->files[i].file);
    wr_free(c->allocator, c->files, sizeof(cached_file) * c->file_capacity);
    wr_mutex_deinit(&c->lock);
    wr_free(c->allocator, c, sizeof *c);
}
