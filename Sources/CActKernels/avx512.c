// The kernels for AVX-512 (F, DQ, BW, VL): 512 bits and lane masks.

#include "ActContext.h"
#include "CActKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), apply_to = function)

#define ISA_NAME "avx512"
#define ISA_TABLE act_table_avx512
#define ISA_BYTES 64
#define ISA_FMA 1
#define ISA_ROUND 1
#define ISA_MASKED 1
#include "template/kernels.inc"

#pragma clang attribute pop
#endif
