// The operations that kernels are there for.

#ifndef ACT_OPERATIONS_H
#define ACT_OPERATIONS_H

// One row each: X(enumerator, name of the kernel); the tables are indexed by the enumerators.

// σ is the logistic function, Φ and φ the normal distribution and density.
#define ACT_UNARY_OPS(X)                                                                                                        \
    X(NEG, neg) X(ABS, abs) X(SIGN, sign) X(SQRT, sqrt) X(SQUARE, square) X(RECIPROCAL, reciprocal)                              \
    X(EXP, exp) X(EXPM1, expm1) X(LOG, log) X(LOG2, log2) X(LOG10, log10) X(LOG1P, log1p)                                        \
    X(SIN, sin) X(COS, cos) X(TAN, tan) X(ASIN, asin) X(ACOS, acos) X(ATAN, atan)                                                \
    X(SINH, sinh) X(COSH, cosh) X(TANH, tanh) X(ASINH, asinh) X(ACOSH, acosh) X(ATANH, atanh)                                    \
    X(ERF, erf) X(ERFC, erfc)                                                                                                   \
    X(FLOOR, floor) X(CEIL, ceil) X(ROUND, round) /* halves to even */ X(TRUNC, trunc)                                           \
    /* activations */                                                                                                           \
    X(SIGMOID, sigmoid)           /* 1/(1+e^-x) */                                                                              \
    X(LOG_SIGMOID, log_sigmoid)   /* -log(1+e^-x) */                                                                            \
    X(SOFTPLUS, softplus)         /* log(1+e^x) */                                                                              \
    X(SILU, silu)                 /* x σ(x) */                                                                                  \
    X(GELU, gelu)                 /* x Φ(x) */                                                                                  \
    X(GELU_TANH, gelu_tanh)       /* x σ(2√(2/π)(x+0.044715x³)) */                                                              \
    X(GELU_SIGMOID, gelu_sigmoid) /* x σ(1.702x) */                                                                             \
    X(MISH, mish)                 /* x tanh(softplus x) */                                                                      \
    X(ELU1, elu1)                 /* x > 0: x, else e^x-1 */                                                                    \
    X(SELU, selu)                 /* λ (x > 0: x, else α(e^x-1)) */                                                             \
    X(RELU, relu)                 /* max(x, 0); relu(-0) = 0 */                                                                 \
    X(RELU6, relu6)               /* min(max(x, 0), 6) */                                                                       \
    X(RELU2, relu2)               /* max(x, 0)² */                                                                              \
    X(HARD_SIGMOID, hard_sigmoid) /* clip(x+3, 0, 6)/6 */                                                                       \
    X(HARD_SWISH, hard_swish)     /* x clip(x+3, 0, 6)/6 */                                                                     \
    X(SOFTSIGN, softsign)         /* x/(1+|x|) */                                                                               \
    X(TANH_SHRINK, tanh_shrink)   /* x - tanh x */                                                                              \
    X(LISHT, lisht)               /* x tanh x */                                                                                \
    X(LOGCOSH, logcosh)           /* log cosh x */                                                                              \
    X(GAUSSIAN, gaussian)         /* e^-x² */                                                                                   \
    X(SINC, sinc)                 /* sin x / x */                                                                               \
    X(SQUAREPLUS4, squareplus4)   /* (x+√(x²+4))/2 */                                                                           \
    X(BENT_IDENTITY, bent_identity) /* (√(x²+1)-1)/2 + x */                                                                     \
    X(SERF, serf)                 /* x erf(softplus x) */                                                                       \
    X(TANHEXP, tanhexp)           /* x tanh(e^x) */                                                                             \
    /* derivatives */                                                                                                           \
    X(SIGMOID_D, sigmoid_d)       /* σ(x)σ(-x) */                                                                               \
    X(LOG_SIGMOID_D, log_sigmoid_d) /* σ(-x) */                                                                                 \
    X(SOFTPLUS_D, softplus_d)     /* σ(x) */                                                                                    \
    X(TANH_D, tanh_d)             /* 1/cosh² x */                                                                               \
    X(SILU_D, silu_d) X(GELU_D, gelu_d) X(GELU_TANH_D, gelu_tanh_d) X(GELU_SIGMOID_D, gelu_sigmoid_d) X(MISH_D, mish_d)          \
    X(ELU1_D, elu1_d)             /* at 0: 1 */                                                                                 \
    X(SELU_D, selu_d)             /* at 0: λα */                                                                                \
    X(RELU_D, relu_d)             /* at 0: 0 */                                                                                 \
    X(RELU6_D, relu6_d)           /* at 0 and 6: 0 */                                                                           \
    X(RELU2_D, relu2_d)           /* 2 max(x, 0) */                                                                             \
    X(HARD_SIGMOID_D, hard_sigmoid_d) /* 1/6 inside; at ±3: 0 */                                                                \
    X(HARD_SWISH_D, hard_swish_d) /* (2x+3)/6 inside; at -3: 0, at 3: 1 */                                                      \
    X(SOFTSIGN_D, softsign_d)     /* 1/(1+|x|)² */                                                                              \
    X(TANH_SHRINK_D, tanh_shrink_d) /* tanh² x */                                                                               \
    X(ARCTAN_D, arctan_d)         /* 1/(1+x²) */                                                                                \
    X(ERF_D, erf_d)               /* 2/√π e^-x² */                                                                              \
    X(LISHT_D, lisht_d) X(LOGCOSH_D, logcosh_d) /* tanh x */ X(GAUSSIAN_D, gaussian_d) X(SINC_D, sinc_d)                         \
    X(SQUAREPLUS4_D, squareplus4_d) X(BENT_IDENTITY_D, bent_identity_d) X(SERF_D, serf_d) X(TANHEXP_D, tanhexp_d)

