/* A life of the library, from opening to closing, with the nth allocation, reservation, open, read or thread failing,
 * for all n: a status comes back, and nothing stays behind (the sanitizers look). */
#include "tests/api/api.h"

static weir_status read_stream(weir_result *result, weir_error *error) {
    struct ArrowArrayStream stream;
    struct ArrowArray array;
    struct ArrowSchema schema;
    weir_status status = weir_result_stream(result, &stream, error);
    if (status != WEIR_OK) return status;
    int code = stream.get_schema(&stream, &schema);
    if (code == 0) schema.release(&schema);
    while (code == 0 && (code = stream.get_next(&stream, &array)) == 0 && array.release) array.release(&array);
    if (code != 0) {
        status = WEIR_IO;
        WR_CHECK(stream.get_last_error(&stream) && stream.get_last_error(&stream)[0]);
    }
    stream.release(&stream);
    return status;
}

static weir_status live(const char *sql, bool as_stream) {
    const weir_setting settings[] = {{"threads", "2"}};
    api t = {0};
    weir_result *result = NULL;
    wr_text rows;
    wr_text_init(&rows, wr_system_allocator());
    weir_status status = weir_database_open(settings, 1, &t.database, &t.error);
    if (status == WEIR_OK) status = weir_session_open(t.database, &t.session, &t.error);
    if (status == WEIR_OK) status = weir_query(t.session, sql, &result, &t.error);
    if (status == WEIR_OK) status = as_stream ? read_stream(result, &t.error) : api_rows(result, &rows, &t.error);
    weir_result_close(result);
    wr_text_deinit(&rows);
    if (status != WEIR_OK) {
        wr_fault_disarm_all();
        WR_CHECK(as_stream || (t.error.code == status && t.error.message[0]));
        /* What is left works. */
        if (t.session) API_CHECK_ROWS(&t, "SELECT count(*) FROM " NATION, "25\n");
    }
    api_close(&t);
    return status;
}

/* Fails call after call until a life passes without reaching the failing one. */
static void fail_all(wr_fault_point point, const char *sql, bool as_stream) {
    for (uint64_t nth = 1;; nth++) {
        wr_fault_arm(point, nth);
        weir_status status = live(sql, as_stream);
        uint64_t calls = wr_fault_calls(point);
        wr_fault_disarm_all();
        if (status == WEIR_OK && calls < nth) break;
    }
}

static const wr_fault_point points[] = {WR_FAULT_ALLOC, WR_FAULT_RESERVE, WR_FAULT_OPEN, WR_FAULT_READ,
                                        WR_FAULT_THREAD};

WR_TEST(api_fault, rows_as_text) {
    for (size_t i = 0; i < WR_COUNT_OF(points); i++)
        fail_all(points[i], "SELECT n_regionkey, max(n_name) FROM " NATION " GROUP BY 1 ORDER BY 1", false);
}

/* What can do with less memory does, and gives the same answer. */
WR_TEST(api_fault, sums_by_code) {
    const char *sql = "SELECT sum(l_extendedprice * (1 - l_discount)) FROM " LINEITEM
                      " WHERE l_orderkey < 2000 GROUP BY l_returnflag ORDER BY l_returnflag";
    static const char *const expected[] = {"15716895.9853", "35568869.3896", "16051208.6714"};
    for (uint64_t nth = 1;; nth++) {
        api t;
        weir_result *result = NULL;
        size_t rows = 0;
        if (!api_open(&t, NULL, 0)) return;
        wr_fault_arm(WR_FAULT_ALLOC, nth);
        weir_status status = weir_query(t.session, sql, &result, &t.error);
        if (status == WEIR_OK) status = weir_result_fetch(result, &rows, &t.error);
        uint64_t calls = wr_fault_calls(WR_FAULT_ALLOC);
        wr_fault_disarm_all();
        if (status != WEIR_OK) API_CHECK_STATUS(status, WEIR_NO_MEMORY);
        if (status == WEIR_OK) WR_CHECK_EQ_UINT(rows, WR_COUNT_OF(expected));
        for (size_t i = 0; i < rows && i < WR_COUNT_OF(expected); i++) {
            WR_CHECK_EQ_STR(wr_str_from(weir_result_text(result, i, 0, NULL)), expected[i]);
        }
        weir_result_close(result);
        api_close(&t);
        if (status == WEIR_OK && calls < nth) break;
    }
}

WR_TEST(api_fault, rows_as_a_stream) {
    for (size_t i = 0; i < WR_COUNT_OF(points); i++) fail_all(points[i], "FROM " NATION " WHERE n_regionkey = 2", true);
}
