/* The cases of kernels.c: CASE(id, label, units, call), with `k` the kernels and `x` the inputs. Undefined at the end.
 */
CASE(bits_and, "bits.and", ROWS, k->bits->and_(x.bits, x.dense, ROWS, x.out_bits))
CASE(bits_count, "bits.count", ROWS, sink = k->bits->count(x.bits, ROWS))
CASE(bits_rows, "bits.rows 50 %", ROWS, sink = k->bits->rows(x.bits, ROWS, 0, (uint16_t *)x.out))
CASE(bits_rows_3, "bits.rows 3 %", ROWS, sink = k->bits->rows(x.sparse, ROWS, 0, (uint16_t *)x.out))
CASE(bits_rows_97, "bits.rows 97 %", ROWS, sink = k->bits->rows(x.dense, ROWS, 0, (uint16_t *)x.out))
CASE(bits_lookup, "bits.lookup 1,000 entries", ROWS, k->bits->lookup(x.entries, x.codes_small, ROWS, x.out_bits))
CASE(bits_lookup_large, "bits.lookup 4,000 entries", ROWS, k->bits->lookup(x.entries, x.codes_large, ROWS, x.out_bits))
CASE(bits_gather, "bits.gather", ROWS, k->bits->gather(x.bits, x.rows, ROWS, x.out_bits))
CASE(bits_compress, "bits.compress", ROWS, sink = k->bits->compress(x.dense, x.bits, ROWS, x.out_bits))

CASE(gather16_4, "select.gather16 4 bytes", ROWS, k->select->gather16[2](x.words, x.rows, ROWS, x.out))
CASE(gather16_8, "select.gather16 8 bytes", ROWS, k->select->gather16[3](x.words, x.rows, ROWS, x.out))
CASE(gather16_16, "select.gather16 16 bytes", ROWS, k->select->gather16[4](x.words, x.rows, ROWS, x.out))
CASE(gather32_1, "select.gather32 1 byte", ROWS, k->select->gather32[0](x.words, x.codes_small, ROWS, x.out))
CASE(gather32_4, "select.gather32 4 bytes", ROWS, k->select->gather32[2](x.words, x.codes_small, ROWS, x.out))
CASE(gather32_8, "select.gather32 8 bytes", ROWS, k->select->gather32[3](x.words, x.codes_small, ROWS, x.out))
CASE(gather32_16, "select.gather32 16 bytes", ROWS, k->select->gather32[4](x.words, x.codes_small, ROWS, x.out))
CASE(compress_1, "select.compress 1 byte", ROWS, sink = k->select->compress[0](x.words, x.bits, ROWS, x.out))
CASE(compress_2, "select.compress 2 bytes", ROWS, sink = k->select->compress[1](x.words, x.bits, ROWS, x.out))
CASE(compress_4, "select.compress 4 bytes", ROWS, sink = k->select->compress[2](x.words, x.bits, ROWS, x.out))
CASE(compress_8, "select.compress 8 bytes", ROWS, sink = k->select->compress[3](x.words, x.bits, ROWS, x.out))
CASE(compress_16, "select.compress 16 bytes", ROWS, sink = k->select->compress[4](x.words, x.bits, ROWS, x.out))
CASE(expand_1, "select.expand 1 byte", ROWS, k->select->expand[0](x.words, x.bits, ROWS, x.out))
CASE(expand_2, "select.expand 2 bytes", ROWS, k->select->expand[1](x.words, x.bits, ROWS, x.out))
CASE(expand_4, "select.expand 4 bytes", ROWS, k->select->expand[2](x.words, x.bits, ROWS, x.out))
CASE(expand_8, "select.expand 8 bytes", ROWS, k->select->expand[3](x.words, x.bits, ROWS, x.out))
CASE(expand_16, "select.expand 16 bytes", ROWS, k->select->expand[4](x.words, x.bits, ROWS, x.out))

