/* Names that are nearly right: the error says where the name stands and which one was meant. */
#include "tests/api/api.h"

typedef struct name_row {
    const char *sql, *at, *hint; /* the name begins where `at` does */
} name_row;

static const name_row rows[] = {
    {"SELECT n_nmae FROM nation", "n_nmae", "did you mean \"n_name\"?"},
    {"SELECT n_name FROM nation WHERE n_regionky = 1", "n_regionky", "did you mean \"n_regionkey\"?"},
    {"SELECT n.n_nam FROM nation n", "n.n_nam", "did you mean \"n_name\"?"},
    {"SELECT count(*) FROM nation GROUP BY n_regionkeyy", "n_regionkeyy", "did you mean \"n_regionkey\"?"},
    {"SELECT n_name FROM nation ORDER BY n_nationkye", "n_nationkye", "did you mean \"n_nationkey\"?"},
    {"SELECT * FROM natoin", "natoin", "did you mean \"nation\"?"},
    {"SELECT cuont(n_name) FROM nation", "cuont", "did you mean \"count\"?"},
    {"SELECT m.n_name FROM nation n", "m.n_name", NULL},
    {"SELECT substrng(n_name, 1) FROM nation", "substrng", "did you mean \"substring\""},
    {"SET thraeds = 3", "SET", "did you mean \"threads\"?"},
    {"SELECT completely_different FROM nation", "completely_different", NULL},
};

WR_TEST(api_names, near_ones_are_suggested) {
    api t;
    if (!api_open(&t, NULL, 0)) return;
    API_CHECK_OK(&t, api_run(&t, "CREATE VIEW nation AS FROM " NATION, NULL));
    for (size_t i = 0; i < WR_COUNT_OF(rows); i++) {
        const name_row *row = &rows[i];
        t.error = (weir_error){0};
        bool good = WR_CHECK(api_run(&t, row->sql, NULL) != WEIR_OK);
        good = WR_CHECK_EQ_INT(t.error.position, strstr(row->sql, row->at) - row->sql) && good;
        if (row->hint) good = WR_CHECK_CONTAINS(t.error.hint, row->hint) && good;
        if (!good) wr_test_fail(__FILE__, __LINE__, "%s: %s (%s)", row->sql, t.error.message, t.error.hint);
    }
    api_close(&t);
}
