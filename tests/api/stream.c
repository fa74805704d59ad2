/* Results as Arrow streams. */
#include <errno.h>

#include "tests/api/api.h"

typedef struct stream {
    weir_result *result;
    struct ArrowArrayStream arrow;
} stream;

static bool open_stream(api *t, stream *s, const char *sql, const struct ArrowSchema *requested) {
    *s = (stream){0};
    if (!API_CHECK_OK(t, weir_query(t->session, sql, &s->result, &t->error))) return false;
    return API_CHECK_OK(t, weir_result_stream_as(s->result, requested, &s->arrow, &t->error));
}

static void close_stream(stream *s) {
    if (s->arrow.release) s->arrow.release(&s->arrow);
    weir_result_close(s->result);
}

static void check_format(stream *s, const char *const *formats, int64_t count) {
    struct ArrowSchema schema;
    if (!WR_CHECK_EQ_INT(s->arrow.get_schema(&s->arrow, &schema), 0)) return;
    WR_CHECK_EQ_STR(schema.format, "+s");
    if (WR_CHECK_EQ_INT(schema.n_children, count)) {
        for (int64_t i = 0; i < count; i++) WR_CHECK_EQ_STR(schema.children[i]->format, formats[i]);
    }
    schema.release(&schema);
}

/* Rows to the end, each array released before the next. */
static int64_t count_rows(stream *s) {
    struct ArrowArray array;
    int64_t rows = 0;
    for (;;) {
        if (!WR_CHECK_EQ_INT(s->arrow.get_next(&s->arrow, &array), 0)) return -1;
        if (!array.release) return rows;
        rows += array.length;
        array.release(&array);
    }
}

WR_TEST(api_stream, rows_and_their_schema) {
    static const char *const formats[] = {"i", "d:15,2", "tdD", "u"};
    api t;
    stream s;
    if (!api_open(&t, NULL, 0)) return;
    const char *sql = "SELECT l_linenumber, l_quantity, l_shipdate, l_comment FROM " LINEITEM;
    if (open_stream(&t, &s, sql, NULL)) {
        check_format(&s, formats, 4);
        WR_CHECK_EQ_INT(count_rows(&s), 60175);
        WR_CHECK_EQ_INT(count_rows(&s), 0);
        check_format(&s, formats, 4);
        WR_CHECK(s.arrow.get_last_error(&s.arrow) == NULL);
    }
    close_stream(&s);
    WR_CHECK(s.arrow.release == NULL);
    if (open_stream(&t, &s, "SELECT n_name FROM " NATION " WHERE n_nationkey < 0", NULL))
        WR_CHECK_EQ_INT(count_rows(&s), 0);
    close_stream(&s);
    api_close(&t);
}

WR_TEST(api_stream, values) {
    api t;
    stream s;
    struct ArrowArray array;
    if (!api_open(&t, NULL, 0)) return;
    const char *sql = "SELECT n_nationkey + 1 AS k, n_name FROM " NATION " WHERE n_regionkey = 3 ORDER BY n_name";
    if (open_stream(&t, &s, sql, NULL) && WR_CHECK_EQ_INT(s.arrow.get_next(&s.arrow, &array), 0) &&
        WR_CHECK_EQ_INT(array.length, 5)) {
        const int32_t *offsets = array.children[1]->buffers[1];
        WR_CHECK_EQ_BYTES(array.children[1]->buffers[2], "FRANCEGERMANYROMANIARUSSIAUNITED KINGDOM", 40);
        WR_CHECK_EQ_INT(offsets[1], 6);
        WR_CHECK_EQ_INT(offsets[5], 40);
        array.release(&array);
    }
    close_stream(&s);
    api_close(&t);
}