CASE(lt_vc_i8, "compare.vc i8 <", ROWS, k->compare->vc[WR_PHYS_I8][WR_LT](x.words, x.words + 7, ROWS, x.out_bits))
CASE(lt_vc_i16, "compare.vc i16 <", ROWS, k->compare->vc[WR_PHYS_I16][WR_LT](x.words, x.words + 7, ROWS, x.out_bits))
CASE(lt_vc_i32, "compare.vc i32 <", ROWS, k->compare->vc[WR_PHYS_I32][WR_LT](x.words, x.words + 7, ROWS, x.out_bits))
CASE(lt_vc_i64, "compare.vc i64 <", ROWS, k->compare->vc[WR_PHYS_I64][WR_LT](x.words, x.words + 7, ROWS, x.out_bits))
CASE(lt_vc_i128, "compare.vc i128 <", ROWS, k->compare->vc[WR_PHYS_I128][WR_LT](x.words, x.words + 7, ROWS, x.out_bits))
CASE(lt_vc_u32, "compare.vc u32 <", ROWS, k->compare->vc[WR_PHYS_U32][WR_LT](x.words, x.words + 7, ROWS, x.out_bits))
CASE(lt_vc_u64, "compare.vc u64 <", ROWS, k->compare->vc[WR_PHYS_U64][WR_LT](x.words, x.words + 7, ROWS, x.out_bits))
CASE(lt_vc_f32, "compare.vc f32 <", ROWS, k->compare->vc[WR_PHYS_F32][WR_LT](x.f32, x.f32 + 7, ROWS, x.out_bits))
CASE(lt_vc_f64, "compare.vc f64 <", ROWS, k->compare->vc[WR_PHYS_F64][WR_LT](x.f64, x.f64 + 7, ROWS, x.out_bits))
CASE(lt_vv_i32, "compare.vv i32 <", ROWS, k->compare->vv[WR_PHYS_I32][WR_LT](x.words, x.other, ROWS, x.out_bits))
CASE(lt_vv_i64, "compare.vv i64 <", ROWS, k->compare->vv[WR_PHYS_I64][WR_LT](x.words, x.other, ROWS, x.out_bits))
CASE(lt_vv_f64, "compare.vv f64 <", ROWS, k->compare->vv[WR_PHYS_F64][WR_LT](x.f64, x.other, ROWS, x.out_bits))
CASE(range_i32, "compare.range i32", ROWS,
     k->compare->range[WR_PHYS_I32](x.words, x.words + 7, x.words + 8, ROWS, x.out_bits))
CASE(range_i64, "compare.range i64", ROWS,
     k->compare->range[WR_PHYS_I64](x.words, x.words + 7, x.words + 8, ROWS, x.out_bits))
CASE(range_f64, "compare.range f64", ROWS,
     k->compare->range[WR_PHYS_F64](x.f64, x.f64 + 7, x.f64 + 8, ROWS, x.out_bits))
CASE(eq_vc_view, "compare.vc view = (32 bytes)", ROWS,
     k->compare->vc[WR_PHYS_VIEW][WR_EQ](x.views, x.views + 7, ROWS, x.out_bits))
CASE(eq_vv_view, "compare.vv view = (32 bytes, equal)", ROWS,
     k->compare->vv[WR_PHYS_VIEW][WR_EQ](x.views, x.others, ROWS, x.out_bits))
CASE(lt_vc_view, "compare.vc view < (32 bytes)", ROWS,
     k->compare->vc[WR_PHYS_VIEW][WR_LT](x.views, x.views + 7, ROWS, x.out_bits))

CASE(hash_i8, "hash i8", ROWS, k->hash->hash[WR_PHYS_I8](x.words, NULL, ROWS, x.out))
CASE(hash_i32, "hash i32", ROWS, k->hash->hash[WR_PHYS_I32](x.words, NULL, ROWS, x.out))
CASE(hash_i64, "hash i64", ROWS, k->hash->hash[WR_PHYS_I64](x.words, NULL, ROWS, x.out))
CASE(hash_i128, "hash i128", ROWS, k->hash->hash[WR_PHYS_I128](x.words, NULL, ROWS, x.out))
CASE(hash_f32, "hash f32", ROWS, k->hash->hash[WR_PHYS_F32](x.f32, NULL, ROWS, x.out))
CASE(hash_f64, "hash f64", ROWS, k->hash->hash[WR_PHYS_F64](x.f64, NULL, ROWS, x.out))
CASE(hash_view, "hash view", ROWS, k->hash->hash[WR_PHYS_VIEW](x.views, NULL, ROWS, x.out))
CASE(hash_null_i64, "hash i64, half NULL", ROWS, k->hash->hash[WR_PHYS_I64](x.words, x.bits, ROWS, x.out))
CASE(combine_i64, "hash.combine i64", ROWS, k->hash->combine[WR_PHYS_I64](x.words, NULL, ROWS, x.out))
CASE(hash_by_code, "hash.by_code", ROWS, k->hash->by_code(x.words, x.codes_small, ROWS, x.out))
CASE(hash_combine_by_code, "hash.combine_by_code", ROWS, k->hash->combine_by_code(x.words, x.codes_small, ROWS, x.out))

