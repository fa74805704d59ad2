/* Sums in slots: one pass over rows adds a count and up to WR_SLOT_TERMS sums to the slot of each row. Words of a slot
 * lie side by side, so a row costs one address and one line of cache whatever it sums. The number of lists is a
 * constant in each loop. Sums wrap; that they do not is the caller's to prove. */
#ifndef WR_KERNEL_REDUCE_SLOTS_H
#define WR_KERNEL_REDUCE_SLOTS_H

#include "kernel/kernel_internal.h"
#include "kernel/reduce.h"

WR_ALWAYS_INLINE void slots_any(const uint32_t *index, uint32_t n, const int64_t *const *terms, uint64_t *slots,
                                uint32_t words, uint32_t lists, bool counts) {
    const int64_t *list[WR_SLOT_TERMS] = {NULL};
    for (uint32_t k = 0; k < lists; k++) list[k] = terms[k];
    for (uint32_t i = 0; i < n; i++) {
        uint64_t *slot = slots + (size_t)index[i] * words;
        if (counts) *slot++ += 1;
        WR_UNROLL(4)
        for (uint32_t k = 0; k < lists; k++) slot[k] += (uint64_t)list[k][i];
    }
}

#define SLOTS(lists)                                                                                                   \
    static void slots_add_##lists(const uint32_t *index, uint32_t n, const int64_t *const *terms, uint64_t *slots,     \
                                  uint32_t words) {                                                                    \
        slots_any(index, n, terms, slots, words, lists, false);                                                        \
    }                                                                                                                  \
    static void slots_count_add_##lists(const uint32_t *index, uint32_t n, const int64_t *const *terms,                \
                                        uint64_t *slots, uint32_t words) {                                             \
        slots_any(index, n, terms, slots, words, lists, true);                                                         \
    }
SLOTS(0)
SLOTS(1)
SLOTS(2)
SLOTS(3)
SLOTS(4)
#undef SLOTS

#endif
