// Throughput of the kernels in ns an element, one core, data in cache: `bench [isa] [n] [name…]`; names select operations.
// Build: clang -O2 -std=c17 -I../../Sources/CActKernels/include bench.c ../../Sources/CActKernels/*.c -lm -o bench

#include "CActKernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 1 << 20 };
static _Alignas(64) double xd[MOST], yd[MOST], zd[MOST], wd[MOST]; // aligned as the pool of array memory aligns
static _Alignas(64) float xf[MOST], yf[MOST], zf[MOST], wf[MOST];
static uint8_t xb[MOST], yb[MOST];
static size_t n = 8192;
static double sink;

static double now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

// The best of several runs, each of about a millisecond.
#define TIME(call)                                                            \
    ({                                                                        \
        double best = 1e30;                                                   \
        int times = 1 + (int)(400000 / n);                                    \
        for (int run = 0; run < 15; run++) {                                  \
            double start = now();                                             \
            for (int r = 0; r < times; r++) call;                             \
            double t = (now() - start) / times / (double)n;                   \
            if (t < best) best = t;                                           \
        }                                                                     \
        best;                                                                 \
    })

static int wanted(const char *name, int argc, char **argv) {
    if (argc <= 3) return 1;
    for (int i = 3; i < argc; i++) if (strcmp(argv[i], name) == 0) return 1;
    return 0;
}