CASE(sum_i8, "reduce.sum i8", ROWS, k->reduce->sum[WR_PHYS_I8](x.words, NULL, ROWS, x.states))
CASE(sum_i32, "reduce.sum i32", ROWS, k->reduce->sum[WR_PHYS_I32](x.words, NULL, ROWS, x.states))
CASE(sum_i64, "reduce.sum i64", ROWS, k->reduce->sum[WR_PHYS_I64](x.words, NULL, ROWS, x.states))
CASE(sum_i128, "reduce.sum i128", ROWS, k->reduce->sum[WR_PHYS_I128](x.words, NULL, ROWS, x.states))
CASE(sum_f32, "reduce.sum f32", ROWS, k->reduce->sum[WR_PHYS_F32](x.f32, NULL, ROWS, x.states))
CASE(sum_f64, "reduce.sum f64", ROWS, k->reduce->sum[WR_PHYS_F64](x.f64, NULL, ROWS, x.states))
CASE(sum_half, "reduce.sum i64, half valid", ROWS, k->reduce->sum[WR_PHYS_I64](x.words, x.bits, ROWS, x.states))
CASE(bounds_i32, "reduce.bounds i32", ROWS, k->reduce->bounds[WR_PHYS_I32](x.words, NULL, ROWS, x.out, x.out + 8))
CASE(bounds_i64, "reduce.bounds i64", ROWS, k->reduce->bounds[WR_PHYS_I64](x.words, NULL, ROWS, x.out, x.out + 8))
CASE(bounds_f64, "reduce.bounds f64", ROWS, k->reduce->bounds[WR_PHYS_F64](x.f64, NULL, ROWS, x.out, x.out + 8))
CASE(bounds_half, "reduce.bounds i64, half valid", ROWS,
     k->reduce->bounds[WR_PHYS_I64](x.words, x.bits, ROWS, x.out, x.out + 8))
CASE(terms_i64, "reduce.terms i64", ROWS, sink = k->reduce->terms[WR_PHYS_I64](x.words, NULL, ROWS, (int64_t *)x.out))
CASE(terms_by_code, "reduce.terms_by_code i64", ROWS,
     sink = k->reduce->terms_by_code[WR_PHYS_I64](x.words, x.codes_small, NULL, ROWS, (int64_t *)x.out))
CASE(slots_1, "reduce.slots_count_add, 1 sum", ROWS,
     k->reduce->slots_count_add[1](x.groups, ROWS, (const int64_t *[]){(const int64_t *)x.words}, (uint64_t *)x.states,
                                   2))
CASE(slots_3, "reduce.slots_count_add, 3 sums", ROWS,
     k->reduce->slots_count_add[3](x.groups, ROWS,
                                   (const int64_t *[]){(const int64_t *)x.words, (const int64_t *)x.other,
                                                       (const int64_t *)x.words},
                                   (uint64_t *)x.states, 4))
CASE(group_count, "reduce.group_count", ROWS, k->reduce->group_count(NULL, x.groups, ROWS, x.states, 64))
CASE(group_count_runs, "reduce.group_count, runs", ROWS, k->reduce->group_count(NULL, x.group_runs, ROWS, x.states, 64))
CASE(group_count_4, "reduce.group_count, 4 groups", ROWS, k->reduce->group_count(NULL, x.groups_4, ROWS, x.states, 64))
CASE(group_sum_i32_groups, "reduce.group_sum i32, 16 groups", ROWS,
     k->reduce->group_sum[WR_PHYS_I32](x.words, NULL, x.groups, ROWS, x.states, 64))
CASE(group_sum_i64_groups, "reduce.group_sum i64, 16 groups", ROWS,
     k->reduce->group_sum[WR_PHYS_I64](x.words, NULL, x.groups, ROWS, x.states, 64))
CASE(group_sum_i128_groups, "reduce.group_sum i128, 16 groups", ROWS,
     k->reduce->group_sum[WR_PHYS_I128](x.words, NULL, x.groups, ROWS, x.states, 64))
