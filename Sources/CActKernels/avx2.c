// The kernels for AVX2 and FMA: 256 bits.

#include "ActContext.h"
#include "CActKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define ISA_NAME "avx2"
#define ISA_TABLE act_table_avx2
#define ISA_BYTES 32
#define ISA_FMA 1
#define ISA_ROUND 1
#define ISA_MASKED 0
#include "template/kernels.inc"

#pragma clang attribute pop
#endif
