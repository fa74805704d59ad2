/* wr_byte_positions[b]: the positions of the set bits of byte b, lowest first, one position a byte of the entry. */
#ifndef WR_KERNEL_BYTE_POSITIONS_H
#define WR_KERNEL_BYTE_POSITIONS_H

#include <stdint.h>

#define WR_BIT_AT(byte, bit)                                                                                           \
    ((byte) >> (bit)&1 ? (uint64_t)(bit) << (8 * __builtin_popcount((byte) & ((1u << (bit)) - 1))) : 0)
#define WR_POSITIONS(byte)                                                                                             \
    (WR_BIT_AT(byte, 1) | WR_BIT_AT(byte, 2) | WR_BIT_AT(byte, 3) | WR_BIT_AT(byte, 4) | WR_BIT_AT(byte, 5) |          \
     WR_BIT_AT(byte, 6) | WR_BIT_AT(byte, 7))
#define WR_POSITIONS_4(byte)                                                                                           \
    WR_POSITIONS(byte), WR_POSITIONS(byte + 1u), WR_POSITIONS(byte + 2u), WR_POSITIONS(byte + 3u)
#define WR_POSITIONS_16(byte)                                                                                          \
    WR_POSITIONS_4(byte), WR_POSITIONS_4(byte + 4u), WR_POSITIONS_4(byte + 8u), WR_POSITIONS_4(byte + 12u)
#define WR_POSITIONS_64(byte)                                                                                          \
    WR_POSITIONS_16(byte), WR_POSITIONS_16(byte + 16u), WR_POSITIONS_16(byte + 32u), WR_POSITIONS_16(byte + 48u)
static const uint64_t wr_byte_positions[256] = {WR_POSITIONS_64(0u), WR_POSITIONS_64(64u), WR_POSITIONS_64(128u),
                                                WR_POSITIONS_64(192u)};

#undef WR_BIT_AT
#undef WR_POSITIONS
#undef WR_POSITIONS_4
#undef WR_POSITIONS_16
#undef WR_POSITIONS_64

#endif
