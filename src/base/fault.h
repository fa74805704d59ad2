/* Failure injection: every allocation, reservation, read, write, open, map and thread start asks here first whether a
 * test wants it to fail. A transfer (a read or a write of a file) can also go another way than the caller hopes, as the
 * system's may. Without a test the cost is one relaxed load of a global. */
#ifndef WR_BASE_FAULT_H
#define WR_BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum wr_fault_point {
    WR_FAULT_ALLOC,
    WR_FAULT_RESERVE,
    WR_FAULT_OPEN,
    WR_FAULT_READ,
    WR_FAULT_WRITE,
    WR_FAULT_MAP,
    WR_FAULT_THREAD,
    WR_FAULT_POINTS
} wr_fault_point;

typedef enum wr_fault_kind {
    WR_FAULT_NONE,
    WR_FAULT_ONCE,      /* the nth call fails */
    WR_FAULT_ON,        /* it fails, and all behind it: a disk that is full */
    WR_FAULT_INTERRUPT, /* the nth transfer is interrupted before it moved a byte */
    WR_FAULT_SHORT,     /* from the nth on each transfer moves a part of what it was asked for */
} wr_fault_kind;

/* Arms the `nth` call (1 = the next one) of `point`; 0 disarms. Counts calls from zero again. Tests only. */
void wr_fault_arm_kind(wr_fault_point point, uint64_t nth, wr_fault_kind kind);
void wr_fault_arm(wr_fault_point point, uint64_t nth); /* WR_FAULT_ONCE */
void wr_fault_disarm_all(void);
/* Calls seen since the last arm or disarm of this point; counted only while any point is armed. */
uint64_t wr_fault_calls(wr_fault_point point);

wr_fault_kind wr_fault_check_slow(wr_fault_point point);
extern _Atomic bool wr_fault_armed;
/* What has to become of this transfer. */
static inline wr_fault_kind wr_fault_transfer(wr_fault_point point) {
    bool armed = __builtin_expect(__atomic_load_n((bool *)&wr_fault_armed, __ATOMIC_RELAXED), 0);
    return armed ? wr_fault_check_slow(point) : WR_FAULT_NONE;
}
/* True when this call, which is no transfer, has to fail. */
static inline bool wr_fault(wr_fault_point point) {
    wr_fault_kind kind = wr_fault_transfer(point);
    return kind == WR_FAULT_ONCE || kind == WR_FAULT_ON;
}

#endif