/* Arrays are their reader's: they outlive everything they came from. */
WR_TEST(api_stream, arrays_live_on) {
    struct ArrowArray arrays[40];
    int count = 0;
    int64_t rows = 0;
    api t;
    stream s;
    if (!api_open(&t, NULL, 0)) return;
    if (open_stream(&t, &s, "SELECT l_linenumber FROM " LINEITEM, NULL)) {
        for (; count < 40; count++) {
            if (!WR_CHECK_EQ_INT(s.arrow.get_next(&s.arrow, &arrays[count]), 0) || !arrays[count].release) break;
            rows += arrays[count].length;
        }
    }
    close_stream(&s);
    api_close(&t);
    WR_CHECK_EQ_INT(rows, 60175);
    int64_t sum = 0;
    for (int i = 0; i < count; i++) {
        const int32_t *numbers = arrays[i].children[0]->buffers[1];
        for (int64_t row = 0; row < arrays[i].length; row++) sum += numbers[row];
        arrays[i].release(&arrays[i]);
    }
    WR_CHECK_EQ_INT(sum, 180782);
}

typedef struct request {
    struct ArrowSchema rows, column, values;
    struct ArrowSchema *columns[1];
} request;

static const struct ArrowSchema *make_request(request *r, const char *format, const char *values) {
    *r = (request){.rows = {.format = "+s", .n_children = 1}, .column = {.format = format}};
    r->values.format = values;
    if (values) r->column.dictionary = &r->values;
    r->columns[0] = &r->column;
    r->rows.children = r->columns;
    return &r->rows;
}

WR_TEST(api_stream, layouts_on_request) {
    static const char *const formats[] = {"U", "vu", "i"};
    api t;
    stream s;
    request r;
    if (!api_open(&t, NULL, 0)) return;
    for (int i = 0; i < 3; i++) {
        const struct ArrowSchema *requested = make_request(&r, formats[i], i == 2 ? "u" : NULL);
        if (open_stream(&t, &s, "SELECT l_shipmode FROM " LINEITEM " WHERE l_linenumber = 1", requested)) {
            check_format(&s, &formats[i], 1);
            WR_CHECK_EQ_INT(count_rows(&s), 15000);
        }
        close_stream(&s);
    }
    weir_result *result;
    API_CHECK_OK(&t, weir_query(t.session, "SELECT l_shipmode FROM " LINEITEM, &result, &t.error));
    API_CHECK_STATUS(weir_result_stream_as(result, make_request(&r, "l", NULL), &s.arrow, &t.error), WEIR_INVALID);
    WR_CHECK_EQ_STR(t.error.message, "column \"l_shipmode\": VARCHAR cannot be given as Arrow format 'l'");
    WR_CHECK_EQ_STR(t.error.hint, "ask for 'u', 'U' or 'vu', or for a dictionary of these");
    WR_CHECK(s.arrow.release == NULL);
    /* The request was refused, the rows are still there. */
    API_CHECK_OK(&t, weir_result_stream(result, &s.arrow, &t.error));
    s.result = result;
    WR_CHECK_EQ_INT(count_rows(&s), 60175);
    close_stream(&s);
    api_close(&t);
}

WR_TEST(api_stream, rows_are_given_once) {
    api t;
    stream s;
    struct ArrowArrayStream second;
    size_t row_count = 9;
    if (!api_open(&t, NULL, 0)) return;
    if (open_stream(&t, &s, "SELECT n_name FROM " NATION, NULL)) {
        API_CHECK_STATUS(weir_result_stream(s.result, &second, &t.error), WEIR_INVALID);
        WR_CHECK_EQ_STR(t.error.message, "the rows of this result were given as a stream before");
        WR_CHECK(second.release == NULL);
        API_CHECK_OK(&t, weir_result_fetch(s.result, &row_count, &t.error));
        WR_CHECK_EQ_INT(row_count, 0);
        WR_CHECK_EQ_INT(count_rows(&s), 25);
    }
    close_stream(&s);
    api_close(&t);
}

WR_TEST(api_stream, what_was_fetched_before_is_gone) {
    api t;
    stream s = {0};
    size_t row_count = 0;
    if (!api_open(&t, NULL, 0)) return;
    API_CHECK_OK(&t, weir_query(t.session, "FROM " LINEITEM, &s.result, &t.error));
    API_CHECK_OK(&t, weir_result_fetch(s.result, &row_count, &t.error));
    API_CHECK_OK(&t, weir_result_stream(s.result, &s.arrow, &t.error));
    WR_CHECK_EQ_INT(count_rows(&s), 60175 - (int64_t)row_count);
    close_stream(&s);
    api_close(&t);
}