CASE(group_sum_f64_groups, "reduce.group_sum f64, 16 groups", ROWS,
     k->reduce->group_sum[WR_PHYS_F64](x.f64, NULL, x.groups, ROWS, x.states, 64))
CASE(group_sum_i32_groups_4, "reduce.group_sum i32, 4 groups", ROWS,
     k->reduce->group_sum[WR_PHYS_I32](x.words, NULL, x.groups_4, ROWS, x.states, 64))
CASE(group_sum_i64_groups_4, "reduce.group_sum i64, 4 groups", ROWS,
     k->reduce->group_sum[WR_PHYS_I64](x.words, NULL, x.groups_4, ROWS, x.states, 64))
CASE(group_sum_i128_groups_4, "reduce.group_sum i128, 4 groups", ROWS,
     k->reduce->group_sum[WR_PHYS_I128](x.words, NULL, x.groups_4, ROWS, x.states, 64))
CASE(group_sum_f64_groups_4, "reduce.group_sum f64, 4 groups", ROWS,
     k->reduce->group_sum[WR_PHYS_F64](x.f64, NULL, x.groups_4, ROWS, x.states, 64))
CASE(group_sum_i32_group_runs, "reduce.group_sum i32, runs", ROWS,
     k->reduce->group_sum[WR_PHYS_I32](x.words, NULL, x.group_runs, ROWS, x.states, 64))
CASE(group_sum_i64_group_runs, "reduce.group_sum i64, runs", ROWS,
     k->reduce->group_sum[WR_PHYS_I64](x.words, NULL, x.group_runs, ROWS, x.states, 64))
CASE(group_sum_i128_group_runs, "reduce.group_sum i128, runs", ROWS,
     k->reduce->group_sum[WR_PHYS_I128](x.words, NULL, x.group_runs, ROWS, x.states, 64))
CASE(group_sum_f64_group_runs, "reduce.group_sum f64, runs", ROWS,
     k->reduce->group_sum[WR_PHYS_F64](x.f64, NULL, x.group_runs, ROWS, x.states, 64))
CASE(group_sum_i32_group_one, "reduce.group_sum i32, one group", ROWS,
     k->reduce->group_sum[WR_PHYS_I32](x.words, NULL, x.group_one, ROWS, x.states, 64))
CASE(group_sum_i64_group_one, "reduce.group_sum i64, one group", ROWS,
     k->reduce->group_sum[WR_PHYS_I64](x.words, NULL, x.group_one, ROWS, x.states, 64))
CASE(group_sum_i128_group_one, "reduce.group_sum i128, one group", ROWS,
     k->reduce->group_sum[WR_PHYS_I128](x.words, NULL, x.group_one, ROWS, x.states, 64))
CASE(group_sum_f64_group_one, "reduce.group_sum f64, one group", ROWS,
     k->reduce->group_sum[WR_PHYS_F64](x.f64, NULL, x.group_one, ROWS, x.states, 64))
CASE(group_sum_half, "reduce.group_sum i64, half valid", ROWS,
     k->reduce->group_sum[WR_PHYS_I64](x.words, x.bits, x.groups, ROWS, x.states, 64))
CASE(group_sum_by_code, "reduce.group_sum_by_code i64", ROWS,
     k->reduce->group_sum_by_code[WR_PHYS_I64](x.words, x.codes_small, NULL, x.groups, ROWS, x.states, 64))
CASE(group_min_i64, "reduce.group_min i64", ROWS,
     k->reduce->group_min[WR_PHYS_I64](x.words, NULL, x.groups, ROWS, x.states, 64, 56))
CASE(group_max_f64, "reduce.group_max f64", ROWS,
     k->reduce->group_max[WR_PHYS_F64](x.f64, NULL, x.groups, ROWS, x.states, 64, 56))

CASE(add_vv_i32, "arith.vv i32 add", ROWS, k->arith->vv[WR_PHYS_I32][WR_ADD](x.i32, x.i32 + 1, ROWS, x.out, x.out_bits))
CASE(add_vv_i64, "arith.vv i64 add", ROWS,
     k->arith->vv[WR_PHYS_I64][WR_ADD](x.small, x.small + 1, ROWS, x.out, x.out_bits))
