/* Which types turn into which: unasked (with a cost that orders overloads), on request, and where two types meet.
 *
 * Unasked casts lose nothing but float precision: integers widen, integers and decimals become floats, dates become
 * timestamps. Text never turns into anything by itself, nor anything into text; that literals bend is a rule about
 * expressions and is in resolve.c. */
#include "plan/cast.h"

enum { DIGITS_HUGEINT = 38 };

/* The decimal that holds every value of an integer type. */
static unsigned integer_digits(wr_type type) {
    switch ((wr_type_id)type.id) {
    case WR_TYPE_TINYINT:
    case WR_TYPE_UTINYINT: return 3;
    case WR_TYPE_SMALLINT:
    case WR_TYPE_USMALLINT: return 5;
    case WR_TYPE_INTEGER:
    case WR_TYPE_UINTEGER: return 10;
    case WR_TYPE_BIGINT: return 19;
    case WR_TYPE_UBIGINT: return 20;
    default: return DIGITS_HUGEINT;
    }
}

wr_type wr_type_as_decimal(wr_type type) {
    if (type.id == WR_TYPE_DECIMAL) return type;
    return wr_type_decimal(integer_digits(type), 0);
}

/* 1 to 5 by width; 0 for what is no integer. */
static int integer_rank(wr_type type) {
    switch ((wr_type_id)type.id) {
    case WR_TYPE_TINYINT:
    case WR_TYPE_UTINYINT: return 1;
    case WR_TYPE_SMALLINT:
    case WR_TYPE_USMALLINT: return 2;
    case WR_TYPE_INTEGER:
    case WR_TYPE_UINTEGER: return 3;
    case WR_TYPE_BIGINT:
    case WR_TYPE_UBIGINT: return 4;
    case WR_TYPE_HUGEINT: return 5;
    default: return 0;
    }
}

static bool is_unsigned(wr_type type) {
    return type.id >= WR_TYPE_UTINYINT && type.id <= WR_TYPE_UBIGINT;
}

static bool is_float(wr_type type) {
    return type.id == WR_TYPE_FLOAT || type.id == WR_TYPE_DOUBLE;
}

static bool is_timestamp(wr_type type) {
    return type.id == WR_TYPE_TIMESTAMP || type.id == WR_TYPE_TIMESTAMP_TZ;
}

static bool is_nested(wr_type type) {
    return type.id == WR_TYPE_LIST || type.id == WR_TYPE_STRUCT || type.id == WR_TYPE_MAP;
}

/* ---- unasked ---- */

enum { COST_DECIMAL = 10, COST_DOUBLE = 12, COST_FLOAT = 14 };

static int integer_cost(wr_type from, wr_type to) {
    int rank = integer_rank(from);
    if (wr_type_is_integer(to)) {
        int up = integer_rank(to) - rank;
        if (is_unsigned(from) == is_unsigned(to)) return up > 0 ? up : -1;
        return is_unsigned(from) && up > 0 ? up + 4 : -1;
    }
    if (to.id == WR_TYPE_DECIMAL) return integer_digits(from) + to.scale <= to.precision ? COST_DECIMAL : -1;
    return to.id == WR_TYPE_DOUBLE ? COST_DOUBLE : to.id == WR_TYPE_FLOAT ? COST_FLOAT : -1;
}

int wr_cast_cost(wr_type from, wr_type to) {
    if (wr_type_equal(from, to)) return 0;
    if (from.id == WR_TYPE_NULL) return 1;
    if (wr_type_is_integer(from)) return integer_cost(from, to);
    switch ((wr_type_id)from.id) {
    case WR_TYPE_DECIMAL:
        if (to.id == WR_TYPE_DECIMAL) {
            return from.scale <= to.scale && from.precision - from.scale <= to.precision - to.scale ? 1 : -1;
        }
        return to.id == WR_TYPE_DOUBLE ? 2 : to.id == WR_TYPE_FLOAT ? 3 : -1;
    case WR_TYPE_FLOAT: return to.id == WR_TYPE_DOUBLE ? 1 : -1;
    case WR_TYPE_DATE: return to.id == WR_TYPE_TIMESTAMP ? 2 : to.id == WR_TYPE_TIMESTAMP_TZ ? 3 : -1;
    case WR_TYPE_TIMESTAMP: return to.id == WR_TYPE_TIMESTAMP ? 1 : to.id == WR_TYPE_TIMESTAMP_TZ ? 2 : -1;
    case WR_TYPE_TIMESTAMP_TZ: return to.id == WR_TYPE_TIMESTAMP_TZ ? 1 : -1;
    case WR_TYPE_VARCHAR: return to.id == WR_TYPE_VARCHAR && (from.collation == 0 || to.collation == 0) ? 1 : -1;
    default: return -1;
    }
}

