// The kernels for SSE2 or whatever the compiler assumes: 128 bits, no FMA.

#include "ActContext.h"
#include "CActKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif


#define ISA_NAME "baseline"
#define ISA_TABLE act_table_baseline
#define ISA_BYTES 16
#define ISA_FMA 0
#define ISA_ROUND 0
#define ISA_MASKED 0
#include "template/kernels.inc"