// Arithmetic, then activations whose parameter is the second operand (a scalar or an array) with their slope in x.
#define ACT_BINARY_OPS(X)                                                                                                       \
    X(ADD, add) X(SUB, sub) X(MUL, mul) X(DIV, div)                                                                             \
    X(POW, pow)                   /* as C99 pow; exact where the exact power is representable */                                \
    X(FLOORDIV, floordiv) X(MOD, mod) /* the divisor's sign, as Python; x // 0 = x/0, x mod 0 = NaN */                          \
    X(MIN, min) X(MAX, max)       /* NaN if either is */                                                                        \
    X(ATAN2, atan2) X(HYPOT, hypot) X(COPYSIGN, copysign)                                                                       \
    X(LEAKY, leaky) X(LEAKY_D, leaky_d) /* (x, slope): x > 0: x, else slope x; at 0: slope */                                   \
    X(ELU, elu) X(ELU_D, elu_d)   /* (x, alpha): x > 0: x, else alpha (e^x-1); at 0: alpha */                                   \
    X(CELU, celu) X(CELU_D, celu_d) /* (x, alpha): x > 0: x, else alpha (e^(x/alpha)-1); at 0: 1 */                             \
    X(SOFTPLUS_BETA, softplus_beta) X(SOFTPLUS_BETA_D, softplus_beta_d) /* (x, beta): log(1+e^(beta x))/beta; σ(beta x) */      \
    X(SILU_BETA, silu_beta) X(SILU_BETA_D, silu_beta_d) /* (x, beta): x σ(beta x) */                                            \
    X(SQUAREPLUS, squareplus) X(SQUAREPLUS_D, squareplus_d) /* (x, b): (x+√(x²+b))/2 */                                         \
    X(ISRU, isru) X(ISRU_D, isru_d) /* (x, a): x/√(1+a x²) */                                                                   \
    X(SNAKE, snake) X(SNAKE_D, snake_d) /* (x, a): x + sin²(a x)/a; 1 + sin(2 a x) */                                           \
    X(SIREN, siren) X(SIREN_D, siren_d) /* (x, w): sin(w x); w cos(w x) */

#define ACT_COMPARE_OPS(X) X(EQ, eq) X(NE, ne) X(LT, lt) X(LE, le) X(GT, gt) X(GE, ge)
#define ACT_TEST_OPS(X) X(ISNAN, isnan) X(ISINF, isinf) X(ISFINITE, isfinite)
#define ACT_LOGIC_OPS(X) X(AND, and) X(OR, or) X(XOR, xor)
#define ACT_ACCUMULATE_OPS(X) X(ADD, add) X(MUL, mul) X(MIN, min) X(MAX, max) // NaN passes through min and max

typedef enum act_unary_op {
#define X(upper, lower) ACT_U_##upper,
    ACT_UNARY_OPS(X)
#undef X
    ACT_UNARY_COUNT
} act_unary_op;

typedef enum act_binary_op {
#define X(upper, lower) ACT_B_##upper,
    ACT_BINARY_OPS(X)
#undef X
    ACT_BINARY_COUNT
} act_binary_op;

typedef enum act_compare_op {
#define X(upper, lower) ACT_C_##upper,
    ACT_COMPARE_OPS(X)
#undef X
    ACT_COMPARE_COUNT
} act_compare_op;

typedef enum act_test_op {
#define X(upper, lower) ACT_T_##upper,
    ACT_TEST_OPS(X)
#undef X
    ACT_TEST_COUNT
} act_test_op;

typedef enum act_logic_op {
#define X(upper, lower) ACT_L_##upper,
    ACT_LOGIC_OPS(X)
#undef X
    ACT_LOGIC_COUNT
} act_logic_op;

typedef enum act_accumulate_op {
#define X(upper, lower) ACT_A_##upper,
    ACT_ACCUMULATE_OPS(X)
#undef X
    ACT_ACCUMULATE_COUNT
} act_accumulate_op;

#endif
