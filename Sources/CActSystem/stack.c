/* The stack of the first thread, which the system makes as small as it was told to (`ulimit -s`). */

#if defined(__linux__)
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include "CActSystem.h"

unsigned long act_stack_limit(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_STACK, &limit) == 0 ? (unsigned long)limit.rlim_cur : ~0UL;
}

/* (Not on the stack that is too small for much.) */
static ucontext_t before, inside;

void act_on_stack(unsigned long bytes, void (*body)(void)) {
#if defined(__GLIBC__)
    /* Other threads, those of libraries too, would get as little as the first one. */
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) == 0) {
        if (pthread_attr_setstacksize(&attributes, bytes) == 0) pthread_setattr_default_np(&attributes);
        pthread_attr_destroy(&attributes);
    }
#endif
    /* What lies below belongs to nobody: whoever goes too deep is stopped there. */
    const unsigned long guard = 1UL << 16;
    char *stack = mmap(0, bytes + guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack + guard, bytes, PROT_READ | PROT_WRITE) != 0 || getcontext(&inside) != 0) {
        body();
        return;
    }
    inside.uc_stack.ss_sp = stack + guard;
    inside.uc_stack.ss_size = bytes;
    inside.uc_link = &before;
    makecontext(&inside, body, 0);
    swapcontext(&before, &inside);
}

#else
#include "CActSystem.h"

unsigned long act_stack_limit(void) { return ~0UL; }
void act_on_stack(unsigned long bytes, void (*body)(void)) {
    (void)bytes;
    body();
}
#endif
