// Block kernels of act: one block of numbers in, one block out.
//
// What holds for every kernel:
// - It never allocates, threads, prints or locks; it touches only its arguments.
// - Element i of a result depends on element i of the inputs (and scalar inputs) alone, never on n, position or alignment: a number,
//   a small array and a slice of a large one give the same bits. Reductions and row kernels are pure functions of the block and n.
// - y may be one of the inputs (same start); partly overlapping blocks are not allowed. No alignment is needed. n may be 0.
// - NaN stays NaN; ±inf gives the limit; gradual underflow is kept. Elsewhere unary kernels stay within 4 ulp of the exact value, derivatives
//   (names ending in _D) within 8 ulp, except beside a zero of the derivative, where the error is below 1e-15 (f64) or 1e-7 (f32).
// - Decimal constants of a definition (1.702, 0.044715, λ of selu) mean the decimal, not its nearest double.
// - A result that overflows, divides by zero, or is a NaN made from numbers raises the matching sticky flag (act_fp_flags). Flags may
//   also rise without such a result: they say where to look, not that there is something to see.
//
// Each kernel is compiled from one source for several instruction sets; act_kernels() is the table for this machine.

#ifndef ACT_KERNELS_H
#define ACT_KERNELS_H

#include "ActOperations.h"
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Kernel types. A stride is 0 (one scalar for every element) or 1. Bool arrays are uint8_t holding 0 or 1.

#pragma clang assume_nonnull begin

typedef void (*act_unary_f64_fn)(const double *x, double *y, size_t n);
typedef void (*act_unary_f32_fn)(const float *x, float *y, size_t n);
typedef void (*act_binary_f64_fn)(const double *a, size_t sa, const double *b, size_t sb, double *y, size_t n);
typedef void (*act_binary_f32_fn)(const float *a, size_t sa, const float *b, size_t sb, float *y, size_t n);
/// Of single numbers, with the bits that an array of one number gives.
typedef double (*act_unary_scalar_fn)(double x);
typedef double (*act_binary_scalar_fn)(double a, double b);
typedef void (*act_compare_f64_fn)(const double *a, size_t sa, const double *b, size_t sb, uint8_t *y, size_t n);
typedef void (*act_compare_f32_fn)(const float *a, size_t sa, const float *b, size_t sb, uint8_t *y, size_t n);
typedef void (*act_test_f64_fn)(const double *x, uint8_t *y, size_t n);
typedef void (*act_test_f32_fn)(const float *x, uint8_t *y, size_t n);
typedef void (*act_logic_fn)(const uint8_t *a, size_t sa, const uint8_t *b, size_t sb, uint8_t *y, size_t n);
/// acc[i] = acc[i] op x[i]
typedef void (*act_accumulate_f64_fn)(double *acc, const double *x, size_t n);
typedef void (*act_accumulate_f32_fn)(float *acc, const float *x, size_t n);

/// An operation of a chain: acc = acc op operand, or operand op acc for those whose names begin with R. The operand is one number for all
/// elements; an array's first element when ACT_CHAIN_ARRAY is added to the operation; with ACT_CHAIN_KEPT the value that was kept last;
/// unary ones have none. KEEP (with ACT_CHAIN_ARRAY) keeps acc and goes on with its operand.
typedef struct act_chain_step {
    unsigned op;
    const void *_Nullable operand;
} act_chain_step;

// The operations that are cheap enough for a chain: unary ones, binary ones, and those of the binary ones whose operand may come first.
// (Where the order does not matter they are the same.)
#define ACT_CHAIN_UNARY_OPS(X) X(NEG, neg) X(ABS, abs) X(SQRT, sqrt) X(SQUARE, square) X(RECIPROCAL, reciprocal) X(RELU, relu)
#define ACT_CHAIN_BINARY_OPS(X) X(ADD, add) X(SUB, sub) X(MUL, mul) X(DIV, div) X(MIN, min) X(MAX, max) X(LEAKY, leaky)
#define ACT_CHAIN_REVERSED_OPS(X) X(SUB, sub) X(DIV, div) X(MIN, min) X(MAX, max)

