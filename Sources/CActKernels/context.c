#include "ActContext.h"

#include <sys/resource.h>

static _Thread_local struct act_context current;

struct act_context *act_context(void) { return &current; }

uintptr_t act_address_space(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < UINTPTR_MAX >> 1 ? (uintptr_t)limit.rlim_cur : UINTPTR_MAX >> 1;
}

int act_address_is_checked(void) { return __has_feature(address_sanitizer); }
