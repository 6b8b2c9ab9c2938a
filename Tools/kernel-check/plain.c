// Checks the kernels that need no exact arithmetic (comparison, selection, conversion, logic, reductions, columns, learning steps) against
// the plainest loops, for every instruction set and many lengths. Prints what differs; exit status 1 then.
// Build: clang -O2 -std=c17 -ffp-contract=off -I../../Sources/CActKernels/include plain.c ../../Sources/CActKernels/*.c -lm -o plain

#include "CActKernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 3000 };
static int failures;
#define CHECK(ok, what) do { if (!(ok)) { failures++; printf("%s n=%zu: %s\n", k->isa, n, what); } } while (0)
#define SAME(a, b) ((a) == (b) || ((a) != (a) && (b) != (b)))
#define CLOSE(a, b, tolerance) (fabs((double)(a) - (double)(b)) <= (tolerance) * (1 + fabs((double)(b))))

#define TYPE(T, t, tolerance)                                                                                              \
    static void check_##t(const act_kernel_table *k, size_t n, int special) {                                              \
        static T a[N], b[N], y[N], z[N], m[N], v[N];                                                                       \
        static uint8_t c[N], r[N];                                                                                         \
        for (size_t i = 0; i < n; i++) {                                                                                   \
            a[i] = (T)((rand() % 2001 - 1000) * 0.01), b[i] = (T)((rand() % 2001 - 1000) * 0.01), c[i] = rand() & 1;       \
            if (special && rand() % 40 == 0) a[i] = (T)(rand() & 1 ? NAN : rand() & 1 ? INFINITY : -INFINITY);             \
            if (rand() % 9 == 0) b[i] = a[i];                                                                              \
        }                                                                                                                  \
        for (size_t s = 0; s < 4 && n > 0; s++) {                                                                          \
            size_t sa = s & 1, sb = s >> 1;                                                                                \
            for (int op = 0; op < ACT_COMPARE_COUNT; op++) {                                                               \
                k->compare_##t[op](a, sa, b, sb, r, n);                                                                    \
                for (size_t i = 0; i < n; i++) {                                                                           \
                    T p = a[i * sa], q = b[i * sb];                                                                        \
                    int w = op == ACT_C_EQ ? p == q : op == ACT_C_NE ? p != q : op == ACT_C_LT ? p < q : op == ACT_C_LE ? p <= q : op == ACT_C_GT ? p > q : p >= q; \
                    CHECK(r[i] == w, "compare");                                                                           \
                }                                                                                                          \
            }                                                                                                              \
            for (size_t sc = 0; sc < 2; sc++) {                                                                            \
                k->select_##t(c, sc, a, sa, b, sb, y, n);                                                                  \
                for (size_t i = 0; i < n; i++) CHECK(SAME(y[i], c[i * sc] ? a[i * sa] : b[i * sb]), "select");             \
            }                                                                                                              \
        }                                                                                                                  \
        for (int op = 0; op < ACT_TEST_COUNT; op++) {                                                                      \
            k->test_##t[op](a, r, n);                                                                                      \
            for (size_t i = 0; i < n; i++) CHECK(r[i] == (op == ACT_T_ISNAN ? isnan(a[i]) != 0 : op == ACT_T_ISINF ? isinf(a[i]) != 0 : isfinite(a[i]) != 0), "test"); \
        }                                                                                                                  \
        k->u8_from_##t(a, r, n);                                                                                           \
        for (size_t i = 0; i < n; i++) CHECK(r[i] == (a[i] != 0), "to bool");                                              \
        k->t##_from_u8(c, y, n);                                                                                           \
        for (size_t i = 0; i < n; i++) CHECK(y[i] == c[i], "from bool");                                                   \
        double sum = 0, dot = 0, prod = 1, lo = INFINITY, hi = -INFINITY;                                     \
        size_t first_lo = 0, first_hi = 0, nan = n;                                                                        \
        for (size_t i = 0; i < n; i++) {                                                                                   \
            sum += a[i], dot += (double)a[i] * b[i];                                                                       \
            if (i < 50) prod *= a[i];                                                                                      \
            if (a[i] < lo) lo = a[i], first_lo = i;                                                                        \
            if (a[i] > hi) hi = a[i], first_hi = i;                                                                        \
            if (a[i] != a[i] && nan == n) nan = i;                                                                         \
        }                                                                                                                  \
        if (nan < n) lo = hi = NAN, first_lo = first_hi = nan;                                                             \
        if (!special) {                                                                                                    \
            CHECK(CLOSE(k->sum_##t(a, n), sum, 1e-11), "sum");                                                             \
            CHECK(CLOSE(k->dot_##t(a, b, n), dot, 1e-11), "dot");                                                          \
            CHECK(fabs(k->prod_##t(a, n < 50 ? n : 50) - prod) <= 1e-13 * fabs(prod), "prod");                             \
        }                                                                                                                  \
        CHECK(SAME(k->min_##t(a, n), lo) && SAME(k->max_##t(a, n), hi), "min, max");                                       \
        CHECK(k->argmin_##t(a, n) == first_lo && k->argmax_##t(a, n) == first_hi, "argmin, argmax");                       \
        for (int op = 0; op < ACT_ACCUMULATE_COUNT; op++) {                                                                \
            for (size_t i = 0; i < n; i++) y[i] = b[i];                                                                    \
            k->accumulate_##t[op](y, a, n);                                                                                \
            for (size_t i = 0; i < n; i++) {                                                                               \
                T p = b[i], q = a[i], w = op == ACT_A_ADD ? p + q : op == ACT_A_MUL ? p * q : p != p || q != q ? (T)NAN : op == ACT_A_MIN ? (p < q ? p : q) : (p > q ? p : q); \
                CHECK(SAME(y[i], w), "accumulate");                                                                        \
            }                                                                                                              \
        }                                                                                                                  \
        if (special) return;                                                                                               \
        act_adam h = {.lr = 0.01, .b1 = 0.9, .b2 = 0.99, .eps = 1e-6, .c1 = 0.19, .c2 = 0.0199, .l2 = 0.1, .decay = 0.2};   \
        for (size_t i = 0; i < n; i++) y[i] = b[i], m[i] = (T)0.3, v[i] = (T)0.2;                                          \
        k->adam_##t(y, a, m, v, n, &h);                                                                                    \
        for (size_t i = 0; i < n; i++) {                                                                                   \
            double g = a[i] + 0.1 * b[i], mi = 0.9 * (T)0.3 + 0.1 * g, vi = 0.99 * (T)0.2 + 0.01 * g * g;                  \
            double w = b[i] - 0.01 * 0.2 * b[i] - 0.01 * (mi / 0.19) / (sqrt(vi / 0.0199) + 1e-6);                         \
            CHECK(CLOSE(y[i], w, tolerance) && CLOSE(m[i], mi, tolerance) && CLOSE(v[i], vi, tolerance), "adam");          \
        }                                                                                                                  \
        for (int nesterov = 0; nesterov < 2; nesterov++) {                                                                 \
            act_sgd s = {.lr = 0.1, .momentum = 0.9, .l2 = 0.2, .nesterov = nesterov};                                     \
            for (size_t i = 0; i < n; i++) z[i] = b[i], v[i] = (T)0.4;                                                     \
            k->sgd_##t(z, a, v, n, &s);                                                                                    \
            for (size_t i = 0; i < n; i++) {                                                                               \
                double g = a[i] + 0.2 * b[i], w = 0.9 * (T)0.4 + g;                                                        \
                CHECK(CLOSE(v[i], w, tolerance) && CLOSE(z[i], b[i] - 0.1 * (nesterov ? g + 0.9 * w : w), tolerance), "sgd"); \
            }                                                                                                              \
        }                                                                                                                  \
    }
TYPE(double, f64, 1e-13)
TYPE(float, f32, 2e-6)

static void check_bytes(const act_kernel_table *k, size_t n) {
    static uint8_t a[N], b[N], y[N];
    static float f[N], g[N];
    static double d[N], acc[N];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) a[i] = rand() % 17 == 0 ? 0 : rand() & 1 ? 1 : 2, b[i] = rand() & 1, count += a[i] != 0, f[i] = (float)rand() / 7, acc[i] = (double)i;
    CHECK(k->count_u8(a, n) == count && k->any_u8(a, n) == (count > 0) && k->all_u8(a, n) == (count == n), "count, any, all");
    for (size_t s = 0; s < 4 && n > 0; s++) {
        size_t sa = s & 1, sb = s >> 1;
        for (int op = 0; op < ACT_LOGIC_COUNT; op++) {
            k->logic[op](a, sa, b, sb, y, n);
            for (size_t i = 0; i < n; i++) {
                int p = a[i * sa] != 0, q = b[i * sb] != 0;
                CHECK(y[i] == (op == ACT_L_AND ? p & q : op == ACT_L_OR ? p | q : p ^ q), "logic");
            }
        }
        k->select_u8(b, 1, a, sa, b, sb, y, n);
        for (size_t i = 0; i < n; i++) CHECK(y[i] == (b[i] ? a[i * sa] : b[i * sb]), "select u8");
    }
    k->logical_not(a, y, n);
    for (size_t i = 0; i < n; i++) CHECK(y[i] == !a[i], "not");
    k->f64_from_f32(f, d, n);
    k->f32_from_f64(d, g, n);
    k->accumulate_sums_f32(acc, f, n, 1, n);
    for (size_t i = 0; i < n; i++) CHECK(d[i] == (double)f[i] && g[i] == f[i] && acc[i] == (double)i + (double)f[i], "convert, accumulate_sum");
}

int main(void) {
    const char *const names[] = {"baseline", "avx2", "avx512", "neon"};
    for (int j = 0; j < 4; j++) {
        const act_kernel_table *k = act_kernels_named(names[j]);
        if (k == NULL) continue;
        for (size_t n = 0; n < N; n += n < 140 ? 1 : 397)
            for (int special = 0; special < 2; special++) check_f64(k, n, special), check_f32(k, n, special), check_bytes(k, n);
    }
    printf(failures ? "%d failures\n" : "all equal\n", failures);
    return failures != 0;
}
