/* os.h on Linux. Files are read and written with pread and pwrite, so that a wr_file has no position and may be shared
 * by threads; EINTR and short transfers are retried here and nowhere else. */
#include "os/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"

/* The status of a failed system call, and what it says about `path`. */
static wr_status fail_errno(wr_error *err, int code, const char *what, const char *path) {
    char buffer[128];
    const char *reason = strerror_r(code, buffer, sizeof buffer);
    switch (code) {
    case ENOENT:
    case ENOTDIR: return wr_fail(err, WR_NOT_FOUND, "'%s' does not exist", path);
    case EEXIST: return wr_fail(err, WR_EXISTS, "'%s' exists already", path);
    case ENOMEM: return wr_fail(err, WR_NO_MEMORY, "cannot %s '%s': %s", what, path, reason);
    default: return wr_fail(err, WR_IO, "cannot %s '%s': %s", what, path, reason);
    }
}

/* ---- files ---- */

struct wr_file {
    wr_allocator *allocator;
    int fd;
    size_t size_bytes; /* of this block */
    char path[];
};

/* A file without a name in `folder`. Where the file system has none, one with a name that is removed at once. */
static int open_temporary(const char *folder, wr_allocator *a) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
    static const char pattern[] = "/weir-XXXXXX";
    size_t size = strlen(folder) + sizeof pattern;
    char *path = wr_alloc(a, size);
    if (!path) {
        errno = ENOMEM;
        return -1;
    }
    snprintf(path, size, "%s%s", folder, pattern);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    int code = errno;
    wr_free(a, path, size);
    errno = code;
    return fd;
}

static int open_once(const char *path, wr_file_mode mode, wr_allocator *a) {
    switch (mode) {
    case WR_FILE_READ: return open(path, O_RDONLY | O_CLOEXEC);
    case WR_FILE_CREATE: return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    case WR_FILE_TEMPORARY: return open_temporary(path, a);
    }
    errno = EINVAL;
    return -1;
}

wr_status wr_file_open(wr_file **out, wr_allocator *a, const char *path, wr_file_mode mode, wr_error *err) {
    static const char *const what[] = {"open", "create", "create a temporary file in"};
    size_t path_size = strlen(path) + 1, size_bytes = sizeof(wr_file) + path_size;
    wr_file *file = wr_alloc(a, size_bytes);
    if (!file) return wr_fail_memory(err, size_bytes, "an open file");
    int fd;
    do {
        errno = EIO;
        fd = wr_fault(WR_FAULT_OPEN) ? -1 : open_once(path, mode, a);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        int code = errno;
        wr_free(a, file, size_bytes);
        return fail_errno(err, code, what[mode], path);
    }
    file->allocator = a;
    file->fd = fd;
    file->size_bytes = size_bytes;
    memcpy(file->path, path, path_size);
    *out = file;
    return WR_OK;
}

void wr_file_close(wr_file *file) {
    if (!file) return;
    close(file->fd);
    wr_free(file->allocator, file, file->size_bytes);
}

const char *wr_file_path(const wr_file *file) {
    return file->path;
}

