#include "CActKernels.h"
