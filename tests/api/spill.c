/* Spilling to places that will not have it: an error that says where and what to do, and a session that goes on. */
#include <signal.h>
#include <sys/resource.h>

#include "tests/api/api.h"

#define SPILLING "SELECT count(*), max(n) FROM (SELECT l_comment, count(*) AS n FROM " LINEITEM " GROUP BY l_comment)"
#define SPILLED "58616|12\n"

static bool open_spilling(api *t) {
    const weir_setting settings[] = {{"threads", "2"}, {"force_spill", "true"}};
    return api_open(t, settings, WR_COUNT_OF(settings));
}

WR_TEST(api_spill, a_folder_that_does_not_exist) {
    api t;
    if (!open_spilling(&t)) return;
    API_CHECK_ROWS(&t, SPILLING, SPILLED);
    API_CHECK_OK(&t, weir_session_set(t.session, "temp_directory", "/no/such/folder", &t.error));
    API_CHECK_STATUS(api_run(&t, SPILLING, NULL), WEIR_NOT_FOUND);
    WR_CHECK_EQ_STR(t.error.message, "cannot spill to '/no/such/folder': '/no/such/folder' does not exist");
    WR_CHECK_EQ_STR(t.error.hint, "set temp_directory to a folder that exists and can be written");
    /* What does not spill does not ask for it. */
    API_CHECK_ROWS(&t, "SELECT count(*) FROM " NATION, "25\n");
    API_CHECK_OK(&t, weir_session_set(t.session, "temp_directory", "/tmp", &t.error));
    API_CHECK_ROWS(&t, SPILLING, SPILLED);
    api_close(&t);
}

WR_TEST(api_spill, more_than_it_may) {
    api t;
    if (!open_spilling(&t)) return;
    API_CHECK_OK(&t, weir_session_set(t.session, "temp_limit", "100KB", &t.error));
    API_CHECK_STATUS(api_run(&t, SPILLING, NULL), WEIR_LIMIT);
    WR_CHECK_CONTAINS(t.error.message, "of at most 100000 bytes");
    API_CHECK_OK(&t, weir_session_set(t.session, "temp_limit", "1GB", &t.error));
    API_CHECK_ROWS(&t, SPILLING, SPILLED);
    api_close(&t);
}

WR_TEST(api_spill, a_disk_that_is_full) {
    api t;
    if (!open_spilling(&t)) return;
    wr_fault_arm_kind(WR_FAULT_WRITE, 20, WR_FAULT_ON);
    API_CHECK_STATUS(api_run(&t, SPILLING, NULL), WEIR_IO);
    WR_CHECK_CONTAINS(t.error.message, "No space left on device");
    WR_CHECK_EQ_STR(t.error.hint, "free some space, or set temp_directory to a folder on another disk");
    wr_fault_disarm_all();
    API_CHECK_ROWS(&t, SPILLING, SPILLED);
    api_close(&t);
}

/* The system's own refusal, which comes after a write that was cut. */
WR_TEST(api_spill, a_file_that_may_not_grow) {
    api t;
    struct rlimit before, small;
    if (!open_spilling(&t)) return;
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){100000, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    if (WR_CHECK_EQ_INT(setrlimit(RLIMIT_FSIZE, &small), 0)) {
        API_CHECK_STATUS(api_run(&t, SPILLING, NULL), WEIR_IO);
        setrlimit(RLIMIT_FSIZE, &before);
        WR_CHECK_CONTAINS(t.error.message, "File too large");
    }
    signal(SIGXFSZ, handler);
    API_CHECK_ROWS(&t, SPILLING, SPILLED);
    api_close(&t);
}