static wr_file_info info_of(const struct stat *s) {
    return (wr_file_info){.size_bytes = (uint64_t)s->st_size,
                          .modified_ns = (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec,
                          .device = s->st_dev,
                          .inode = s->st_ino,
                          .is_folder = S_ISDIR(s->st_mode)};
}

wr_status wr_file_stat(wr_file *file, wr_file_info *out, wr_error *err) {
    struct stat s;
    errno = EIO;
    if (wr_fault(WR_FAULT_READ) || fstat(file->fd, &s) != 0) return fail_errno(err, errno, "look at", file->path);
    *out = info_of(&s);
    return WR_OK;
}

/* One transfer of at most this much, as the kernel cuts at 2 GiB anyway. */
enum { TRANSFER_BYTES = 1 << 30 };

/* Bytes of the next transfer; 0 when a test wants it to fail, and errno says how. */
static size_t transfer_size(wr_fault_point point, size_t left) {
    size_t size = left < TRANSFER_BYTES ? left : TRANSFER_BYTES;
    switch (wr_fault_transfer(point)) {
    case WR_FAULT_NONE: return size;
    case WR_FAULT_SHORT: return (size + 2) / 3;
    case WR_FAULT_ONCE: errno = EIO; return 0;
    case WR_FAULT_ON: errno = point == WR_FAULT_WRITE ? ENOSPC : EIO; return 0;
    case WR_FAULT_INTERRUPT: errno = EINTR; return 0;
    }
    return size;
}

wr_status wr_file_read(wr_file *file, uint64_t offset, void *data, size_t size, wr_error *err) {
    uint8_t *at = data;
    uint64_t from = offset;
    for (size_t left = size; left > 0;) {
        size_t next = transfer_size(WR_FAULT_READ, left);
        ssize_t got = next ? pread(file->fd, at, next, (off_t)from) : -1;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(err, errno, "read", file->path);
        if (got == 0) {
            return wr_fail(err, WR_IO, "'%s' is truncated at byte %llu: expected %zu bytes from byte %llu on",
                           file->path, (unsigned long long)from, size, (unsigned long long)offset);
        }
        at += got;
        from += (uint64_t)got;
        left -= (size_t)got;
    }
    return WR_OK;
}

wr_status wr_file_write(wr_file *file, uint64_t offset, const void *data, size_t size, wr_error *err) {
    const uint8_t *at = data;
    while (size > 0) {
        size_t next = transfer_size(WR_FAULT_WRITE, size);
        ssize_t put = next ? pwrite(file->fd, at, next, (off_t)offset) : -1;
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail_errno(err, errno, "write", file->path);
        at += put;
        offset += (uint64_t)put;
        size -= (size_t)put;
    }
    return WR_OK;
}

void wr_file_punch(wr_file *file, uint64_t offset, uint64_t size) {
    if (size) fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size);
}

/* ---- paths ---- */

wr_status wr_path_stat(const char *path, wr_file_info *out, wr_error *err) {
    struct stat s;
    errno = EIO;
    if (wr_fault(WR_FAULT_OPEN) || stat(path, &s) != 0) return fail_errno(err, errno, "look at", path);
    *out = info_of(&s);
    return WR_OK;
}

wr_status wr_path_remove(const char *path, wr_error *err) {
    errno = EIO;
    if (wr_fault(WR_FAULT_WRITE) || remove(path) != 0) return fail_errno(err, errno, "remove", path);
    return WR_OK;
}

wr_status wr_path_rename(const char *from, const char *to, wr_error *err) {
    errno = EIO;
    if (wr_fault(WR_FAULT_WRITE) || rename(from, to) != 0) return fail_errno(err, errno, "rename", from);
    return WR_OK;
}

static bool entry_is_folder(DIR *folder, const struct dirent *entry) {
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK) return entry->d_type == DT_DIR;
    struct stat s;
    return fstatat(dirfd(folder), entry->d_name, &s, 0) == 0 && S_ISDIR(s.st_mode);
}

wr_status wr_path_list(const char *folder, wr_status (*each)(void *user, const char *name, bool is_folder), void *user,
                       wr_error *err) {
    errno = EIO;
    DIR *opened = wr_fault(WR_FAULT_OPEN) ? NULL : opendir(folder);
    if (!opened) return fail_errno(err, errno, "list", folder);
    wr_status status = WR_OK;
    while (status == WR_OK) {
        errno = EIO;
        const struct dirent *entry = NULL;
        if (!wr_fault(WR_FAULT_READ)) {
            errno = 0;
            entry = readdir(opened);
        }
        if (!entry) {
            if (errno) status = fail_errno(err, errno, "list", folder);
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        status = each(user, entry->d_name, entry_is_folder(opened, entry));
    }
    closedir(opened);
    return status;
}

wr_status wr_path_resolve(const char *path, wr_text *out, wr_error *err) {
    char resolved[PATH_MAX];
    errno = EIO;
    if (wr_fault(WR_FAULT_OPEN) || !realpath(path, resolved)) return fail_errno(err, errno, "resolve", path);
    wr_text_addz(out, resolved);
    return out->failed ? wr_fail_memory(err, strlen(resolved) + 1, "a path") : WR_OK;
}

/* ---- anonymous memory ---- */

void *wr_os_map(size_t size_bytes) {
    return wr_fault(WR_FAULT_MAP) ? NULL : wr_map_pages(size_bytes);
}

void wr_os_unmap(void *data, size_t size_bytes) {
    if (data) wr_unmap_pages(data, size_bytes);
}

/* ---- threads ---- */

enum { THREAD_NAME_BYTES = 16 };

struct wr_thread {
    wr_allocator *allocator;
    pthread_t posix;
    void (*run)(void *user);
    void *user;
    char name[THREAD_NAME_BYTES];
};

static void *thread_main(void *argument) {
    wr_thread *thread = argument;
    pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->user);
    return NULL;
}

