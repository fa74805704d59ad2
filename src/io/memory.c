/* Bytes that are in memory already, as an object: what an application holds, and files that tests make up. They have no
 * path, so that no gate is asked. */
#include "io/store_internal.h"

static wr_status memory_read(wr_object *object, uint64_t offset, void *data, size_t size, wr_error *err) {
    (void)err;
    const wr_buffer *bytes = object->handle;
    memcpy(data, bytes->data + offset, size);
    return WR_OK;
}

static void memory_close(wr_object *object) {
    wr_buffer_release(object->handle);
}

static const wr_store_ops memory_store = {.scheme = "memory", .read = memory_read, .close = memory_close};

wr_status wr_object_open_memory(wr_object **out, wr_allocator *a, wr_str name, wr_buffer *bytes, wr_error *err) {
    wr_object *object = wr_alloc_zeroed(a, sizeof *object);
    char *path = wr_alloc(a, name.size + 1u);
    if (!object || !path) {
        wr_free(a, object, sizeof *object);
        wr_free(a, path, name.size + 1u);
        return wr_fail_memory(err, sizeof *object + name.size, "bytes as a file");
    }
    if (name.size) memcpy(path, name.data, name.size);
    path[name.size] = 0;
    *object = (wr_object){
        .refs = 1,
        .allocator = a,
        .ops = &memory_store,
        .info = {.path = {path, name.size}, .size_bytes = bytes->size_bytes},
        .path = path,
        .handle = wr_buffer_retain(bytes),
    };
    *out = object;
    return WR_OK;
}