enum {
#define X(upper, lower) ACT_CHAIN_##upper,
    ACT_CHAIN_UNARY_OPS(X)
    ACT_CHAIN_BINARY_OPS(X)
#undef X
#define X(upper, lower) ACT_CHAIN_R##upper,
    ACT_CHAIN_REVERSED_OPS(X)
#undef X
    ACT_CHAIN_KEEP,
    ACT_CHAIN_ARRAY = 32, ACT_CHAIN_KEPT = 64,
};

/// A learning step of Adam or AdamW over one block: `p` parameters, `g` gradient, `m` and `v` moments, all of length n; p, m, v in place.
///   g' = g + l2 p;  m = b1 m + (1-b1) g';  v = b2 v + (1-b2) g'²;  p = p - lr (decay p) - lr (m/c1) / (√(v/c2) + eps)
/// with c1 = 1-b1^t, c2 = 1-b2^t computed by the caller. `l2` is coupled weight decay, `decay` decoupled (AdamW).
typedef struct act_adam {
    double lr, b1, b2, eps, c1, c2, l2, decay;
} act_adam;

/// A step of SGD: g' = g + l2 p; v = momentum v + g'; p = p - lr (nesterov ? g' + momentum v : v).
typedef struct act_sgd {
    double lr, momentum, l2;
    int nesterov;
} act_sgd;

/// How much of k a product of matrices sums before it adds to the result.
enum { PRODUCT_DEPTH = 384 };

/// Windows along an axis of images of `size` pixels: place o of `places` sees the pixels o stride + k dilation - before, k < window.
typedef struct act_window_axis {
    ptrdiff_t size, window, stride, dilation, before, places;
} act_window_axis;

/// Along depth, height and width.
typedef struct act_windows {
    act_window_axis z, y, x;
} act_windows;


