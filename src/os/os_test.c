#include "os/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/test.h"

static char folder[256];

static const char *in_folder(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void folder_create(void) {
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/weir-test-XXXXXX", base ? base : "/tmp");
    WR_CHECK(mkdtemp(folder) != NULL);
}

static void folder_remove(void) {
    WR_CHECK_OK(wr_path_remove(folder, NULL), NULL);
}

static wr_file *open_file(const char *path, wr_file_mode mode) {
    wr_file *file = NULL;
    wr_error err;
    WR_CHECK_OK(wr_file_open(&file, wr_test_allocator(), path, mode, &err), &err);
    return file;
}

WR_TEST(os, files_are_written_read_and_removed) {
    folder_create();
    const char *path = in_folder("a");
    wr_file *file = open_file(path, WR_FILE_CREATE);
    char bytes[10];
    wr_file_info info;
    wr_error err;
    WR_CHECK_EQ_STR(wr_file_path(file), path);
    WR_CHECK_OK(wr_file_write(file, 0, "hello world", 11, NULL), NULL);
    WR_CHECK_OK(wr_file_write(file, 6, "weir!", 5, NULL), NULL);
    WR_CHECK_OK(wr_file_read(file, 4, bytes, 7, NULL), NULL);
    WR_CHECK_EQ_BYTES(bytes, "o weir!", 7);
    WR_CHECK_OK(wr_file_read(file, 100, bytes, 0, NULL), NULL);
    WR_CHECK_STATUS(wr_file_read(file, 8, bytes, 10, &err), WR_IO, &err);
    WR_CHECK_CONTAINS(err.message, "is truncated at byte 11: expected 10 bytes from byte 8 on");
    WR_CHECK_OK(wr_file_stat(file, &info, NULL), NULL);
    WR_CHECK(info.size_bytes == 11 && !info.is_folder && info.modified_ns > 0);
    wr_file_close(file);
    wr_file *again = NULL;
    WR_CHECK_STATUS(wr_file_open(&again, wr_test_allocator(), path, WR_FILE_CREATE, &err), WR_EXISTS, &err);
    file = open_file(path, WR_FILE_READ);
    wr_file_info by_path;
    WR_CHECK_OK(wr_path_stat(path, &by_path, NULL), NULL);
    WR_CHECK(by_path.inode == info.inode && by_path.device == info.device && by_path.size_bytes == 11);
    WR_CHECK_STATUS(wr_file_write(file, 0, "x", 1, &err), WR_IO, &err);
    wr_file_close(file);
    char from[512];
    snprintf(from, sizeof from, "%s", path);
    WR_CHECK_OK(wr_path_rename(from, in_folder("b"), NULL), NULL);
    WR_CHECK_STATUS(wr_path_stat(from, &by_path, &err), WR_NOT_FOUND, &err);
    WR_CHECK_CONTAINS(err.message, "does not exist");
    WR_CHECK_OK(wr_path_remove(in_folder("b"), NULL), NULL);
    WR_CHECK_STATUS(wr_path_remove(in_folder("b"), NULL), WR_NOT_FOUND, NULL);
    WR_CHECK_STATUS(wr_file_open(&file, wr_test_allocator(), in_folder("b"), WR_FILE_READ, NULL), WR_NOT_FOUND, NULL);
    wr_file_close(NULL);
    folder_remove();
}

typedef struct seen_names {
    int files, folders, stop_after;
} seen_names;

static wr_status count_name(void *user, const char *name, bool is_folder) {
    seen_names *seen = user;
    WR_CHECK(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
    seen->files += !is_folder;
    seen->folders += is_folder;
    return seen->files + seen->folders == seen->stop_after ? WR_CANCELLED : WR_OK;
}

WR_TEST(os, temporary_files_leave_no_name) {
    folder_create();
    wr_file *file = open_file(folder, WR_FILE_TEMPORARY);
    uint8_t *block = wr_alloc_zeroed(wr_test_allocator(), 100000);
    seen_names seen = {0, 0, 0};
    memset(block, 7, 100000);
    WR_CHECK_OK(wr_file_write(file, 50000, block, 100000, NULL), NULL);
    WR_CHECK_OK(wr_path_list(folder, count_name, &seen, NULL), NULL);
    WR_CHECK(seen.files == 0 && seen.folders == 0);
    wr_file_punch(file, 65536, 65536);
    WR_CHECK_OK(wr_file_read(file, 50000, block, 100000, NULL), NULL);
    WR_CHECK(block[0] == 7 && block[99999] == 7);
    wr_free(wr_test_allocator(), block, 100000);
    wr_file_close(file);
    wr_error err;
    WR_CHECK_STATUS(wr_file_open(&file, wr_test_allocator(), in_folder("none"), WR_FILE_TEMPORARY, &err), WR_NOT_FOUND,
                    &err);
    folder_remove();
}

WR_TEST(os, folders_are_listed) {
    folder_create();
    seen_names seen = {0, 0, 0}, stopped = {0, 0, 2};
    char name[8];
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "f%d", i);
        wr_file_close(open_file(in_folder(name), WR_FILE_CREATE));
    }
    WR_CHECK(symlink(folder, in_folder("link")) == 0);
    WR_CHECK_OK(wr_path_list(folder, count_name, &seen, NULL), NULL);
    WR_CHECK(seen.files == 5 && seen.folders == 1);
    WR_CHECK_STATUS(wr_path_list(folder, count_name, &stopped, NULL), WR_CANCELLED, NULL);
    WR_CHECK_EQ_INT(stopped.files + stopped.folders, 2);
    WR_CHECK_STATUS(wr_path_list(in_folder("f0"), count_name, &seen, NULL), WR_NOT_FOUND, NULL);
    wr_file_info info;
    WR_CHECK_OK(wr_path_stat(folder, &info, NULL), NULL);
    WR_CHECK(info.is_folder);
    WR_CHECK_OK(wr_path_remove(in_folder("link"), NULL), NULL);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "f%d", i);
        WR_CHECK_OK(wr_path_remove(in_folder(name), NULL), NULL);
    }
    folder_remove();
}

