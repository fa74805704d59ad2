/* Ends a template that each_number.tmpl.h includes: undefines what it was given. */
#undef T
#undef NAME
#undef UNSIGNED
#undef VECTOR
#undef MASK_LANES
#undef LANE_BITS
#undef IS_FLOAT
#undef IS_SIGNED
