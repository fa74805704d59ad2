#include "base/status.h"

#include "tests/unit/test.h"

WR_TEST(status, fail_fills_and_returns) {
    wr_error err;
    wr_error_clear(&err);
    WR_CHECK(err.code == WR_OK && err.position == WR_NO_POSITION && !err.message[0] && !err.hint[0]);
    WR_CHECK_EQ_INT(wr_fail_at(&err, WR_INVALID, 17, "no column \"%s\"", "x"), WR_INVALID);
    WR_CHECK_EQ_INT(err.position, 17);
    WR_CHECK_EQ_INT(wr_hint(&err, "did you mean \"%s\"?", "y"), WR_INVALID);
    WR_CHECK_EQ_INT(wr_error_prefix(&err, "file '%s': ", "a.csv"), WR_INVALID);
    WR_CHECK_EQ_STR(err.message, "file 'a.csv': no column \"x\"");
    WR_CHECK_EQ_STR(err.hint, "did you mean \"y\"?");
    WR_CHECK_EQ_INT(wr_fail(&err, WR_VALUE, "another"), WR_VALUE);
    WR_CHECK(!err.hint[0] && err.position == WR_NO_POSITION);
    WR_CHECK_EQ_INT(wr_fail_memory(&err, 4096, "a sort"), WR_NO_MEMORY);
    WR_CHECK_EQ_STR(err.message, "out of memory: 4096 bytes for a sort");
}

WR_TEST(status, an_error_may_be_left_out) {
    WR_CHECK_EQ_INT(wr_fail(NULL, WR_IO, "%d", 1), WR_IO);
    WR_CHECK_EQ_INT(wr_fail_at(NULL, WR_IO, 1, "%d", 1), WR_IO);
    wr_error_clear(NULL);
}

/* Cuts a text of characters of `width` bytes after every number of bytes in front of it. */
static void check_cut(const char *character, size_t width) {
    for (size_t front = 0; front < 8; front++) {
        char text[WR_ERROR_MESSAGE_BYTES * 2] = "";
        wr_error err;
        memset(text, 'x', front);
        for (size_t at = front; at + width < sizeof text; at += width) memcpy(text + at, character, width);
        text[sizeof text - 8] = 0;
        wr_fail(&err, WR_INVALID, "%s", text);
        size_t size = strlen(err.message);
        WR_CHECK(size < WR_ERROR_MESSAGE_BYTES && size + width >= WR_ERROR_MESSAGE_BYTES);
        WR_CHECK_EQ_INT((size - front) % width, 0);
        wr_error_prefix(&err, "ab");
        size = strlen(err.message);
        WR_CHECK(size < WR_ERROR_MESSAGE_BYTES && size + width >= WR_ERROR_MESSAGE_BYTES);
        WR_CHECK_EQ_INT((size - front - 2) % width, 0);
    }
}

WR_TEST(status, text_is_cut_at_a_character) {
    check_cut("a", 1);
    check_cut("\xc3\xa4", 2);
    check_cut("\xe2\x82\xac", 3);
    check_cut("\xf0\x9f\x98\x80", 4);
}

WR_TEST(status, every_status_has_a_name) {
    for (int i = WR_OK; i <= WR_INTERNAL; i++) WR_CHECK(strcmp(wr_status_name((wr_status)i), "UNKNOWN") != 0);
    WR_CHECK_EQ_STR(wr_status_name((wr_status)999), "UNKNOWN");
    WR_CHECK_EQ_STR(wr_status_name(WR_NO_MEMORY), "NO_MEMORY");
}
