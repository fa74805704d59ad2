#include "io/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/store_internal.h"
#include "os/os.h"
#include "tests/unit/test.h"

/* ---- a folder of files, gone after the test ---- */

static char root[64];

static const char *at(const char *name) {
    static char path[4][256];
    static unsigned next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", root, name);
    return out;
}

static void make_file(const char *name, const char *content) {
    wr_error err;
    wr_file *file;
    if (!WR_CHECK_OK(wr_file_open(&file, wr_test_allocator(), at(name), WR_FILE_CREATE, &err), &err)) return;
    WR_CHECK_OK(wr_file_write(file, 0, content, strlen(content), &err), &err);
    wr_file_close(file);
}

static const char *const folders[] = {"a", "a/b", "a/b/c", "b", "_hidden"};
static const char *const files[] = {"one.csv",    "two.csv",     "two.txt",         "x[1].csv",   ".secret.csv",
                                    "a/one.csv",  "a/b/one.csv", "a/b/c/three.csv", "b/four.csv", "_hidden/five.csv",
                                    "a/.dot.csv", "a/_meta.csv", "a/b/two.csv"};

static void make_tree(void) {
    snprintf(root, sizeof root, "%s", "/tmp/weir_store_XXXXXX");
    WR_CHECK(mkdtemp(root) != NULL);
    for (size_t i = 0; i < WR_COUNT_OF(folders); i++) WR_CHECK(mkdir(at(folders[i]), 0700) == 0);
    for (size_t i = 0; i < WR_COUNT_OF(files); i++) make_file(files[i], files[i]);
}

static void remove_tree(void) {
    for (size_t i = 0; i < WR_COUNT_OF(files); i++) unlink(at(files[i]));
    unlink(at("link"));
    for (size_t i = WR_COUNT_OF(folders); i-- > 0;) rmdir(at(folders[i]));
    WR_CHECK(rmdir(root) == 0);
}

/* What a pattern names, below the root, with spaces between. */
static void check_list(const char *pattern, const char *expected) {
    wr_error err;
    wr_object_list list;
    wr_text seen;
    wr_text_init(&seen, wr_test_allocator());
    wr_status status = wr_object_list_init(&list, wr_test_allocator(), NULL, wr_str_from(at(pattern)), &err);
    if (status == WR_OK) {
        for (uint32_t i = 0; i < list.count; i++) {
            wr_text_format(&seen, "%s%s", i ? " " : "", list.items[i].path.data + strlen(root) + 1);
            WR_CHECK_EQ_INT(list.items[i].size_bytes, strlen(list.items[i].path.data + strlen(root) + 1));
        }
        wr_object_list_deinit(&list);
    } else {
        wr_text_format(&seen, "%s", wr_status_name(status));
    }
    if (!WR_CHECK_EQ_STR(wr_text_view(&seen), expected)) printf("  pattern %s\n", pattern);
    wr_text_deinit(&seen);
}

WR_TEST(store, patterns) {
    make_tree();
    const char *missing = wr_status_name(WR_NOT_FOUND);
    check_list("one.csv", "one.csv");
    check_list("*.csv", "one.csv two.csv x[1].csv");
    check_list("x[1].csv", "x[1].csv");
    check_list("x\\[1].csv", "x[1].csv");
    check_list("?ne.*", "one.csv");
    check_list("[!a-o]*.[a-c]sv", "two.csv x[1].csv");
    check_list("*/one.csv", "a/one.csv");
    check_list("**/one.csv", "a/b/one.csv a/one.csv one.csv");
    check_list("a/**", "a/_meta.csv a/b/c/three.csv a/b/one.csv a/b/two.csv a/one.csv");
    check_list("**/c/*", "a/b/c/three.csv");
    check_list("a/{b/,}one.csv", "a/b/one.csv a/one.csv");
    check_list("{one,two,one}.{csv,t?t}", "one.csv two.csv two.txt");
    check_list("a", "a/b/c/three.csv a/b/one.csv a/b/two.csv a/one.csv");
    check_list(".*.csv", ".secret.csv");
    check_list("*.parquet", missing);
    check_list("nowhere/*.csv", missing);
    check_list("one.csv/*", missing);
    remove_tree();
}

WR_TEST(store, a_missing_path_hints_at_the_nearest) {
    make_tree();
    wr_error err;
    wr_object_list list;
    wr_status status = wr_object_list_init(&list, wr_test_allocator(), NULL, wr_str_from(at("a/b/onne.csv")), &err);
    WR_CHECK_STATUS(status, WR_NOT_FOUND, &err);
    WR_CHECK_CONTAINS(err.hint, "a/b/one.csv");
    status = wr_object_list_init(&list, wr_test_allocator(), NULL, WR_STR("s3://bucket/x"), &err);
    WR_CHECK_STATUS(status, WR_UNSUPPORTED, &err);
    WR_CHECK_CONTAINS(err.message, "s3://");
    status = wr_object_list_init(&list, wr_test_allocator(), NULL, WR_STR(""), &err);
    WR_CHECK_STATUS(status, WR_INVALID, &err);
    remove_tree();
}

