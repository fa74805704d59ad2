/* Chooses how to aggregate. */
#include "exec/aggregate_internal.h"

wr_status wr_aggregate_create(wr_sink **sink, wr_source **source, wr_exec *exec, const wr_aggregate_spec *spec,
                              wr_error *err) {
    if (!spec->key_count) return wr_plain_aggregate_create(sink, source, exec, spec, err);
    *sink = NULL;
    if (wr_dense_aggregate_applies(exec, spec)) WR_TRY(wr_dense_aggregate_create(sink, source, exec, spec, err));
    return *sink ? WR_OK : wr_hash_aggregate_create(sink, source, exec, spec, err);
}

bool wr_aggregate_can_order_by(wr_type type) {
    wr_phys phys = wr_type_phys(type);
    return (phys >= WR_PHYS_I8 && phys <= WR_PHYS_I64) || (phys >= WR_PHYS_U8 && phys <= WR_PHYS_U64);
}