CASE(add_vv_i128, "arith.vv i128 add", ROWS,
     k->arith->vv[WR_PHYS_I128][WR_ADD](x.i128, x.i128 + 1, ROWS, x.out, x.out_bits))
CASE(add_vv_f64, "arith.vv f64 add", ROWS, k->arith->vv[WR_PHYS_F64][WR_ADD](x.f64, x.f64 + 1, ROWS, x.out, x.out_bits))
CASE(add_vc_i32, "arith.vc i32 add", ROWS, k->arith->vc[WR_PHYS_I32][WR_ADD](x.i32, x.i32 + 7, ROWS, x.out, x.out_bits))
CASE(add_vc_i64, "arith.vc i64 add", ROWS,
     k->arith->vc[WR_PHYS_I64][WR_ADD](x.small, x.small + 7, ROWS, x.out, x.out_bits))
CASE(add_vc_i128, "arith.vc i128 add", ROWS,
     k->arith->vc[WR_PHYS_I128][WR_ADD](x.i128, x.i128 + 7, ROWS, x.out, x.out_bits))
CASE(add_vc_f64, "arith.vc f64 add", ROWS, k->arith->vc[WR_PHYS_F64][WR_ADD](x.f64, x.f64 + 7, ROWS, x.out, x.out_bits))
CASE(mul_vv_i32, "arith.vv i32 mul", ROWS, k->arith->vv[WR_PHYS_I32][WR_MUL](x.i32, x.i32 + 1, ROWS, x.out, x.out_bits))
CASE(mul_vv_i64, "arith.vv i64 mul", ROWS,
     k->arith->vv[WR_PHYS_I64][WR_MUL](x.small, x.small + 1, ROWS, x.out, x.out_bits))
CASE(mul_vv_i128, "arith.vv i128 mul", ROWS,
     k->arith->vv[WR_PHYS_I128][WR_MUL](x.i128, x.i128 + 1, ROWS, x.out, x.out_bits))
CASE(mul_vv_f64, "arith.vv f64 mul", ROWS, k->arith->vv[WR_PHYS_F64][WR_MUL](x.f64, x.f64 + 1, ROWS, x.out, x.out_bits))
CASE(mul_vc_i32, "arith.vc i32 mul", ROWS, k->arith->vc[WR_PHYS_I32][WR_MUL](x.i32, x.i32 + 7, ROWS, x.out, x.out_bits))
CASE(mul_vc_i64, "arith.vc i64 mul", ROWS,
     k->arith->vc[WR_PHYS_I64][WR_MUL](x.small, x.small + 7, ROWS, x.out, x.out_bits))
CASE(mul_vc_i128, "arith.vc i128 mul", ROWS,
     k->arith->vc[WR_PHYS_I128][WR_MUL](x.i128, x.i128 + 7, ROWS, x.out, x.out_bits))
CASE(mul_vc_f64, "arith.vc f64 mul", ROWS, k->arith->vc[WR_PHYS_F64][WR_MUL](x.f64, x.f64 + 7, ROWS, x.out, x.out_bits))
CASE(div_vv_i32, "arith.vv i32 div", ROWS, k->arith->vv[WR_PHYS_I32][WR_DIV](x.i32, x.i32 + 1, ROWS, x.out, x.out_bits))
CASE(div_vv_i64, "arith.vv i64 div", ROWS,
     k->arith->vv[WR_PHYS_I64][WR_DIV](x.small, x.small + 1, ROWS, x.out, x.out_bits))
CASE(div_vv_i128, "arith.vv i128 div", ROWS,
     k->arith->vv[WR_PHYS_I128][WR_DIV](x.i128, x.i128 + 1, ROWS, x.out, x.out_bits))
CASE(div_vv_f64, "arith.vv f64 div", ROWS, k->arith->vv[WR_PHYS_F64][WR_DIV](x.f64, x.f64 + 1, ROWS, x.out, x.out_bits))
CASE(div_vc_i32, "arith.vc i32 div", ROWS, k->arith->vc[WR_PHYS_I32][WR_DIV](x.i32, x.i32 + 7, ROWS, x.out, x.out_bits))
CASE(div_vc_i64, "arith.vc i64 div", ROWS,
     k->arith->vc[WR_PHYS_I64][WR_DIV](x.small, x.small + 7, ROWS, x.out, x.out_bits))
