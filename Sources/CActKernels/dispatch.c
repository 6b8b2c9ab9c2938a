// Chooses the instruction set once; names; the floating-point flags.

#include "CActKernels.h"

#include <stdatomic.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

extern const act_kernel_table act_table_baseline;
#if defined(__x86_64__)
extern const act_kernel_table act_table_avx2, act_table_avx512;
#elif defined(__aarch64__)
extern const act_kernel_table act_table_neon;
#endif

const act_kernel_table *act_kernels_named(const char *isa) {
    if (strcmp(isa, "baseline") == 0) return &act_table_baseline;
#if defined(__x86_64__)
    if (strcmp(isa, "avx2") == 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &act_table_avx2;
    if (strcmp(isa, "avx512") == 0 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return &act_table_avx512;
#elif defined(__aarch64__)
    if (strcmp(isa, "neon") == 0) return &act_table_neon;
#endif
    return NULL;
}

const act_kernel_table *act_kernels(void) {
    static _Atomic(const act_kernel_table *) chosen; // every thread that finds it empty computes the same answer
    const act_kernel_table *table = atomic_load_explicit(&chosen, memory_order_acquire);
    if (table == NULL) {
        static const char *const widest_first[] = {
#if __has_feature(thread_sanitizer)
            "baseline", // it sees no access of more than 16 bytes
#endif
            "avx512", "avx2", "neon", "baseline"};
        for (size_t i = 0; table == NULL; i++) table = act_kernels_named(widest_first[i]);
        atomic_store_explicit(&chosen, table, memory_order_release);
    }
    return table;
}

int act_chain_unary(act_unary_op op) {
    switch (op) {
#define X(upper, lower) case ACT_U_##upper: return ACT_CHAIN_##upper;
        ACT_CHAIN_UNARY_OPS(X)
#undef X
    default: return -1;
    }
}
int act_chain_binary(act_binary_op op, int reversed) {
    if (!reversed || op == ACT_B_ADD || op == ACT_B_MUL) {
        switch (op) {
#define X(upper, lower) case ACT_B_##upper: return ACT_CHAIN_##upper;
            ACT_CHAIN_BINARY_OPS(X)
#undef X
        default: return -1;
        }
    }
    switch (op) {
#define X(upper, lower) case ACT_B_##upper: return ACT_CHAIN_R##upper;
        ACT_CHAIN_REVERSED_OPS(X)
#undef X
    default: return -1;
    }
}

#define X(upper, lower) #lower,
const char *act_unary_name(act_unary_op op) {
    static const char *const names[] = {ACT_UNARY_OPS(X)};
    return (unsigned)op < ACT_UNARY_COUNT ? names[op] : NULL;
}
const char *act_binary_name(act_binary_op op) {
    static const char *const names[] = {ACT_BINARY_OPS(X)};
    return (unsigned)op < ACT_BINARY_COUNT ? names[op] : NULL;
}
#undef X

#if defined(__x86_64__)
void act_fp_clear(void) {
    unsigned csr = _mm_getcsr();
    if (csr & 0x3f) _mm_setcsr(csr & ~0x3fu); // writing the register costs more than reading it
}
unsigned act_fp_flags(void) {
    unsigned csr = _mm_getcsr();
    return (csr & 1 ? ACT_FP_INVALID : 0) | (csr & 4 ? ACT_FP_DIVIDE : 0) | (csr & 8 ? ACT_FP_OVERFLOW : 0);
}
void act_fp_raise(unsigned flags) {
    _mm_setcsr(_mm_getcsr() | (flags & ACT_FP_INVALID ? 1 : 0) | (flags & ACT_FP_DIVIDE ? 4 : 0) | (flags & ACT_FP_OVERFLOW ? 8 : 0));
}
#elif defined(__aarch64__)
void act_fp_clear(void) {
    unsigned long fpsr;
    __asm__ volatile("mrs %0, fpsr" : "=r"(fpsr));
    if (fpsr & 0x9f) __asm__ volatile("msr fpsr, %0" : : "r"(fpsr & ~0x9ful));
}
unsigned act_fp_flags(void) {
    unsigned long fpsr;
    __asm__ volatile("mrs %0, fpsr" : "=r"(fpsr));
    return (fpsr & 1 ? ACT_FP_INVALID : 0) | (fpsr & 2 ? ACT_FP_DIVIDE : 0) | (fpsr & 4 ? ACT_FP_OVERFLOW : 0);
}
// The flags have the processor's own numbers there.
void act_fp_raise(unsigned flags) {
    unsigned long fpsr;
    __asm__ volatile("mrs %0, fpsr" : "=r"(fpsr));
    __asm__ volatile("msr fpsr, %0" : : "r"(fpsr | flags));
}
#else
#include <fenv.h>
void act_fp_clear(void) { feclearexcept(FE_ALL_EXCEPT); }
unsigned act_fp_flags(void) {
    int f = fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
    return (f & FE_INVALID ? ACT_FP_INVALID : 0) | (f & FE_DIVBYZERO ? ACT_FP_DIVIDE : 0) | (f & FE_OVERFLOW ? ACT_FP_OVERFLOW : 0);
}
void act_fp_raise(unsigned flags) {
    feraiseexcept((flags & ACT_FP_INVALID ? FE_INVALID : 0) | (flags & ACT_FP_DIVIDE ? FE_DIVBYZERO : 0) | (flags & ACT_FP_OVERFLOW ? FE_OVERFLOW : 0));
}
#endif
