/* Scalar arithmetic that the interpreter wants inline and that Swift can only write with trapping conversions. */
#ifndef ACT_SCALAR_H
#define ACT_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

/* x mod y for whole x >= 0 and y >= 1 below 2^31, exact. False, and nothing written, for other numbers. */
static inline bool act_whole_remainder(double x, double y, double *_Nonnull result) {
    if (!(x >= 0 && x < 0x1p31 && y >= 1 && y < 0x1p31)) return false;
    uint32_t m = (uint32_t)(int64_t)x, n = (uint32_t)(int64_t)y;
    if ((double)m != x || (double)n != y) return false;
    *result = (double)(m % n);
    return true;
}

/* The floor of x / y for whole x and y below 2^53, y not 0. Such a quotient is at least 1/|y| away from every whole number that it is not,
   which is more than its rounding moves it. False, and nothing written, for other numbers. */
static inline bool act_whole_quotient(double x, double y, double *_Nonnull result) {
    if (!(x > -0x1p53 && x < 0x1p53 && y > -0x1p53 && y < 0x1p53 && y != 0)) return false;
    if ((double)(int64_t)x != x || (double)(int64_t)y != y) return false;
    double q = x / y, t = (double)(int64_t)q;
    *result = t == q ? q : t > q ? t - 1 : t; /* q itself where it is whole: it may be -0 */
    return true;
}

/* The position in 0 ..< count that x means as an index, negative ones counting from the end; -1 where there is none. */
static inline int64_t act_position(double x, int64_t count) {
    if (!(__builtin_fabs(x) < 0x1p53)) return -1;
    int64_t i = (int64_t)x;
    if ((double)i != x) return -1;
    if ((uint64_t)i < (uint64_t)count) return i;
    return i < 0 && i + count >= 0 ? i + count : -1;
}

#endif
