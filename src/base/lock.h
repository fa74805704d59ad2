/* A mutex. Held for a few instructions, never while allocating, reading or waiting for another thread. */
#ifndef WR_BASE_LOCK_H
#define WR_BASE_LOCK_H

#include <pthread.h>

typedef pthread_mutex_t wr_mutex;
#define WR_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
static inline void wr_mutex_init(wr_mutex *m) {
    pthread_mutex_init(m, NULL);
}
static inline void wr_mutex_deinit(wr_mutex *m) {
    pthread_mutex_destroy(m);
}
static inline void wr_mutex_lock(wr_mutex *m) {
    pthread_mutex_lock(m);
}
static inline void wr_mutex_unlock(wr_mutex *m) {
    pthread_mutex_unlock(m);
}

#endif
