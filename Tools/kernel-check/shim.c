// What check.py and bench call: kernels by number, through the table of a named instruction set.

#include "CActKernels.h"

int kc_has(const char *isa) { return act_kernels_named(isa) != NULL; }
int kc_unary_count(void) { return ACT_UNARY_COUNT; }
int kc_binary_count(void) { return ACT_BINARY_COUNT; }
const char *kc_unary_name(int op) { return act_unary_name((act_unary_op)op); }
const char *kc_binary_name(int op) { return act_binary_name((act_binary_op)op); }

void kc_unary_f64(const char *isa, int op, const double *x, double *y, size_t n) { act_kernels_named(isa)->unary_f64[op](x, y, n); }
void kc_unary_f32(const char *isa, int op, const float *x, float *y, size_t n) { act_kernels_named(isa)->unary_f32[op](x, y, n); }
void kc_binary_f64(const char *isa, int op, const double *a, size_t sa, const double *b, size_t sb, double *y, size_t n) {
    act_kernels_named(isa)->binary_f64[op](a, sa, b, sb, y, n);
}
void kc_binary_f32(const char *isa, int op, const float *a, size_t sa, const float *b, size_t sb, float *y, size_t n) {
    act_kernels_named(isa)->binary_f32[op](a, sa, b, sb, y, n);
}

// The flags that one element raises.
unsigned kc_flags_unary_f64(const char *isa, int op, double x, double *y) {
    act_fp_clear();
    act_kernels_named(isa)->unary_f64[op](&x, y, 1);
    return act_fp_flags();
}
unsigned kc_flags_unary_f32(const char *isa, int op, float x, float *y) {
    act_fp_clear();
    act_kernels_named(isa)->unary_f32[op](&x, y, 1);
    return act_fp_flags();
}

#define ROWS(name, T, t)                                                                                     \
    void kc_##name##_##t(const char *isa, const T *x, T *y, size_t rows, size_t cols) {                      \
        act_kernels_named(isa)->name##_rows_##t(x, y, rows, cols);                                           \
    }
ROWS(softmax, double, f64) ROWS(softmax, float, f32) ROWS(log_softmax, double, f64) ROWS(log_softmax, float, f32)
ROWS(logsumexp, double, f64) ROWS(logsumexp, float, f32)
