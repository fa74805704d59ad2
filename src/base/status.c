/* Filling errors. Text is formatted straight into the caller's storage, cut where it does not fit, and cut at
 * a character boundary, so that a message is valid UTF-8 whenever its parts were. */
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Formats into buffer[0, size) and drops a character that was cut in the middle. */
static void format_cut(char *buffer, size_t size, const char *format, va_list args) {
    int wanted = vsnprintf(buffer, size, format, args);
    if (wanted < 0) {
        buffer[0] = 0;
        return;
    }
    if ((size_t)wanted < size) return;
    size_t end = size - 1, lead = end;
    while (lead > 0 && end - lead < 4 && ((uint8_t)buffer[lead - 1] & 0xc0) == 0x80) lead--;
    if (lead == 0) return;
    uint8_t first = (uint8_t)buffer[lead - 1];
    size_t whole = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    if (end - (lead - 1) < whole) buffer[lead - 1] = 0;
}

void wr_error_clear(wr_error *err) {
    if (!err) return;
    err->code = WR_OK;
    err->position = WR_NO_POSITION;
    err->message[0] = 0;
    err->hint[0] = 0;
}

static wr_status fail_va(wr_error *err, wr_status code, uint32_t position, const char *format, va_list args) {
    if (!err) return code;
    err->code = code;
    err->position = position;
    err->hint[0] = 0;
    format_cut(err->message, sizeof err->message, format, args);
    return code;
}

wr_status(wr_fail)(wr_error *err, wr_status code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_va(err, code, WR_NO_POSITION, format, args);
    va_end(args);
    return code;
}

wr_status(wr_fail_at)(wr_error *err, wr_status code, uint32_t position, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_va(err, code, position, format, args);
    va_end(args);
    return code;
}

wr_status(wr_hint)(wr_error *err, const char *format, ...) {
    if (!err) return WR_INTERNAL;
    va_list args;
    va_start(args, format);
    format_cut(err->hint, sizeof err->hint, format, args);
    va_end(args);
    return err->code;
}

wr_status(wr_error_prefix)(wr_error *err, const char *format, ...) {
    if (!err) return WR_INTERNAL;
    char joined[WR_ERROR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    format_cut(joined, sizeof joined, format, args);
    va_end(args);
    size_t used = strlen(joined), size = strlen(err->message);
    size_t room = sizeof joined - 1 - used;
    if (size > room) {
        size = room;
        while (size > 0 && ((uint8_t)err->message[size] & 0xc0) == 0x80) size--;
    }
    memmove(err->message + used, err->message, size);
    memcpy(err->message, joined, used);
    err->message[used + size] = 0;
    return err->code;
}

wr_status(wr_fail_memory)(wr_error *err, size_t size_bytes, const char *what) {
    return wr_fail(err, WR_NO_MEMORY, "out of memory: %zu bytes for %s", size_bytes, what);
}

const char *wr_status_name(wr_status status) {
    static const char *const names[] = {
        [WR_OK] = "OK",
        [WR_INVALID] = "INVALID",
        [WR_NOT_FOUND] = "NOT_FOUND",
        [WR_EXISTS] = "EXISTS",
        [WR_VALUE] = "VALUE",
        [WR_CORRUPT] = "CORRUPT",
        [WR_IO] = "IO",
        [WR_NO_MEMORY] = "NO_MEMORY",
        [WR_LIMIT] = "LIMIT",
        [WR_CANCELLED] = "CANCELLED",
        [WR_TIMED_OUT] = "TIMED_OUT",
        [WR_UNSUPPORTED] = "UNSUPPORTED",
        [WR_DENIED] = "DENIED",
        [WR_INTERNAL] = "INTERNAL",
    };
    return (size_t)status < WR_COUNT_OF(names) ? names[status] : "UNKNOWN";
}

#ifndef NDEBUG
void wr_assert_failed(const char *condition, const char *file, int line) {
    fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
    abort();
}
#endif
