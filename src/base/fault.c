/* The counters behind failure injection. They are process-wide, as the points are; only one test runs at a time. */
#include "base/fault.h"

#include <stdatomic.h>

_Atomic bool wr_fault_armed;

static _Atomic uint64_t nth_to_fail[WR_FAULT_POINTS]; /* 0: not armed */
static _Atomic uint64_t calls_seen[WR_FAULT_POINTS];
static _Atomic wr_fault_kind kinds[WR_FAULT_POINTS];

void wr_fault_arm_kind(wr_fault_point point, uint64_t nth, wr_fault_kind kind) {
    nth_to_fail[point] = nth;
    kinds[point] = kind;
    calls_seen[point] = 0;
    bool any = false;
    for (int i = 0; i < WR_FAULT_POINTS; i++) any |= nth_to_fail[i] != 0;
    wr_fault_armed = any;
}

void wr_fault_arm(wr_fault_point point, uint64_t nth) {
    wr_fault_arm_kind(point, nth, WR_FAULT_ONCE);
}

void wr_fault_disarm_all(void) {
    for (int i = 0; i < WR_FAULT_POINTS; i++) wr_fault_arm((wr_fault_point)i, 0);
}

uint64_t wr_fault_calls(wr_fault_point point) {
    return calls_seen[point];
}

wr_fault_kind wr_fault_check_slow(wr_fault_point point) {
    uint64_t call = atomic_fetch_add_explicit(&calls_seen[point], 1, memory_order_relaxed) + 1,
             nth = nth_to_fail[point];
    wr_fault_kind kind = kinds[point];
    bool lasts = kind == WR_FAULT_ON || kind == WR_FAULT_SHORT;
    return nth && (call == nth || (lasts && call > nth)) ? kind : WR_FAULT_NONE;
}
