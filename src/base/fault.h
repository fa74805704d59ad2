/* Failure injection: every allocation, reservation, read, write, open, map and thread start asks here first whether a
 * test wants it to fail. Without a test the cost is one relaxed load of a global. */
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

/* Fails the `nth` call (1 = the next one) of `point`, once; 0 disarms. Counts calls from zero again. Tests only. */
void wr_fault_arm(wr_fault_point point, uint64_t nth);
void wr_fault_disarm_all(void);
/* Calls seen since the last arm or disarm of this point; counted only while any point is armed. */
uint64_t wr_fault_calls(wr_fault_point point);

bool wr_fault_check_slow(wr_fault_point point);
extern _Atomic bool wr_fault_armed;
/* True when this call has to fail. */
static inline bool wr_fault(wr_fault_point point) {
    return __builtin_expect(__atomic_load_n((bool *)&wr_fault_armed, __ATOMIC_RELAXED), 0) &&
           wr_fault_check_slow(point);
}

#endif