/* ---- where two types meet ---- */

static wr_type common_integer(wr_type a, wr_type b) {
    if (is_unsigned(a) == is_unsigned(b)) return integer_rank(a) >= integer_rank(b) ? a : b;
    static const wr_type_id by_rank[] = {WR_TYPE_TINYINT, WR_TYPE_SMALLINT, WR_TYPE_INTEGER, WR_TYPE_BIGINT,
                                         WR_TYPE_HUGEINT};
    wr_type u = is_unsigned(a) ? a : b, s = is_unsigned(a) ? b : a;
    int needed = integer_rank(u) + 1; /* the signed type that holds the unsigned one */
    int rank = integer_rank(s) > needed ? integer_rank(s) : needed;
    return wr_type_of(by_rank[rank - 1]);
}

/* Digits behind the point are kept: a value that then has too many in front of it is an error, one that lost some behind
 * it would be wrong. */
static wr_type common_decimal(wr_type a, wr_type b) {
    a = wr_type_as_decimal(a);
    b = wr_type_as_decimal(b);
    int whole_a = a.precision - a.scale, whole_b = b.precision - b.scale;
    int whole = whole_a > whole_b ? whole_a : whole_b, scale = a.scale > b.scale ? a.scale : b.scale;
    if (whole + scale > WR_DECIMAL_MAX_DIGITS) whole = WR_DECIMAL_MAX_DIGITS - scale;
    return wr_type_decimal((unsigned)(whole + scale), (unsigned)scale);
}

static wr_type common_number(wr_type a, wr_type b) {
    if (a.id == WR_TYPE_DOUBLE || b.id == WR_TYPE_DOUBLE) return wr_type_of(WR_TYPE_DOUBLE);
    if (is_float(a) || is_float(b)) return wr_type_of(WR_TYPE_FLOAT);
    if (a.id == WR_TYPE_DECIMAL || b.id == WR_TYPE_DECIMAL) return common_decimal(a, b);
    return common_integer(a, b);
}

static bool common_time(wr_type a, wr_type b, wr_type *out) {
    bool date_a = a.id == WR_TYPE_DATE, date_b = b.id == WR_TYPE_DATE;
    if (!(date_a || is_timestamp(a)) || !(date_b || is_timestamp(b))) return false;
    bool zoned = a.id == WR_TYPE_TIMESTAMP_TZ || b.id == WR_TYPE_TIMESTAMP_TZ;
    *out = wr_type_of(zoned ? WR_TYPE_TIMESTAMP_TZ : WR_TYPE_TIMESTAMP);
    out->unit = date_a ? b.unit : date_b ? a.unit : a.unit > b.unit ? a.unit : b.unit;
    return true;
}

bool wr_type_common(wr_type a, wr_type b, wr_type *out) {
    if (wr_type_equal(a, b) || b.id == WR_TYPE_NULL) {
        *out = a;
        return true;
    }
    if (a.id == WR_TYPE_NULL) {
        *out = b;
        return true;
    }
    if (wr_type_is_numeric(a) && wr_type_is_numeric(b)) {
        *out = common_number(a, b);
        return true;
    }
    if (a.id == WR_TYPE_BOOLEAN && wr_type_is_numeric(b)) {
        *out = b;
        return true;
    }
    if (b.id == WR_TYPE_BOOLEAN && wr_type_is_numeric(a)) {
        *out = a;
        return true;
    }
    if (a.id == WR_TYPE_VARCHAR && b.id == WR_TYPE_VARCHAR && (a.collation == 0 || b.collation == 0)) {
        *out = a.collation ? a : b;
        return true;
    }
    return common_time(a, b, out);
}

