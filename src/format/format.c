/* The formats, and which of them a file has. */
#include "format/format.h"

#include "format/parquet/file.h"

static const wr_format *const formats[] = {&wr_parquet_format};

static bool has_extension(const wr_format *format, wr_str path) {
    for (const char *const *extension = format->extensions; *extension; extension++) {
        wr_str e = wr_str_from(*extension);
        if (path.size <= e.size || path.data[path.size - e.size - 1] != '.') continue;
        if (wr_str_equal_nocase((wr_str){path.data + path.size - e.size, e.size}, e)) return true;
    }
    return false;
}

wr_status wr_format_find(wr_object *object, const wr_format **out, wr_error *err) {
    const wr_object_info *info = wr_object_describe(object);
    for (size_t i = 0; i < WR_COUNT_OF(formats); i++) {
        *out = formats[i];
        if (has_extension(formats[i], info->path)) return WR_OK;
    }
    uint8_t head[16] = {0};
    size_t size = info->size_bytes < sizeof head ? (size_t)info->size_bytes : sizeof head;
    WR_TRY(wr_object_read(object, &(wr_range){0, size, head}, 1, err));
    for (size_t i = 0; i < WR_COUNT_OF(formats); i++) {
        *out = formats[i];
        if (formats[i]->sniff(head, size)) return WR_OK;
    }
    (void)wr_fail(err, WR_UNSUPPORTED,
                  "the format of '%.*s' is not known: its name has no extension of one, and it begins with "
                  "%02x %02x %02x %02x",
                  WR_STR_ARGS(info->path), head[0], head[1], head[2], head[3]);
    wr_hint(err, "known is parquet");
    return WR_UNSUPPORTED;
}

wr_table_file *wr_table_file_retain(wr_table_file *file) {
    __atomic_fetch_add((int32_t *)&file->refs, 1, __ATOMIC_RELAXED);
    return file;
}

void wr_table_file_release(wr_table_file *file) {
    if (file && __atomic_fetch_sub((int32_t *)&file->refs, 1, __ATOMIC_ACQ_REL) == 1) file->ops->destroy(file);
}