WR_TEST(store, match_one_name) {
    static const struct {
        const char *pattern, *name;
        bool match;
    } cases[] = {{"*", "", true},         {"*", "x", true},    {"*", ".x", false},   {"a*b*c", "aXbYc", true},
                 {"a*b*c", "acb", false}, {"[]]", "]", true},  {"[a", "[a", true},   {"[^a]", "b", true},
                 {"\\*", "*", true},      {"\\*", "a", false}, {"**a", "bba", true}, {"", "a", false},
                 {"[a-c]x", "bx", true},  {"[a-]", "-", true}, {"?", "", false},     {"*aab", "aaaab", true}};
    for (size_t i = 0; i < WR_COUNT_OF(cases); i++) {
        bool seen = wr_glob_match(wr_str_from(cases[i].pattern), wr_str_from(cases[i].name));
        if (!WR_CHECK(seen == cases[i].match)) printf("  %s against %s\n", cases[i].pattern, cases[i].name);
    }
}

WR_TEST(store, reads_ranges_and_refuses_what_is_not_there) {
    make_tree();
    wr_error err;
    wr_object *object;
    if (WR_CHECK_OK(wr_object_open(&object, wr_test_allocator(), NULL, wr_str_from(at("a/b/one.csv")), &err), &err)) {
        char data[16] = {0};
        const wr_range ranges[] = {{0, 2, data}, {2, 3, data + 2}, {8, 3, data + 5}, {11, 0, data}};
        WR_CHECK_OK(wr_object_read(object, ranges, 4, &err), &err);
        WR_CHECK_EQ_STR(data, "a/b/ocsv");
        WR_CHECK_STATUS(wr_object_read(object, &(wr_range){9, 3, data}, 1, &err), WR_CORRUPT, &err);
        WR_CHECK_STATUS(wr_object_read(object, &(wr_range){UINT64_MAX, 3, data}, 1, &err), WR_CORRUPT, &err);
        wr_object_release(wr_object_retain(object));
        WR_CHECK_EQ_INT(wr_object_describe(object)->size_bytes, 11);
        wr_object_release(object);
    }
    WR_CHECK_STATUS(wr_object_open(&object, wr_test_allocator(), NULL, wr_str_from(at("a")), &err), WR_INVALID, &err);
    WR_CHECK_STATUS(wr_object_open(&object, wr_test_allocator(), NULL, wr_str_from(at("no")), &err), WR_NOT_FOUND,
                    &err);
    char url[256];
    snprintf(url, sizeof url, "file://%s", at("one.csv"));
    if (WR_CHECK_OK(wr_object_open(&object, wr_test_allocator(), NULL, wr_str_from(url), &err), &err)) {
        wr_object_release(object);
    }
    remove_tree();
}

WR_TEST(store, a_closed_gate_lets_pass_what_lies_below) {
    make_tree();
    wr_error err;
    wr_gate *gate;
    WR_CHECK(symlink(at("b/four.csv"), at("link")) == 0);
    if (WR_CHECK_OK(wr_gate_create(&gate, wr_test_allocator(), false, &err), &err)) {
        WR_CHECK_STATUS(wr_gate_check(gate, at("a/one.csv"), &err), WR_DENIED, &err);
        WR_CHECK_OK(wr_gate_allow(gate, at("a"), &err), &err);
        WR_CHECK_OK(wr_gate_check(gate, at("a/one.csv"), &err), &err);
        WR_CHECK_OK(wr_gate_check(gate, at("a/new.csv"), &err), &err);
        WR_CHECK_OK(wr_gate_check(gate, at("b/../a/b/one.csv"), &err), &err);
        WR_CHECK_STATUS(wr_gate_check(gate, at("a/../one.csv"), &err), WR_DENIED, &err);
        WR_CHECK_STATUS(wr_gate_check(gate, at("a/.."), &err), WR_DENIED, &err);
        WR_CHECK_STATUS(wr_gate_check(gate, at("ab"), &err), WR_DENIED, &err);
        WR_CHECK_STATUS(wr_gate_check(gate, at("link"), &err), WR_DENIED, &err);
        WR_CHECK_OK(wr_gate_allow(gate, at("b"), &err), &err);
        WR_CHECK_OK(wr_gate_check(gate, at("link"), &err), &err);
        wr_object_list list;
        wr_status status = wr_object_list_init(&list, wr_test_allocator(), gate, wr_str_from(at("*.csv")), &err);
        WR_CHECK_STATUS(status, WR_DENIED, &err);
        wr_object *object;
        status = wr_object_open(&object, wr_test_allocator(), gate, wr_str_from(at("one.csv")), &err);
        WR_CHECK_STATUS(status, WR_DENIED, &err);
        WR_CHECK_STATUS(wr_gate_allow(gate, at("nowhere"), &err), WR_NOT_FOUND, &err);
        wr_gate_destroy(gate);
    }
    remove_tree();
}

WR_TEST(store, every_failure_comes_back) {
    static const wr_fault_point points[] = {WR_FAULT_ALLOC, WR_FAULT_OPEN, WR_FAULT_READ};
    make_tree();
    for (size_t p = 0; p < WR_COUNT_OF(points); p++) {
        for (uint64_t nth = 1; nth < 200; nth++) {
            wr_error err;
            wr_object_list list;
            wr_fault_arm(points[p], nth);
            wr_status status =
                wr_object_list_init(&list, wr_test_allocator(), NULL, wr_str_from(at("{a,b}/**/[a-z]*.csv")), &err);
            wr_fault_disarm_all();
            if (status != WR_OK) continue;
            WR_CHECK_EQ_INT(list.count, 5);
            wr_object_list_deinit(&list);
        }
    }
    remove_tree();
}