int main(int argc, char **argv) {
    const act_kernel_table *k = argc > 1 ? act_kernels_named(argv[1]) : act_kernels();
    if (k == NULL) return fprintf(stderr, "no such instruction set here\n"), 2;
    if (argc > 2) n = (size_t)atol(argv[2]);
    if (n == 0 || n > MOST) return fprintf(stderr, "n is 1 to %d\n", MOST), 2;
    for (size_t i = 0; i < MOST; i++) {
        xd[i] = ((double)rand() / RAND_MAX - 0.5) * 10, xf[i] = (float)xd[i];
        zd[i] = (double)rand() / RAND_MAX * 4 + 0.1, zf[i] = (float)zd[i];
        wd[i] = 0, wf[i] = 0;
        xb[i] = rand() & 1;
    }
    printf("%s, n = %zu: ns an element, f64 and f32\n", k->isa, n);
    for (int op = 0; op < ACT_UNARY_COUNT; op++) {
        const char *name = act_unary_name((act_unary_op)op);
        if (!wanted(name, argc, argv)) continue;
        int positive = strncmp(name, "log", 3) == 0 && name[3] != '_' && name[3] != 'c', unit = name[0] == 'a' && strstr("asin acos atanh", name) != NULL;
        for (size_t i = 0; i < n && unit; i++) wd[i] = zd[i] / 5, wf[i] = (float)wd[i];
        const double *a = positive || op == ACT_U_SQRT ? zd : unit ? wd : xd;
        const float *b = positive || op == ACT_U_SQRT ? zf : unit ? wf : xf;
        double d = TIME(k->unary_f64[op](a, yd, n)), f = TIME(k->unary_f32[op](b, yf, n));
        printf("%-18s %7.3f %7.3f\n", name, d, f);
    }
    for (int op = 0; op < ACT_BINARY_COUNT; op++) {
        const char *name = act_binary_name((act_binary_op)op);
        if (!wanted(name, argc, argv)) continue;
        double d = TIME(k->binary_f64[op](op == ACT_B_POW ? zd : xd, 1, zd, 1, yd, n)), f = TIME(k->binary_f32[op](op == ACT_B_POW ? zf : xf, 1, zf, 1, yf, n));
        printf("%-18s %7.3f %7.3f\n", name, d, f);
    }
#define ROW(name, d, f) if (wanted(name, argc, argv)) { double e = TIME(d), g = TIME(f); printf("%-18s %7.3f %7.3f\n", name, e, g); }
    ROW("pow3", k->binary_f64[ACT_B_POW](xd, 1, (double[]){3}, 0, yd, n), k->binary_f32[ACT_B_POW](xf, 1, (float[]){3}, 0, yf, n))
    ROW("compare", k->compare_f64[ACT_C_LT](xd, 1, zd, 1, yb, n), k->compare_f32[ACT_C_LT](xf, 1, zf, 1, yb, n))
    ROW("select", k->select_f64(xb, 1, xd, 1, zd, 1, yd, n), k->select_f32(xb, 1, xf, 1, zf, 1, yf, n))
    act_chain_step chain_d[] = {{ACT_CHAIN_SQUARE}, {ACT_CHAIN_MUL, (double[]){3}}, {ACT_CHAIN_SUB + ACT_CHAIN_ARRAY, zd}, {ACT_CHAIN_ADD, (double[]){1}}};
    act_chain_step chain_f[] = {{ACT_CHAIN_SQUARE}, {ACT_CHAIN_MUL, (float[]){3}}, {ACT_CHAIN_SUB + ACT_CHAIN_ARRAY, zf}, {ACT_CHAIN_ADD, (float[]){1}}};
    act_chain_step poly_d[] = {{ACT_CHAIN_SQUARE}, {ACT_CHAIN_MUL, (double[]){3}}, {ACT_CHAIN_KEEP + ACT_CHAIN_ARRAY, xd}, {ACT_CHAIN_MUL, (double[]){2}}, {ACT_CHAIN_RSUB + ACT_CHAIN_KEPT}, {ACT_CHAIN_ADD, (double[]){1}}};
    act_chain_step poly_f[] = {{ACT_CHAIN_SQUARE}, {ACT_CHAIN_MUL, (float[]){3}}, {ACT_CHAIN_KEEP + ACT_CHAIN_ARRAY, xf}, {ACT_CHAIN_MUL, (float[]){2}}, {ACT_CHAIN_RSUB + ACT_CHAIN_KEPT}, {ACT_CHAIN_ADD, (float[]){1}}};
    ROW("poly", k->chain_f64(xd, poly_d, 6, yd, n), k->chain_f32(xf, poly_f, 6, yf, n))
    ROW("chain", k->chain_f64(xd, chain_d, 4, yd, n), k->chain_f32(xf, chain_f, 4, yf, n))
    ROW("sum", sink += k->sum_f64(xd, n), sink += k->sum_f32(xf, n))
    ROW("dot", sink += k->dot_f64(xd, zd, n), sink += k->dot_f32(xf, zf, n))
    ROW("max", sink += k->max_f64(xd, n), sink += k->max_f32(xf, n))
    ROW("argmax", sink += (double)k->argmax_f64(xd, n), sink += (double)k->argmax_f32(xf, n))
    ROW("accumulate", k->accumulate_f64[ACT_A_ADD](yd, xd, n), k->accumulate_f32[ACT_A_ADD](yf, xf, n))
    ROW("accumulate_sums", k->accumulate_sums_f64(yd, xd, n / 8, 8, n / 8), k->accumulate_sums_f32(yd, xf, n / 8, 8, n / 8))
    ROW("convert", k->f32_from_f64(xd, yf, n), k->f64_from_f32(xf, yd, n))
    ROW("count", sink += (double)k->count_u8(xb, n), sink += (double)k->all_u8(xb, n))
    ROW("softmax", k->softmax_rows_f64(xd, yd, 1, n), k->softmax_rows_f32(xf, yf, 1, n))
    ROW("softmax10", k->softmax_rows_f64(xd, yd, n / 10, 10), k->softmax_rows_f32(xf, yf, n / 10, 10))
    ROW("log_softmax10", k->log_softmax_rows_f64(xd, yd, n / 10, 10), k->log_softmax_rows_f32(xf, yf, n / 10, 10))
    ROW("logsumexp100", k->logsumexp_rows_f64(xd, yd, n / 100, 100), k->logsumexp_rows_f32(xf, yf, n / 100, 100))
    act_adam h = {.lr = 1e-3, .b1 = 0.9, .b2 = 0.999, .eps = 1e-8, .c1 = 0.1, .c2 = 0.001};
    act_sgd s = {.lr = 1e-3, .momentum = 0.9};
    ROW("adam", k->adam_f64(yd, xd, wd, zd, n, &h), k->adam_f32(yf, xf, wf, zf, n, &h))
    ROW("sgd", k->sgd_f64(yd, xd, wd, n, &s), k->sgd_f32(yf, xf, wf, n, &s))
    return sink == 42;
}
