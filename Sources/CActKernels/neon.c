// The kernels for NEON: 128 bits, FMA; every arm64 has it.

#include "ActContext.h"
#include "CActKernels.h"

#if defined(__aarch64__)

#define ISA_NAME "neon"
#define ISA_TABLE act_table_neon
#define ISA_BYTES 16
#define ISA_FMA 1
#define ISA_ROUND 1
#define ISA_MASKED 0
#include "template/kernels.inc"
#endif
