/* Single values as text, one function a type: the shell, casts to VARCHAR and messages say the same. Each writes at
 * most WR_PRINT_BYTES without a terminating zero and returns how many. */
#ifndef WR_COLUMN_PRINT_H
#define WR_COLUMN_PRINT_H

#include "column/type.h"

enum { WR_PRINT_BYTES = 96 };

size_t wr_print_i64(char *out, int64_t value);
size_t wr_print_u64(char *out, uint64_t value);
size_t wr_print_i128(char *out, wr_int128 value);
size_t wr_print_decimal(char *out, wr_int128 value, unsigned scale);
/* The shortest digits that read back as the same number: 0.1, 1e+16, 100.0, nan, -inf. */
size_t wr_print_f64(char *out, double value);
size_t wr_print_f32(char *out, float value);
size_t wr_print_date(char *out, int64_t days);
size_t wr_print_time(char *out, int64_t micros);
size_t wr_print_timestamp(char *out, int64_t value, wr_unit unit);
size_t wr_print_interval(char *out, wr_interval value);
size_t wr_print_uuid(char *out, wr_int128 value);

#endif
