/* Includes a template once for each number of column/types.def. A type that is missing here has no functions, so that
 * the tables, which are made from types.def, do not compile.
 *   TEMPLATE  header to include, in quotes
 * The template gets, and undefines:
 *   T          the C type (128-bit integers: aligned to 8)
 *   NAME       its short name, the suffix of functions
 *   UNSIGNED   the unsigned type of the same width (floats: too)
 *   VECTOR     the vector of T; 128-bit integers have none, and void stands for it
 *   MASK_LANES the vector of signed integers that comparing two VECTORs gives
 *   LANE_BITS  width of T in bits
 *   IS_FLOAT, IS_SIGNED  0 or 1 */

#define T int8_t
#define NAME i8
#define UNSIGNED uint8_t
#define VECTOR wr_v_i8
#define MASK_LANES wr_v_i8
#define LANE_BITS 8
#define IS_FLOAT 0
#define IS_SIGNED 1
#include TEMPLATE

#define T int16_t
#define NAME i16
#define UNSIGNED uint16_t
#define VECTOR wr_v_i16
#define MASK_LANES wr_v_i16
#define LANE_BITS 16
#define IS_FLOAT 0
#define IS_SIGNED 1
#include TEMPLATE

#define T int32_t
#define NAME i32
#define UNSIGNED uint32_t
#define VECTOR wr_v_i32
#define MASK_LANES wr_v_i32
#define LANE_BITS 32
#define IS_FLOAT 0
#define IS_SIGNED 1
#include TEMPLATE

#define T int64_t
#define NAME i64
#define UNSIGNED uint64_t
#define VECTOR wr_v_i64
#define MASK_LANES wr_v_i64
#define LANE_BITS 64
#define IS_FLOAT 0
#define IS_SIGNED 1
#include TEMPLATE

#define T wr_int128_packed
#define NAME i128
#define UNSIGNED wr_uint128
#define VECTOR void
#define MASK_LANES void
#define LANE_BITS 128
#define IS_FLOAT 0
#define IS_SIGNED 1
#include TEMPLATE

#define T uint8_t
#define NAME u8
#define UNSIGNED uint8_t
#define VECTOR wr_v_u8
#define MASK_LANES wr_v_i8
#define LANE_BITS 8
#define IS_FLOAT 0
#define IS_SIGNED 0
#include TEMPLATE

#define T uint16_t
#define NAME u16
#define UNSIGNED uint16_t
#define VECTOR wr_v_u16
#define MASK_LANES wr_v_i16
#define LANE_BITS 16
#define IS_FLOAT 0
#define IS_SIGNED 0
#include TEMPLATE

#define T uint32_t
#define NAME u32
#define UNSIGNED uint32_t
#define VECTOR wr_v_u32
#define MASK_LANES wr_v_i32
#define LANE_BITS 32
#define IS_FLOAT 0
#define IS_SIGNED 0
#include TEMPLATE

#define T uint64_t
#define NAME u64
#define UNSIGNED uint64_t
#define VECTOR wr_v_u64
#define MASK_LANES wr_v_i64
#define LANE_BITS 64
#define IS_FLOAT 0
#define IS_SIGNED 0
#include TEMPLATE

#define T float
#define NAME f32
#define UNSIGNED uint32_t
#define VECTOR wr_v_f32
#define MASK_LANES wr_v_i32
#define LANE_BITS 32
#define IS_FLOAT 1
#define IS_SIGNED 1
#include TEMPLATE

#define T double
#define NAME f64
#define UNSIGNED uint64_t
#define VECTOR wr_v_f64
#define MASK_LANES wr_v_i64
#define LANE_BITS 64
#define IS_FLOAT 1
#define IS_SIGNED 1
#include TEMPLATE

#undef TEMPLATE
