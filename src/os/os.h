/* The whole contract with the operating system, on one page. Nothing above this module calls a system function for
 * files, memory maps, threads or time. Every call that can fail asks base/fault.h first, so that tests can break it.
 *
 * posix.c implements it; tests replace single points through wr_fault_arm. */
#ifndef WR_OS_OS_H
#define WR_OS_OS_H

#include "base/alloc.h"
#include "base/lock.h"
#include "base/str.h"

/* ---- files: pread and pwrite alone, retried on EINTR and on short transfers; an error names the path ---- */

typedef struct wr_file wr_file;
typedef enum wr_file_mode {
    WR_FILE_READ,
    WR_FILE_CREATE,    /* read and write; must not exist */
    WR_FILE_TEMPORARY, /* read and write; the path names a folder, the file has no name and goes with the process */
} wr_file_mode;

typedef struct wr_file_info {
    uint64_t size_bytes;
    int64_t modified_ns;
    uint64_t device, inode;
    bool is_folder;
} wr_file_info;

WR_MUST_CHECK wr_status wr_file_open(wr_file **out, wr_allocator *a, const char *path, wr_file_mode mode,
                                     wr_error *err);
void wr_file_close(wr_file *file);
WR_MUST_CHECK wr_status wr_file_stat(wr_file *file, wr_file_info *out, wr_error *err);
/* Reads exactly size bytes; a file that ends before is WR_IO ("truncated at"). */
WR_MUST_CHECK wr_status wr_file_read(wr_file *file, uint64_t offset, void *data, size_t size, wr_error *err);
WR_MUST_CHECK wr_status wr_file_write(wr_file *file, uint64_t offset, const void *data, size_t size, wr_error *err);
/* Gives the blocks of a range back to the file system, where it can (spill files). */
void wr_file_punch(wr_file *file, uint64_t offset, uint64_t size);
const char *wr_file_path(const wr_file *file);

WR_MUST_CHECK wr_status wr_path_stat(const char *path, wr_file_info *out, wr_error *err); /* WR_NOT_FOUND */
WR_MUST_CHECK wr_status wr_path_remove(const char *path, wr_error *err);
WR_MUST_CHECK wr_status wr_path_rename(const char *from, const char *to, wr_error *err);
/* Calls `each` with every name in a folder (not "." and ".."), in no order; stops at its first status that is not
 * OK. */
WR_MUST_CHECK wr_status wr_path_list(const char *folder,
                                     wr_status (*each)(void *user, const char *name, bool is_folder), void *user,
                                     wr_error *err);

/* The path without links, "." and "..", of something that exists; added to `out`, whose failure is WR_NO_MEMORY. */
WR_MUST_CHECK wr_status wr_path_resolve(const char *path, wr_text *out, wr_error *err);

/* ---- anonymous memory: large tables, given back to the system at once ---- */

void *wr_os_map(size_t size_bytes); /* cleared, page aligned, huge pages asked for; NULL on failure */
void wr_os_unmap(void *data, size_t size_bytes);

/* ---- threads ---- */

typedef struct wr_thread wr_thread;
WR_MUST_CHECK wr_status wr_thread_start(wr_thread **out, wr_allocator *a, const char *name, void (*run)(void *user),
                                        void *user, wr_error *err);
void wr_thread_join(wr_thread *thread); /* frees it */

typedef struct wr_condition {
    pthread_cond_t posix;
} wr_condition;
void wr_condition_init(wr_condition *c);
void wr_condition_deinit(wr_condition *c);
/* The mutex is held; false when `timeout_ns` (negative: none) passed first. May return early. */
bool wr_condition_wait(wr_condition *c, wr_mutex *m, int64_t timeout_ns);
void wr_condition_signal(wr_condition *c);
void wr_condition_broadcast(wr_condition *c);

/* ---- clocks and the process ---- */

int64_t wr_clock_monotonic_ns(void);
int64_t wr_clock_wall_us(void);       /* since 1970-01-01 UTC */
int64_t wr_clock_cpu_ns(void);        /* user and system time of the process */
int64_t wr_clock_thread_cpu_ns(void); /* of this thread */
size_t wr_process_resident_bytes(void);
size_t wr_process_peak_resident_bytes(void);
size_t wr_os_memory_bytes(void); /* of the machine, or of the container that this process runs in */
uint64_t wr_os_random(void);     /* not for secrets */

#endif
