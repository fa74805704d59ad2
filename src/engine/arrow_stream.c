/* Results as an ArrowArrayStream. The stream borrows the result: a result that is closed first takes the rows with it,
 * and the stream then says so; arrays that were given live on by themselves. */
#include <errno.h>
#include <stdio.h>

#include "column/arrow.h"
#include "engine/engine_internal.h"

struct wr_result_stream {
    wr_allocator *allocator;
    weir_result *result;       /* NULL: closed */
    struct ArrowSchema schema; /* what every array is written by */
    bool at_end;
    wr_error error; /* of the last call */
    char text[WR_ERROR_MESSAGE_BYTES + WR_ERROR_HINT_BYTES + 4];
};

static int errno_of(wr_status status) {
    switch (status) {
    case WR_OK: return 0;
    case WR_NO_MEMORY: return ENOMEM;
    case WR_CANCELLED: return ECANCELED;
    case WR_TIMED_OUT: return ETIMEDOUT;
    case WR_NOT_FOUND: return ENOENT;
    case WR_EXISTS: return EEXIST;
    case WR_DENIED: return EACCES;
    case WR_UNSUPPORTED: return ENOTSUP;
    case WR_CORRUPT:
    case WR_IO:
    case WR_INTERNAL: return EIO;
    default: return EINVAL;
    }
}

/* The schema of the result's columns; the names and types are the result's. */
static wr_status export_schema(weir_result *r, wr_allocator *a, const struct ArrowSchema *requested,
                               struct ArrowSchema *out, wr_error *err) {
    size_t bytes = r->column_count * sizeof(wr_field);
    wr_field *fields = wr_alloc(a, bytes);
    if (!fields) return wr_fail_memory(err, bytes, "a result's schema");
    for (uint32_t i = 0; i < r->column_count; i++) fields[i] = (wr_field){r->names[i], r->types[i], true};
    wr_schema columns = {r->column_count, fields};
    wr_status status = wr_arrow_schema_export(out, a, &columns, requested, err);
    wr_free(a, fields, bytes);
    return status;
}

/* Text in lines, as one column. */
static wr_status export_lines(struct wr_result_stream *s, struct ArrowArray *out, wr_error *err) {
    const weir_result *r = s->result;
    wr_batch batch;
    uint32_t row_count = 0, row = 0;
    for (uint32_t i = 0; i < r->lines.size; i++) row_count += r->lines.data[i] == '\n';
    WR_TRY(wr_batch_init(&batch, s->allocator, 1, err));
    wr_status status = wr_vector_prepare(&batch.columns[0], s->allocator, r->types[0], row_count, false, err);
    if (status == WR_OK) {
        wr_string_view *views = wr_vector_data_mut(&batch.columns[0]);
        const char *line = r->lines.data, *end = line + r->lines.size;
        for (const char *at = line; at < end; at++) {
            if (*at != '\n') continue;
            views[row++] = wr_view_make(line, (uint32_t)(at - line));
            line = at + 1;
        }
        wr_batch_set_rows(&batch, row_count);
        status = wr_arrow_batch_export(out, s->allocator, &batch, &s->schema, err);
    }
    wr_batch_deinit(&batch);
    return status;
}

/* The next rows; out->release stays NULL at the end. */
static wr_status next_rows(struct wr_result_stream *s, struct ArrowArray *out, wr_error *err) {
    weir_result *r = s->result;
    if (r->lines.data || !r->pipelines) {
        s->at_end = true;
        return r->lines.data ? export_lines(s, out, err) : WR_OK;
    }
    bool more = false;
    do {
        WR_TRY(wr_query_fetch(r, &more, err));
    } while (more && r->batch.sel_count == 0);
    s->at_end = !more;
    if (!more) return WR_OK;
    wr_status status = wr_arrow_batch_export(out, s->allocator, &r->batch, &s->schema, err);
    wr_batch_clear(&r->batch);
    return status;
}

static struct wr_result_stream *stream_of(struct ArrowArrayStream *stream) {
    return stream->private_data;
}

static wr_status fail_closed(wr_error *err) {
    return wr_fail(err, WR_INVALID, "the result was closed before its stream was released");
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    struct wr_result_stream *s = stream_of(stream);
    wr_error_clear(&s->error);
    *out = (struct ArrowSchema){0};
    return errno_of(s->result ? export_schema(s->result, s->allocator, &s->schema, out, &s->error)
                              : fail_closed(&s->error));
}

/* An error ends the stream, and is what every later call says. */
static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct wr_result_stream *s = stream_of(stream);
    *out = (struct ArrowArray){0};
    if (s->at_end) return errno_of(s->error.code);
    wr_error_clear(&s->error);
    wr_status status = s->result ? next_rows(s, out, &s->error) : fail_closed(&s->error);
    if (status != WR_OK) s->at_end = true;
    return errno_of(status);
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
    struct wr_result_stream *s = stream_of(stream);
    if (s->error.code == WR_OK) return NULL;
    snprintf(s->text, sizeof s->text, "%s%s%s", s->error.message, s->error.hint[0] ? "; " : "", s->error.hint);
    return s->text;
}

static void release_stream(struct ArrowArrayStream *stream) {
    struct wr_result_stream *s = stream_of(stream);
    if (s->result) s->result->stream = NULL;
    s->schema.release(&s->schema);
    stream->release = NULL;
    wr_free(s->allocator, s, sizeof *s);
}

void wr_result_leave_stream(weir_result *r) {
    if (r->stream) r->stream->result = NULL;
    r->stream = NULL;
}

static wr_status open_stream(weir_result *r, const struct ArrowSchema *requested, struct ArrowArrayStream *out,
                             wr_error *err) {
    if (r->has_stream) return wr_fail(err, WR_INVALID, "the rows of this result were given as a stream before");
    struct wr_result_stream *s = wr_alloc_zeroed(r->allocator, sizeof *s);
    if (!s) return wr_fail_memory(err, sizeof *s, "a result's stream");
    wr_status status = export_schema(r, r->allocator, requested, &s->schema, err);
    if (status != WR_OK) {
        wr_free(r->allocator, s, sizeof *s);
        return status;
    }
    s->allocator = r->allocator;
    s->result = r;
    s->at_end = r->at_end;
    wr_error_clear(&s->error);
    r->stream = s;
    r->has_stream = r->at_end = true;
    *out = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, s};
    return WR_OK;
}

weir_status weir_result_stream_as(weir_result *r, const struct ArrowSchema *requested, struct ArrowArrayStream *out,
                                  weir_error *error) {
    wr_error err;
    wr_error_clear(&err);
    *out = (struct ArrowArrayStream){0};
    return open_stream(r, requested, out, &err) == WR_OK ? WEIR_OK : wr_report(&err, error);
}

weir_status weir_result_stream(weir_result *r, struct ArrowArrayStream *out, weir_error *error) {
    return weir_result_stream_as(r, NULL, out, error);
}