/// Every kernel for one instruction set. Arrays of functions are indexed by the enumerators above.
typedef struct act_kernel_table {
    const char *isa;

    const act_unary_f64_fn _Nonnull *_Nonnull unary_f64;
    const act_unary_f32_fn _Nonnull *_Nonnull unary_f32;
    const act_binary_f64_fn _Nonnull *_Nonnull binary_f64;
    const act_binary_f32_fn _Nonnull *_Nonnull binary_f32;
    const act_unary_scalar_fn _Nonnull *_Nonnull unary_scalar;
    const act_binary_scalar_fn _Nonnull *_Nonnull binary_scalar;
    const act_compare_f64_fn _Nonnull *_Nonnull compare_f64;
    const act_compare_f32_fn _Nonnull *_Nonnull compare_f32;
    const act_test_f64_fn _Nonnull *_Nonnull test_f64;
    const act_test_f32_fn _Nonnull *_Nonnull test_f32;
    const act_logic_fn _Nonnull *_Nonnull logic;
    const act_accumulate_f64_fn _Nonnull *_Nonnull accumulate_f64;
    const act_accumulate_f32_fn _Nonnull *_Nonnull accumulate_f32;

    // y[i] = c[i] ? a[i] : b[i]; what is not selected has no effect. Any nonzero byte is true.
    void (*select_f64)(const uint8_t *c, size_t sc, const double *a, size_t sa, const double *b, size_t sb, double *y, size_t n);
    void (*select_f32)(const uint8_t *c, size_t sc, const float *a, size_t sa, const float *b, size_t sb, float *y, size_t n);
    void (*select_u8)(const uint8_t *c, size_t sc, const uint8_t *a, size_t sa, const uint8_t *b, size_t sb, uint8_t *y, size_t n);

    // Conversions (not in place). Numbers to bool: nonzero and NaN give 1.
    void (*f64_from_f32)(const float *x, double *y, size_t n);
    void (*f32_from_f64)(const double *x, float *y, size_t n);
    void (*f64_from_u8)(const uint8_t *x, double *y, size_t n);
    void (*f32_from_u8)(const uint8_t *x, float *y, size_t n);
    void (*u8_from_f64)(const double *x, uint8_t *y, size_t n);
    void (*u8_from_f32)(const float *x, uint8_t *y, size_t n);
    void (*logical_not)(const uint8_t *x, uint8_t *y, size_t n);

    // Reductions of one contiguous block. Sums are pairwise over chunks and accumulate in f64; they have the same bits on every
    // instruction set. Of nothing: sums 0, prod 1, min +inf, max -inf, argmin and argmax 0.
    double (*sum_f64)(const double *x, size_t n);
    double (*sum_f32)(const float *x, size_t n);
    double (*dot_f64)(const double *a, const double *b, size_t n);
    double (*dot_f32)(const float *a, const float *b, size_t n);
    double (*prod_f64)(const double *x, size_t n);
    double (*prod_f32)(const float *x, size_t n);
    double (*min_f64)(const double *x, size_t n); // NaN if there is one
    double (*min_f32)(const float *x, size_t n);
    double (*max_f64)(const double *x, size_t n);
    double (*max_f32)(const float *x, size_t n);
    size_t (*argmin_f64)(const double *x, size_t n); // the first; the first NaN if there is one
    size_t (*argmin_f32)(const float *x, size_t n);
    size_t (*argmax_f64)(const double *x, size_t n);
    size_t (*argmax_f32)(const float *x, size_t n);
    /// y[i]: the place on an axis of `size` that the index x[i] means, negative ones from its end. Not 0 if one of them is no index.
    int (*places_f64)(const double *x, int64_t size, int64_t *y, size_t n);
    int (*places_f32)(const float *x, int64_t size, int64_t *y, size_t n);
    int (*finite_f64)(const double *x, size_t n); // whether no element is infinite or NaN
    int (*finite_f32)(const float *x, size_t n);
    int (*any_u8)(const uint8_t *x, size_t n);
    int (*all_u8)(const uint8_t *x, size_t n);
    size_t (*count_u8)(const uint8_t *x, size_t n); // how many are nonzero

    /// acc[i] += x[p * row + i] for p < rows, in the order of the rows; f32 numbers are widened.
    void (*accumulate_sums_f64)(double *acc, const double *x, size_t row, size_t rows, size_t n);
    void (*accumulate_sums_f32)(double *acc, const float *x, size_t row, size_t rows, size_t n);

    /// Of a matrix whose rows begin `row` apart, eight columns from a on: takes multiples of the first row from the `rows` below, so that their
    /// element in `column` would be 0; there the factor stays. The columns before are left alone, and where the first row's element is 0 all are.
    /// The result is in which row, counted from 1, the element of the next column is largest, a NaN before all numbers; of none 0.
    size_t (*eliminate_f64)(double *a, size_t row, size_t rows, size_t column);

    // `rows` contiguous rows of `cols` numbers each, cols ≥ 1. Each row minus its largest element first, so every finite row is safe.
    // One +inf takes all; several of them, or nothing but -inf, have no limit and make the row NaN (logsumexp: +inf, -inf).
    void (*softmax_rows_f64)(const double *x, double *y, size_t rows, size_t cols);
    void (*softmax_rows_f32)(const float *x, float *y, size_t rows, size_t cols);
    void (*log_softmax_rows_f64)(const double *x, double *y, size_t rows, size_t cols);
    void (*log_softmax_rows_f32)(const float *x, float *y, size_t rows, size_t cols);
    void (*logsumexp_rows_f64)(const double *x, double *y, size_t rows, size_t cols); // y: one number a row
    void (*logsumexp_rows_f32)(const float *x, float *y, size_t rows, size_t cols);
    /// y: of each row of x the element of its log-softmax at `at`; `softmax`: that of the rows, unless it is NULL.
    void (*log_softmax_at_f64)(const double *x, const size_t *at, double *_Nullable softmax, double *y, size_t rows, size_t cols);
    void (*log_softmax_at_f32)(const float *x, const size_t *at, float *_Nullable softmax, float *y, size_t rows, size_t cols);

    /// Rows brought to mean 0 (if `centers`) and deviation 1, then times gamma plus beta, which are there or NULL: y = (x - m)/√(v + eps) …,
    /// with v the mean of (x - m)². `past` keeps m and v of each row. `standardize_back`: what reaches x, gamma and beta; dx may be
    /// NULL, dgamma and dbeta are added to or NULL.
    void (*standardize_f64)(const double *x, double *y, size_t rows, size_t cols, double eps, int centers, const double *_Nullable gamma,
                            const double *_Nullable beta, double *past);
    void (*standardize_f32)(const float *x, float *y, size_t rows, size_t cols, double eps, int centers, const float *_Nullable gamma,
                            const float *_Nullable beta, double *past);
    void (*standardize_back_f64)(const double *x, const double *dy, double *_Nullable dx, size_t rows, size_t cols, double eps, int centers,
                                 const double *_Nullable gamma, const double *past, double *_Nullable dgamma, double *_Nullable dbeta);
    void (*standardize_back_f32)(const float *x, const float *dy, float *_Nullable dx, size_t rows, size_t cols, double eps, int centers,
                                 const float *_Nullable gamma, const double *past, float *_Nullable dgamma, float *_Nullable dbeta);

    /// The same for channels beside each other in a batch: element (o, c, i) of a channel is at o stride + c inner + i. gamma and beta are one
    /// number a channel; dgamma and dbeta are written.
    void (*standardize_channels_f64)(const double *x, double *y, size_t outer, size_t stride, size_t channels, size_t inner, double eps,
                                     const double *gamma, const double *beta, double *past);
    void (*standardize_channels_f32)(const float *x, float *y, size_t outer, size_t stride, size_t channels, size_t inner, double eps,
                                     const float *gamma, const float *beta, double *past);
    void (*standardize_channels_back_f64)(const double *x, const double *dy, double *_Nullable dx, size_t outer, size_t stride, size_t channels,
                                          size_t inner, double eps, const double *gamma, const double *past, double *dgamma, double *dbeta);
    void (*standardize_channels_back_f32)(const float *x, const float *dy, float *_Nullable dx, size_t outer, size_t stride, size_t channels,
                                          size_t inner, double eps, const float *gamma, const double *past, float *dgamma, float *dbeta);

    // Windows over images: `lines` lines of `count` windows. Window j of a line begins at x + j step, the next line at x + x_line; an element of
    // a window is at one of `distances` from its beginning. y: the largest of each, of equal ones the first, and the first NaN before all.
    void (*window_max_f64)(const double *x, size_t step, ptrdiff_t x_line, const ptrdiff_t *distances, size_t window, double *y, size_t y_line,
                           size_t lines, size_t count);
    void (*window_max_f32)(const float *x, size_t step, ptrdiff_t x_line, const ptrdiff_t *distances, size_t window, float *y, size_t y_line,
                           size_t lines, size_t count);
    /// y[j * step] += x[j], j < count, for `lines` lines, which lie `x_line` and `y_line` apart.
    void (*add_lines_f64)(const double *x, ptrdiff_t x_line, double *y, size_t step, ptrdiff_t y_line, size_t lines, size_t count);
    void (*add_lines_f32)(const float *x, ptrdiff_t x_line, float *y, size_t step, ptrdiff_t y_line, size_t lines, size_t count);

    /// Patches of an image (channels, z, y, x), laid out in strips as by `product_pack`: row p < depth, column j < n is what element `first` + p of the
    /// windows, which are counted channel by channel, sees at place `place` + j; 0 beside the image.
    void (*patches_f64)(const double *image, const act_windows *windows, size_t first, size_t depth, size_t place, size_t n, double *packed);
    void (*patches_f32)(const float *image, const act_windows *windows, size_t first, size_t depth, size_t place, size_t n, float *packed);

    // Parts of one long row, m being its largest element. `exp_sum`: y[i] = e^(x[i]-m), unless y is NULL; the result is their sum without
    // the elements equal to m, which are counted in *ties. `log_below`: y[i] = x[i] - m - log.
    double (*exp_sum_f64)(const double *x, double *_Nullable y, size_t n, double m, double *ties);
    double (*exp_sum_f32)(const float *x, float *_Nullable y, size_t n, float m, double *ties);
    void (*log_below_f64)(const double *x, double *y, size_t n, double m, double log);
    void (*log_below_f32)(const float *x, float *y, size_t n, float m, double log);

    /// Products of matrices, c = (adds ? c : 0) + alpha a @ b; a is (m, k), b (k, n), strides in elements; c is row-major, its rows `row`
    /// apart. k is taken in pieces of PRODUCT_DEPTH, in order; a piece is one sum in the order of k. Each call packs strips
    /// of b for itself.
    void (*product_f64)(size_t m, size_t n, size_t k, double alpha, const double *a, ptrdiff_t a_row, ptrdiff_t a_k, const double *b,
                        ptrdiff_t b_k, ptrdiff_t b_column, int adds, double *c, size_t row);
    void (*product_f32)(size_t m, size_t n, size_t k, float alpha, const float *a, ptrdiff_t a_row, ptrdiff_t a_k, const float *b,
                        ptrdiff_t b_k, ptrdiff_t b_column, int adds, float *c, size_t row);
    /// The same in two steps, for parts that share b: `product_pack` lays a piece of b, depth ≤ PRODUCT_DEPTH rows of n elements, out in strips
    /// of tile_columns columns, depth rows each (the last strip narrower, of whole vectors); `product_packed` multiplies by such strips.
    void (*product_pack_f64)(size_t n, size_t depth, const double *b, ptrdiff_t b_k, ptrdiff_t b_column, double *packed);
    void (*product_pack_f32)(size_t n, size_t depth, const float *b, ptrdiff_t b_k, ptrdiff_t b_column, float *packed);
    void (*product_packed_f64)(size_t m, size_t n, size_t depth, double alpha, const double *a, ptrdiff_t a_row, ptrdiff_t a_k,
                               const double *packed, int adds, double *c, size_t row);
    void (*product_packed_f32)(size_t m, size_t n, size_t depth, float alpha, const float *a, ptrdiff_t a_row, ptrdiff_t a_k,
                               const float *packed, int adds, float *c, size_t row);
    /// to[p * width + j] = x[p * along + j * across] for p < count and j < used; quick where `across` or `along` is 1.
    void (*arrange_f64)(const double *x, ptrdiff_t along, ptrdiff_t across, size_t count, size_t used, double *to, size_t width);
    void (*arrange_f32)(const float *x, ptrdiff_t along, ptrdiff_t across, size_t count, size_t used, float *to, size_t width);
    /// The columns of a tile in registers, and of a strip.
    size_t tile_columns_f64, tile_columns_f32;
    /// y[j] += alpha Σ x[p * step] b[p * row + j]: a vector times the rows of a matrix, j < n.
    void (*product_rows_f64)(size_t k, size_t n, double alpha, const double *x, ptrdiff_t step, const double *b, ptrdiff_t row, double *y);
    void (*product_rows_f32)(size_t k, size_t n, float alpha, const float *x, ptrdiff_t step, const float *b, ptrdiff_t row, float *y);
    /// y[i * step] = (adds ? y[i * step] : 0) + alpha Σ x[p] a[i * row + p]: the rows of a matrix times a vector, i < m.
    void (*product_dots_f64)(size_t m, size_t k, double alpha, const double *x, const double *a, ptrdiff_t row, int adds, double *y, ptrdiff_t step);
    void (*product_dots_f32)(size_t m, size_t k, float alpha, const float *x, const float *a, ptrdiff_t row, int adds, float *y, ptrdiff_t step);

    /// y[i, j] = c[i, j] + a[i * step] b[j], i < m, j < n: what the product of a column and a row and an addition give, to the bit.
    void (*add_outer_f64)(const double *c, const double *a, ptrdiff_t step, const double *b, double *y, size_t m, size_t n);
    void (*add_outer_f32)(const float *c, const float *a, ptrdiff_t step, const float *b, float *y, size_t m, size_t n);

    void (*adam_f64)(double *p, const double *g, double *m, double *v, size_t n, const act_adam *h);
    void (*adam_f32)(float *p, const float *g, float *m, float *v, size_t n, const act_adam *h);
    void (*sgd_f64)(double *p, const double *g, double *v, size_t n, const act_sgd *h);
    void (*sgd_f32)(float *p, const float *g, float *v, size_t n, const act_sgd *h);

    /// y = the operations of a chain after one another, beginning with acc = x; the bits are those of the single kernels. In place if y is x
    /// or an operand.
    void (*chain_f64)(const double *x, const act_chain_step *steps, size_t count, double *y, size_t n);
    void (*chain_f32)(const float *x, const act_chain_step *steps, size_t count, float *y, size_t n);

    /// In the place of numbers, integers of as many bits and the same order, NaN last and -0 before 0; and numbers again.
    void (*keys_f64)(void *x, size_t n);
    void (*keys_f32)(void *x, size_t n);
    void (*numbers_f64)(void *keys, size_t n);
    void (*numbers_f32)(void *keys, size_t n);
    /// y[i]: the upper bits of the key of x[i], -0 counting as 0, and first + i in the lowest `bits`.
    void (*ranks_f64)(const double *x, size_t first, size_t n, int bits, int64_t *y);
    void (*ranks_f32)(const float *x, size_t first, size_t n, int bits, int64_t *y);
    /// Chooses a key and puts those below it first; how many these are. `scratch` is as large as the keys.
    size_t (*divide_f64)(void *keys, void *scratch, size_t n);
    size_t (*divide_f32)(void *keys, void *scratch, size_t n);
    /// Sorts keys; an interrupt ends it early.
    void (*sort_f64)(void *keys, void *scratch, size_t n);
    void (*sort_f32)(void *keys, void *scratch, size_t n);

    /// Running sums and products of `lanes` lanes, `across` apart, over `steps` steps of `along` elements: `totals` hold those so far, and y gets them
    /// at the places of x. Each lane in the order of its steps.
    void (*scan_sum_f64)(const double *x, double *y, ptrdiff_t along, ptrdiff_t across, size_t steps, size_t lanes, double *totals);
    void (*scan_sum_f32)(const float *x, float *y, ptrdiff_t along, ptrdiff_t across, size_t steps, size_t lanes, double *totals);
    void (*scan_prod_f64)(const double *x, double *y, ptrdiff_t along, ptrdiff_t across, size_t steps, size_t lanes, double *totals);
    void (*scan_prod_f32)(const float *x, float *y, ptrdiff_t along, ptrdiff_t across, size_t steps, size_t lanes, double *totals);
} act_kernel_table;

/// The table for this machine, chosen once: the widest instruction set that the processor has.
const act_kernel_table *act_kernels(void);

/// The table for "baseline", "avx2", "avx512" or "neon"; NULL if this build or this processor lacks it. For tests and measurements.
const act_kernel_table *_Nullable act_kernels_named(const char *isa);

/// The chain operation of an operation, the chain's value being its first operand or (`reversed`) its second; -1 when there is none.
int act_chain_unary(act_unary_op op);
int act_chain_binary(act_binary_op op, int reversed);

/// The names of the operations, as in the lists above; NULL when `op` is none of them.
const char *_Nullable act_unary_name(act_unary_op op);
const char *_Nullable act_binary_name(act_binary_op op);

// MARK: Floating-point flags of the calling thread: sticky since the last clear.

enum { ACT_FP_INVALID = 1, ACT_FP_DIVIDE = 2, ACT_FP_OVERFLOW = 4 };

void act_fp_clear(void);
unsigned act_fp_flags(void);
void act_fp_raise(unsigned flags); // what another thread saw

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