WR_TEST(api_stream, errors_end_it) {
    api t;
    stream s;
    struct ArrowArray array;
    if (!api_open(&t, NULL, 0)) return;
    if (open_stream(&t, &s, "SELECT CAST(n_name AS INTEGER) FROM " NATION, NULL)) {
        for (int i = 0; i < 2; i++) {
            WR_CHECK_EQ_INT(s.arrow.get_next(&s.arrow, &array), EINVAL);
            WR_CHECK(array.release == NULL);
            WR_CHECK_EQ_STR(s.arrow.get_last_error(&s.arrow),
                            "cannot cast to INTEGER: 'ALGERIA'; TRY_CAST gives NULL instead");
        }
    }
    close_stream(&s);
    API_CHECK_ROWS(&t, "SELECT 1", "1\n");
    api_close(&t);
}

WR_TEST(api_stream, cancelled) {
    api t;
    stream s;
    struct ArrowArray array;
    int status = 0;
    if (!api_open(&t, NULL, 0)) return;
    if (open_stream(&t, &s, "SELECT * FROM " LINEITEM " AS a, " LINEITEM " AS b", NULL)) {
        WR_CHECK_EQ_INT(s.arrow.get_next(&s.arrow, &array), 0);
        if (WR_CHECK(array.release != NULL)) array.release(&array);
        weir_session_cancel(t.session);
        while ((status = s.arrow.get_next(&s.arrow, &array)) == 0 && array.release) array.release(&array);
        WR_CHECK_EQ_INT(status, ECANCELED);
        WR_CHECK_EQ_STR(s.arrow.get_last_error(&s.arrow), "the query was cancelled");
    }
    close_stream(&s);
    API_CHECK_ROWS(&t, "SELECT 1", "1\n");
    api_close(&t);
}

WR_TEST(api_stream, released_half_way) {
    api t;
    stream s;
    struct ArrowArray array;
    if (!api_open(&t, NULL, 0)) return;
    if (open_stream(&t, &s, "FROM " LINEITEM, NULL) && WR_CHECK_EQ_INT(s.arrow.get_next(&s.arrow, &array), 0))
        array.release(&array);
    close_stream(&s);
    API_CHECK_ROWS(&t, "SELECT 1", "1\n");
    api_close(&t);
}

/* Not what the contract asks for, and no crash either. */
WR_TEST(api_stream, the_result_is_closed_first) {
    api t;
    stream s;
    struct ArrowArray array;
    struct ArrowSchema schema;
    if (!api_open(&t, NULL, 0)) return;
    if (open_stream(&t, &s, "FROM " LINEITEM, NULL)) {
        weir_result_close(s.result);
        WR_CHECK_EQ_INT(s.arrow.get_next(&s.arrow, &array), EINVAL);
        WR_CHECK_EQ_STR(s.arrow.get_last_error(&s.arrow), "the result was closed before its stream was released");
        WR_CHECK_EQ_INT(s.arrow.get_schema(&s.arrow, &schema), EINVAL);
        WR_CHECK(array.release == NULL && schema.release == NULL);
        s.arrow.release(&s.arrow);
    }
    api_close(&t);
}

WR_TEST(api_stream, what_is_no_query) {
    static const char *const formats[] = {"u"};
    api t;
    stream s;
    if (!api_open(&t, NULL, 0)) return;
    if (open_stream(&t, &s, "EXPLAIN SELECT n_name FROM " NATION, NULL)) {
        check_format(&s, formats, 1);
        WR_CHECK(count_rows(&s) > 0);
    }
    close_stream(&s);
    if (open_stream(&t, &s, "SET batch_rows = 100", NULL)) {
        check_format(&s, NULL, 0);
        WR_CHECK_EQ_INT(count_rows(&s), 0);
    }
    close_stream(&s);
    api_close(&t);
}