WR_TEST(os, every_point_can_be_made_to_fail) {
    folder_create();
    wr_file *file = open_file(folder, WR_FILE_TEMPORARY), *other = NULL;
    wr_error err;
    wr_file_info info;
    char byte = 0;
    wr_fault_arm(WR_FAULT_WRITE, 1);
    WR_CHECK_STATUS(wr_file_write(file, 0, "x", 1, &err), WR_IO, &err);
    WR_CHECK_CONTAINS(err.message, folder);
    WR_CHECK_OK(wr_file_write(file, 0, "x", 1, &err), &err);
    wr_fault_arm(WR_FAULT_READ, 1);
    WR_CHECK_STATUS(wr_file_read(file, 0, &byte, 1, &err), WR_IO, &err);
    WR_CHECK_OK(wr_file_read(file, 0, &byte, 1, &err), &err);
    wr_fault_arm(WR_FAULT_READ, 1);
    WR_CHECK_STATUS(wr_file_stat(file, &info, &err), WR_IO, &err);
    wr_fault_arm(WR_FAULT_OPEN, 1);
    WR_CHECK_STATUS(wr_file_open(&other, wr_test_allocator(), folder, WR_FILE_TEMPORARY, &err), WR_IO, &err);
    wr_fault_arm(WR_FAULT_ALLOC, 1);
    WR_CHECK_STATUS(wr_file_open(&other, wr_test_allocator(), folder, WR_FILE_READ, &err), WR_NO_MEMORY, &err);
    wr_fault_arm(WR_FAULT_MAP, 1);
    WR_CHECK(wr_os_map(1 << 20) == NULL);
    seen_names seen = {0, 0, 0};
    for (int point = WR_FAULT_OPEN; point <= WR_FAULT_READ; point++) {
        wr_fault_arm((wr_fault_point)point, 1);
        WR_CHECK_STATUS(wr_path_list(folder, count_name, &seen, &err), WR_IO, &err);
    }
    wr_fault_disarm_all();
    wr_file_close(file);
    folder_remove();
}

WR_TEST(os, transfers_go_on_where_they_were_cut) {
    folder_create();
    wr_file *file = open_file(folder, WR_FILE_TEMPORARY);
    wr_error err;
    char data[5] = "";
    static const wr_fault_kind kinds[] = {WR_FAULT_SHORT, WR_FAULT_INTERRUPT};
    for (size_t i = 0; i < WR_COUNT_OF(kinds); i++) {
        memset(data, 0, sizeof data);
        wr_fault_arm_kind(WR_FAULT_WRITE, 1, kinds[i]);
        wr_fault_arm_kind(WR_FAULT_READ, 1, kinds[i]);
        WR_CHECK_OK(wr_file_write(file, 3, "water", 5, &err), &err);
        WR_CHECK_OK(wr_file_read(file, 3, data, 5, &err), &err);
        WR_CHECK_EQ_BYTES(data, "water", 5);
        WR_CHECK(wr_fault_calls(WR_FAULT_READ) > 1 && wr_fault_calls(WR_FAULT_WRITE) > 1);
    }
    wr_fault_arm_kind(WR_FAULT_WRITE, 1, WR_FAULT_ON);
    WR_CHECK_STATUS(wr_file_write(file, 3, "earth", 5, &err), WR_IO, &err);
    WR_CHECK_CONTAINS(err.message, "No space left");
    wr_fault_disarm_all();
    wr_file_close(file);
    folder_remove();
}