CASE(div_vc_i128, "arith.vc i128 div", ROWS,
     k->arith->vc[WR_PHYS_I128][WR_DIV](x.i128, x.i128 + 7, ROWS, x.out, x.out_bits))
CASE(div_vc_f64, "arith.vc f64 div", ROWS, k->arith->vc[WR_PHYS_F64][WR_DIV](x.f64, x.f64 + 7, ROWS, x.out, x.out_bits))
CASE(mod_vv_i32, "arith.vv i32 mod", ROWS, k->arith->vv[WR_PHYS_I32][WR_MOD](x.i32, x.i32 + 1, ROWS, x.out, x.out_bits))
CASE(mod_vv_i64, "arith.vv i64 mod", ROWS,
     k->arith->vv[WR_PHYS_I64][WR_MOD](x.small, x.small + 1, ROWS, x.out, x.out_bits))
CASE(mod_vv_i128, "arith.vv i128 mod", ROWS,
     k->arith->vv[WR_PHYS_I128][WR_MOD](x.i128, x.i128 + 1, ROWS, x.out, x.out_bits))
CASE(mod_vc_i32, "arith.vc i32 mod", ROWS, k->arith->vc[WR_PHYS_I32][WR_MOD](x.i32, x.i32 + 7, ROWS, x.out, x.out_bits))
CASE(mod_vc_i64, "arith.vc i64 mod", ROWS,
     k->arith->vc[WR_PHYS_I64][WR_MOD](x.small, x.small + 7, ROWS, x.out, x.out_bits))
CASE(mod_vc_i128, "arith.vc i128 mod", ROWS,
     k->arith->vc[WR_PHYS_I128][WR_MOD](x.i128, x.i128 + 7, ROWS, x.out, x.out_bits))
CASE(mul_vv_i32s, "arith.vv i32 mul, none fails", ROWS,
     k->arith->vv[WR_PHYS_I32][WR_MUL](x.groups, x.codes_small, ROWS, x.out, x.out_bits))
CASE(mul_vv_u64, "arith.vv u64 mul", ROWS, k->arith->vv[WR_PHYS_U64][WR_MUL](x.small, x.small, ROWS, x.out, x.out_bits))
CASE(fast_mul_i64, "arith.fast_vv i64 mul", ROWS, k->arith->fast_vv[WR_PHYS_I64][WR_MUL](x.small, x.small, ROWS, x.out))
CASE(fast_add_i64, "arith.fast_vv i64 add", ROWS, k->arith->fast_vv[WR_PHYS_I64][WR_ADD](x.small, x.small, ROWS, x.out))
CASE(mul_wide, "arith.mul_wide_vv", ROWS, k->arith->mul_wide_vv(x.small, x.small, ROWS, (wr_int128 *)x.out))
CASE(negate_i64, "arith.negate i64", ROWS, k->arith->negate[WR_PHYS_I64](x.small, ROWS, x.out, x.out_bits))
CASE(absolute_i64, "arith.absolute i64", ROWS, k->arith->absolute[WR_PHYS_I64](x.small, ROWS, x.out, x.out_bits))

CASE(cast_i32_i64, "cast i32 to i64", ROWS, k->cast->number[WR_PHYS_I32][WR_PHYS_I64](x.i32, ROWS, x.out, x.out_bits))
CASE(cast_i64_i32, "cast i64 to i32", ROWS,
     k->cast->number[WR_PHYS_I64][WR_PHYS_I32](x.codes64, ROWS, x.out, x.out_bits))
CASE(cast_i64_f64, "cast i64 to f64", ROWS, k->cast->number[WR_PHYS_I64][WR_PHYS_F64](x.words, ROWS, x.out, x.out_bits))
CASE(cast_f64_i64, "cast f64 to i64", ROWS, k->cast->number[WR_PHYS_F64][WR_PHYS_I64](x.f64, ROWS, x.out, x.out_bits))
CASE(cast_f64_i32, "cast f64 to i32", ROWS, k->cast->number[WR_PHYS_F64][WR_PHYS_I32](x.f64, ROWS, x.out, x.out_bits))
CASE(cast_f64_f32, "cast f64 to f32", ROWS, k->cast->number[WR_PHYS_F64][WR_PHYS_F32](x.f64, ROWS, x.out, x.out_bits))
CASE(cast_i32_f64, "cast i32 to f64", ROWS, k->cast->number[WR_PHYS_I32][WR_PHYS_F64](x.i32, ROWS, x.out, x.out_bits))
CASE(cast_i64_i128, "cast i64 to i128", ROWS,
     k->cast->number[WR_PHYS_I64][WR_PHYS_I128](x.words, ROWS, x.out, x.out_bits))
