// Which processor a thread runs on.

#ifdef __linux__
#define _GNU_SOURCE
#include <sched.h>
#endif

#include "CActSystem.h"

int act_processor(void) {
#ifdef __linux__
    return sched_getcpu();
#else
    return -1;
#endif
}

int act_leave_processor(int processor) {
#ifdef __linux__
    cpu_set_t all, others;
    if (processor < 0 || processor >= CPU_SETSIZE || sched_getaffinity(0, sizeof all, &all) != 0) return 0;
    others = all;
    CPU_CLR(processor, &others);
    if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) return 0;
    return sched_setaffinity(0, sizeof all, &all) == 0;
#else
    (void)processor;
    return 0;
#endif
}
