/* Any bytes as a script: what parses must print, and must encode to what decodes equal; nothing may crash. */
#include <stdio.h>
#include <stdlib.h>

#include "sql/parser.h"
#include "tests/fuzz/fuzz.h"

static void check_statement(const wr_node *node, wr_arena *arena) {
    wr_text text, bytes;
    wr_error err;
    wr_node *back = NULL;
    wr_text_init(&text, wr_system_allocator());
    wr_text_init(&bytes, wr_system_allocator());
    wr_node_print(node, &text);
    WR_FUZZ_REQUIRE(wr_node_encode(node, &bytes, &err) == WR_OK);
    wr_span in = wr_span_from(bytes.data, bytes.size, 0);
    WR_FUZZ_REQUIRE(wr_node_decode(&in, arena, &back, &err) == WR_OK);
    WR_FUZZ_REQUIRE(wr_span_left(&in) == 0 && wr_node_equal(node, back));
    wr_text_deinit(&text);
    wr_text_deinit(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wr_str script = {(const char *)data, (uint32_t)size};
    uint32_t cursor = 0;
    wr_sql_is_incomplete(script);
    for (;;) {
        wr_arena arena;
        wr_statement statement;
        wr_error err;
        uint32_t before = cursor;
        wr_arena_init(&arena, wr_system_allocator());
        wr_status status = wr_sql_parse_next(&arena, script, &cursor, &statement, &err);
        bool done = cursor == size || (status == WR_OK && !statement.node);
        WR_FUZZ_REQUIRE(cursor > before || done);
        if (status == WR_OK && statement.node) {
            WR_FUZZ_REQUIRE(statement.begin < statement.end && statement.end <= cursor);
            check_statement(statement.node, &arena);
        } else if (status != WR_OK) {
            WR_FUZZ_REQUIRE(err.code == status && err.message[0] && err.position <= size);
        }
        wr_arena_deinit(&arena);
        if (done) return 0;
    }
}
