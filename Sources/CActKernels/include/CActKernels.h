#ifndef ACT_KERNELS_H
#define ACT_KERNELS_H
#include <stddef.h>
#include <stdint.h>
#endif
