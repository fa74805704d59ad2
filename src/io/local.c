/* The local file system as a store. */
#include "io/store_internal.h"
#include "os/os.h"

static wr_status local_open(wr_object *out, const char *path, wr_error *err) {
    wr_file *file;
    WR_TRY(wr_file_open(&file, out->allocator, path, WR_FILE_READ, err));
    wr_file_info info;
    wr_status status = wr_file_stat(file, &info, err);
    if (status == WR_OK && info.is_folder) status = wr_fail(err, WR_INVALID, "'%s' is a folder, not a file", path);
    if (status != WR_OK) {
        wr_file_close(file);
        return status;
    }
    out->handle = file;
    out->info.size_bytes = info.size_bytes;
    out->info.modified_ns = info.modified_ns;
    return WR_OK;
}

static wr_status local_read(wr_object *object, uint64_t offset, void *data, size_t size, wr_error *err) {
    return wr_file_read(object->handle, offset, data, size, err);
}

static void local_close(wr_object *object) {
    wr_file_close(object->handle);
}

/* A file that is yet to be made lies where its folder lies. */
static wr_status local_resolve(const char *path, wr_text *out, wr_error *err) {
    size_t start = out->size;
    wr_status status = wr_path_resolve(path, out, err);
    if (status != WR_NOT_FOUND) return status;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!*name || strcmp(name, "..") == 0 || strcmp(name, ".") == 0) return status;
    wr_text folder;
    wr_text_init(&folder, out->allocator);
    wr_text_add(&folder, slash ? path : ".", slash ? (size_t)(slash - path) + 1 : 1);
    out->size = start;
    status = folder.failed ? wr_fail_memory(err, strlen(path), "a path") : wr_path_resolve(folder.data, out, err);
    wr_text_deinit(&folder);
    if (status != WR_OK) return status;
    wr_text_addz(out, "/");
    wr_text_addz(out, name);
    return out->failed ? wr_fail_memory(err, strlen(path), "a path") : WR_OK;
}

const wr_store_ops wr_local_store = {
    .scheme = "file",
    .open = local_open,
    .read = local_read,
    .close = local_close,
    .list = wr_glob,
    .resolve = local_resolve,
};
