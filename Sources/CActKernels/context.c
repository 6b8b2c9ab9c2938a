#include "ActContext.h"

#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static int process_interrupt;
int *act_process_interrupt(void) { return &process_interrupt; }

static _Thread_local struct act_context current = {.interrupt = &process_interrupt};

struct act_context *act_context(void) { return &current; }

static uintptr_t least(uintptr_t space, int resource) {
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 && limit.rlim_cur < space ? (uintptr_t)limit.rlim_cur : space;
}

uintptr_t act_address_space(void) { return least(least(UINTPTR_MAX >> 1, RLIMIT_AS), RLIMIT_DATA); }

void act_memory_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void act_memory_keep_apart(void) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

int act_address_is_checked(void) { return __has_feature(address_sanitizer); }