WR_TEST(os, maps_are_cleared_and_aligned) {
    static const size_t sizes[] = {1, 4096, 1 << 20, (2 << 20) + 5, 9 << 20};
    for (size_t i = 0; i < WR_COUNT_OF(sizes); i++) {
        uint8_t *map = wr_os_map(sizes[i]);
        if (!WR_CHECK(map && (uintptr_t)map % 4096 == 0)) continue;
        if (sizes[i] >= 2 << 20) WR_CHECK_EQ_INT((uintptr_t)map % (2 << 20), 0);
        WR_CHECK(map[0] == 0 && map[sizes[i] - 1] == 0);
        memset(map, 1, sizes[i]);
        wr_os_unmap(map, sizes[i]);
    }
    wr_os_unmap(NULL, 0);
    WR_CHECK(wr_os_map(SIZE_MAX - 5000) == NULL);
}

WR_TEST(os, unmapped_memory_goes_back_at_once) {
    size_t before = wr_process_resident_bytes();
    size_t size = 64 << 20;
    void *map = wr_os_map(size);
    if (!WR_CHECK(map != NULL)) return;
    memset(map, 1, size);
    WR_CHECK(wr_process_resident_bytes() >= before + size / 2);
    WR_CHECK(wr_process_peak_resident_bytes() >= before + size / 2);
    wr_os_unmap(map, size);
    WR_CHECK(wr_process_resident_bytes() < before + size / 2);
    WR_CHECK(wr_os_memory_bytes() > size);
}

typedef struct baton {
    wr_mutex lock;
    wr_condition changed;
    int turn;
} baton;

static void pass_baton(void *user) {
    baton *b = user;
    for (int i = 0; i < 100; i++) {
        wr_mutex_lock(&b->lock);
        while (b->turn % 2 == 0) wr_condition_wait(&b->changed, &b->lock, -1);
        b->turn++;
        wr_condition_broadcast(&b->changed);
        wr_mutex_unlock(&b->lock);
    }
}

WR_TEST(os, threads_take_turns) {
    baton b = {.turn = 0};
    wr_thread *thread = NULL;
    wr_error err;
    wr_mutex_init(&b.lock);
    wr_condition_init(&b.changed);
    wr_fault_arm(WR_FAULT_THREAD, 1);
    WR_CHECK_STATUS(wr_thread_start(&thread, wr_test_allocator(), "baton", pass_baton, &b, &err), WR_LIMIT, &err);
    WR_CHECK_CONTAINS(err.message, "'baton'");
    wr_fault_disarm_all();
    WR_CHECK_OK(wr_thread_start(&thread, wr_test_allocator(), "a name of many letters", pass_baton, &b, &err), &err);
    for (int i = 0; i < 100; i++) {
        wr_mutex_lock(&b.lock);
        while (b.turn % 2 == 1) wr_condition_wait(&b.changed, &b.lock, INT64_MAX);
        b.turn++;
        wr_condition_signal(&b.changed);
        wr_mutex_unlock(&b.lock);
    }
    wr_thread_join(thread);
    wr_thread_join(NULL);
    WR_CHECK_EQ_INT(b.turn, 200);
    wr_mutex_lock(&b.lock);
    WR_CHECK(!wr_condition_wait(&b.changed, &b.lock, 1000));
    wr_mutex_unlock(&b.lock);
    wr_condition_deinit(&b.changed);
    wr_mutex_deinit(&b.lock);
}

WR_TEST(os, clocks_go_forward) {
    int64_t monotonic = wr_clock_monotonic_ns(), cpu = wr_clock_cpu_ns(), thread = wr_clock_thread_cpu_ns();
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < 100000; i++) sum += i;
    WR_CHECK(wr_clock_monotonic_ns() > monotonic && sum > 0);
    WR_CHECK(wr_clock_cpu_ns() >= cpu && wr_clock_thread_cpu_ns() >= thread);
    WR_CHECK(wr_clock_wall_us() > INT64_C(1600000000000000));
    WR_CHECK(wr_os_random() != wr_os_random());
}
