/* Elementary functions of doubles that give the same bits everywhere.
 *
 * The C library's differ from one version to the next and from one processor to the next, as it picks code with fused
 * multiply-adds where there are some. These here are additions and multiplications of doubles alone, in an order that the
 * compiler may not change, on numbers that are kept as the sum of two doubles; the result is rounded once and is the
 * nearest double but for about one argument in ten thousand. Special values are as in C's Annex F. */
#ifndef WR_PLAN_FUNCTIONS_REAL_H
#define WR_PLAN_FUNCTIONS_REAL_H

double wr_real_exp(double x);
double wr_real_log(double x);
double wr_real_log2(double x);
double wr_real_log10(double x);
double wr_real_pow(double x, double y);
double wr_real_cbrt(double x);
double wr_real_sin(double x);
double wr_real_cos(double x);
double wr_real_tan(double x);
double wr_real_atan(double x);
double wr_real_atan2(double y, double x);
double wr_real_asin(double x);
double wr_real_acos(double x);
double wr_real_sinh(double x);
double wr_real_cosh(double x);
double wr_real_tanh(double x);
double wr_real_asinh(double x);
double wr_real_acosh(double x);
double wr_real_atanh(double x);

#endif