/* ---- on request ---- */

/* Text at one end converts whatever prints; the rest is listed. */
bool wr_cast_exists(wr_type from, wr_type to) {
    if (wr_type_equal(from, to) || from.id == WR_TYPE_NULL) return true;
    if (is_nested(from) || is_nested(to)) return to.id == WR_TYPE_VARCHAR;
    if (from.id == WR_TYPE_VARCHAR || to.id == WR_TYPE_VARCHAR) return true;
    bool number_from = wr_type_is_numeric(from) || from.id == WR_TYPE_BOOLEAN;
    bool number_to = wr_type_is_numeric(to) || to.id == WR_TYPE_BOOLEAN;
    if (number_from || number_to) return number_from && number_to;
    switch ((wr_type_id)from.id) {
    case WR_TYPE_DATE: return is_timestamp(to);
    case WR_TYPE_TIME: return to.id == WR_TYPE_INTERVAL;
    case WR_TYPE_TIMESTAMP:
    case WR_TYPE_TIMESTAMP_TZ: return to.id == WR_TYPE_DATE || to.id == WR_TYPE_TIME || is_timestamp(to);
    case WR_TYPE_INTERVAL: return to.id == WR_TYPE_TIME;
    default: return false;
    }
}

static bool integer_cast_can_fail(wr_type from, wr_type to) {
    if (to.id == WR_TYPE_BOOLEAN || is_float(to)) return false;
    if (to.id == WR_TYPE_DECIMAL) return integer_digits(from) + to.scale > to.precision;
    return integer_cost(from, to) < 0;
}

bool wr_cast_can_fail(wr_type from, wr_type to) {
    if (wr_type_equal(from, to) || from.id == WR_TYPE_NULL || to.id == WR_TYPE_VARCHAR) {
        return from.id == WR_TYPE_BLOB && to.id == WR_TYPE_VARCHAR;
    }
    if (wr_type_is_integer(from)) return integer_cast_can_fail(from, to);
    switch ((wr_type_id)from.id) {
    case WR_TYPE_BOOLEAN: return to.id == WR_TYPE_DECIMAL && to.precision == to.scale;
    case WR_TYPE_DECIMAL:
        if (to.id == WR_TYPE_DECIMAL) {
            /* Rounding to fewer digits behind the point may carry into one more in front of it. */
            int room = (to.precision - to.scale) - (from.precision - from.scale);
            return room < 0 || (room == 0 && to.scale < from.scale);
        }
        return wr_type_is_integer(to);
    case WR_TYPE_FLOAT: return !is_float(to) && to.id != WR_TYPE_BOOLEAN;
    case WR_TYPE_DOUBLE: return to.id != WR_TYPE_BOOLEAN;
    case WR_TYPE_INTERVAL:
    case WR_TYPE_TIME: return false;
    case WR_TYPE_TIMESTAMP:
    case WR_TYPE_TIMESTAMP_TZ:
        if (to.id == WR_TYPE_TIME) return true; /* infinity */
        if (to.id == WR_TYPE_DATE) return from.unit < WR_UNIT_US;
        return to.unit > from.unit || from.id != to.id;
    default: return true;
    }
}

bool wr_cast_is_relabel(wr_type from, wr_type to) {
    if (from.id == WR_TYPE_DECIMAL && to.id == WR_TYPE_DECIMAL) {
        return from.scale == to.scale && from.precision <= to.precision && wr_type_phys(from) == wr_type_phys(to);
    }
    return from.id == WR_TYPE_VARCHAR && to.id == WR_TYPE_VARCHAR;
}

float wr_cast_cost_ns(wr_type from, wr_type to) {
    if (wr_cast_is_relabel(from, to)) return 0.02f;
    if (from.id == WR_TYPE_VARCHAR) return 15;
    if (to.id == WR_TYPE_VARCHAR) return wr_type_is_integer(from) ? 8 : is_float(from) ? 150 : 25;
    if (from.id == WR_TYPE_TIMESTAMP_TZ || to.id == WR_TYPE_TIMESTAMP_TZ) return 10;
    return 0.5f;
}