/* Signals stay with the threads of the host: ours start with all of them blocked. */
wr_status wr_thread_start(wr_thread **out, wr_allocator *a, const char *name, void (*run)(void *user), void *user,
                          wr_error *err) {
    wr_thread *thread = wr_alloc(a, sizeof *thread);
    if (!thread) return wr_fail_memory(err, sizeof *thread, "a thread");
    *thread = (wr_thread){.allocator = a, .run = run, .user = user};
    snprintf(thread->name, sizeof thread->name, "%s", name);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = wr_fault(WR_FAULT_THREAD) ? EAGAIN : pthread_create(&thread->posix, NULL, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        wr_free(a, thread, sizeof *thread);
        char buffer[128];
        return wr_fail(err, WR_LIMIT, "cannot start thread '%s': %s", name, strerror_r(code, buffer, sizeof buffer));
    }
    *out = thread;
    return WR_OK;
}

void wr_thread_join(wr_thread *thread) {
    if (!thread) return;
    pthread_join(thread->posix, NULL);
    wr_free(thread->allocator, thread, sizeof *thread);
}

void wr_condition_init(wr_condition *c) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->posix, &attributes);
    pthread_condattr_destroy(&attributes);
}

void wr_condition_deinit(wr_condition *c) {
    pthread_cond_destroy(&c->posix);
}

bool wr_condition_wait(wr_condition *c, wr_mutex *m, int64_t timeout_ns) {
    if (timeout_ns < 0) {
        pthread_cond_wait(&c->posix, m);
        return true;
    }
    int64_t until;
    if (__builtin_add_overflow(wr_clock_monotonic_ns(), timeout_ns, &until)) until = INT64_MAX;
    struct timespec at = {.tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000)};
    return pthread_cond_timedwait(&c->posix, m, &at) != ETIMEDOUT;
}

void wr_condition_signal(wr_condition *c) {
    pthread_cond_signal(&c->posix);
}

void wr_condition_broadcast(wr_condition *c) {
    pthread_cond_broadcast(&c->posix);
}

/* ---- clocks and the process ---- */

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t wr_clock_monotonic_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t wr_clock_wall_us(void) {
    return clock_ns(CLOCK_REALTIME) / 1000;
}

int64_t wr_clock_cpu_ns(void) {
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t wr_clock_thread_cpu_ns(void) {
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Reads a small file of the kernel's; false when it is not there. */
static bool read_small(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, text, size - 1);
    close(fd);
    if (got <= 0) return false;
    text[got] = 0;
    return true;
}

size_t wr_process_resident_bytes(void) {
    char text[256];
    unsigned long long total, resident;
    if (!read_small("/proc/self/statm", text, sizeof text) || sscanf(text, "%llu %llu", &total, &resident) != 2) {
        return 0;
    }
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* VmHWM rather than ru_maxrss, which a process inherits from the one that started it. */
size_t wr_process_peak_resident_bytes(void) {
    char text[4096];
    const char *line;
    unsigned long long kilobytes;
    if (read_small("/proc/self/status", text, sizeof text) && (line = strstr(text, "VmHWM:")) &&
        sscanf(line, "VmHWM: %llu", &kilobytes) == 1) {
        return (size_t)kilobytes * 1024;
    }
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (size_t)usage.ru_maxrss * 1024 : 0;
}

/* The machine's memory, or less where the control group says so ("max" or a number of bytes). */
size_t wr_os_memory_bytes(void) {
    size_t bytes = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    char text[64];
    unsigned long long limit;
    if (read_small("/sys/fs/cgroup/memory.max", text, sizeof text) && sscanf(text, "%llu", &limit) == 1 &&
        limit < bytes) {
        bytes = (size_t)limit;
    }
    return bytes;
}

uint64_t wr_os_random(void) {
    uint64_t value;
    if (getrandom(&value, sizeof value, 0) == sizeof value) return value;
    return (uint64_t)clock_ns(CLOCK_REALTIME) * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)getpid();
}
