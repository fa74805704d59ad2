/* States of groups, and runs of rows of one group.
 *
 * Grouped loops hurt where neighbouring rows hit the same group: each addition waits for the last one's store. Rows are
 * therefore taken RUN at a time; those of one group (sorted or clustered data, or a single group) are reduced in
 * registers and added once, and rows of mixed groups are added one by one, where the processor overlaps them. */
#ifndef WR_KERNEL_GROUP_RUN_H
#define WR_KERNEL_GROUP_RUN_H

#include "kernel/kernel_internal.h"

enum { RUN = 8 };

WR_ALWAYS_INLINE bool same_group(const uint32_t *group) {
    uint64_t pairs[RUN / 2];
    memcpy(pairs, group, sizeof pairs);
    uint64_t first = (uint64_t)group[0] << 32 | group[0];
    return ((pairs[0] ^ first) | (pairs[1] ^ first) | (pairs[2] ^ first) | (pairs[3] ^ first)) == 0;
}

WR_ALWAYS_INLINE void *state_of(uint8_t *base, uint32_t group, uint32_t stride) {
    return base + (size_t)group * stride;
}

#endif