CASE(cast_i128_i64, "cast i128 to i64", ROWS,
     k->cast->number[WR_PHYS_I128][WR_PHYS_I64](x.i128, ROWS, x.out, x.out_bits))
CASE(cast_i128_f64, "cast i128 to f64", ROWS,
     k->cast->number[WR_PHYS_I128][WR_PHYS_F64](x.i128, ROWS, x.out, x.out_bits))
CASE(cast_i64_i16, "cast i64 to i16", ROWS,
     k->cast->number[WR_PHYS_I64][WR_PHYS_I16](x.codes64, ROWS, x.out, x.out_bits))
CASE(cast_u64_i64, "cast u64 to i64", ROWS, k->cast->number[WR_PHYS_U64][WR_PHYS_I64](x.small, ROWS, x.out, x.out_bits))
CASE(cast_f32_f64, "cast f32 to f64", ROWS, k->cast->number[WR_PHYS_F32][WR_PHYS_F64](x.f32, ROWS, x.out, x.out_bits))
CASE(cast_bool_i32, "cast bool to i32", ROWS,
     k->cast->number[WR_PHYS_BOOL][WR_PHYS_I32](x.bits, ROWS, x.out, x.out_bits))
CASE(cast_i32_bool, "cast i32 to bool", ROWS,
     k->cast->number[WR_PHYS_I32][WR_PHYS_BOOL](x.i32, ROWS, x.out, x.out_bits))
CASE(rescale_up_64, "cast.rescale_up i64", ROWS,
     k->cast->rescale_up[0](x.small, ROWS, 100, 999999999999999999, x.out, x.out_bits))
CASE(rescale_up_128, "cast.rescale_up i64 to i128", ROWS,
     k->cast->rescale_up[1](x.small, ROWS, 100, 999999999999999999, x.out, x.out_bits))
CASE(rescale_down_64, "cast.rescale_down i64", ROWS,
     k->cast->rescale_down[0](x.small, ROWS, 100, 999999999999999999, x.out, x.out_bits))
CASE(rescale_down_128, "cast.rescale_down i128", ROWS,
     k->cast->rescale_down[2](x.i128, ROWS, 100, 999999999999999999, x.out, x.out_bits))

CASE(find_none, "text.find, no hit", TEXT_BYTES, sink = k->text->find(x.text, TEXT_BYTES, 0, "special", 7))
CASE(find_last, "text.find, many candidates", TEXT_BYTES, sink = k->text->find(x.text, TEXT_BYTES, 0, "sleepy s", 8))
CASE(contains_none, "text.contains, 32 bytes, no hit (ns a row)", ROWS,
     k->text->contains(x.views, ROWS, "special", 7, x.out_bits))
CASE(contains_some, "text.contains, 32 bytes, hits (ns a row)", ROWS,
     k->text->contains(x.views, ROWS, "sleep", 5, x.out_bits))
CASE(contains_apart, "text.contains, apart, no hit (ns a row)", ROWS,
     k->text->contains(x.apart, ROWS, "special", 7, x.out_bits))
CASE(contains_all, "text.contains_all (ns a row)", ROWS,
     k->text->contains_all(x.views, ROWS, (const wr_str[]){WR_STR("sleep"), WR_STR("iron")}, 2, x.out_bits))
CASE(starts_with, "text.starts_with (ns a row)", ROWS, k->text->starts_with(x.views, ROWS, "quick d", 7, x.out_bits))
CASE(ends_with, "text.ends_with (ns a row)", ROWS, k->text->ends_with(x.views, ROWS, "ly ", 3, x.out_bits))
CASE(utf8_ascii, "text.utf8_check, ASCII", TEXT_BYTES, sink = k->text->utf8_check(x.text, TEXT_BYTES))
CASE(utf8_mixed, "text.utf8_check, two bytes each", TEXT_BYTES, sink = k->text->utf8_check(x.text_cyrillic, TEXT_BYTES))
CASE(char_count, "text.char_count, 32 bytes (ns a row)", ROWS, k->text->char_count(x.views, ROWS, (int64_t *)x.out))
#undef CASE
