/* What each thread of act carries with it: the engine that it computes for and the word that interrupts it, the place in the program that runs
   and which call of a built-in, free memory blocks, whether numeric events (overflow, division by zero, new NaNs) are being watched, and how far
   its stack may grow. Also the hint for spinning that Swift lacks. */
#ifndef ACT_CONTEXT_H
#define ACT_CONTEXT_H

#include <stdint.h>

/* Free blocks of 64, 128, … 1024 bytes, a list for each size; see MemoryPool.swift. */
#define ACT_SMALL_CLASSES 16
/* Free blocks up to 256 KiB, four sizes for each power of two. */
#define ACT_MEDIUM_CLASSES 32

struct act_context {
    /* Engine.swift's; NULL: the process's. */
    void *_Nullable engine;
    /* The word of that engine's interrupt: what the thread computes ends soon once it is not 0. */
    int *_Nonnull interrupt;
    uint32_t site;
    /* The number of the running call whose operations count as one; 0: each counts by itself. */
    uint32_t call;
    uint32_t calls;
    uint32_t watches_events;
    /* How many derivatives are being taken, one within the other. */
    uint32_t derivatives;
    /* Whether positions of an index are followed as what is computed from them: while a graph is taken. 2: and no element may be read. */
    uint32_t follows_positions;
    /* Where calls must not nest further; 0: nobody knows. */
    uintptr_t stack_end;
    /* The list of events seen so far, NumericEvents.swift's. */
    void *_Nullable events;
    /* The run on arrays without elements that is under way, AbstractRun.swift's; NULL: none. */
    void *_Nullable abstract_run;
    void *_Nullable free_blocks[ACT_SMALL_CLASSES];
    void *_Nullable medium_blocks[ACT_MEDIUM_CLASSES];
    intptr_t medium_bytes;
};

/* The calling thread's context: never null; at first that of the process's engine, and otherwise zero. */
struct act_context *_Nonnull act_context(void);

/* What was under way in a thread when a watched call began: the place it is judged at, and the call around it. */
typedef struct { uint32_t site, outer, number; } act_watch;

/* The operations from here to act_watch_end count as one. */
static inline act_watch act_watch_begin(struct act_context *_Nonnull context) {
    act_watch watch = {context->site, context->call, ++context->calls};
    /* 0 is no call. */
    if (watch.number == 0) watch.number = context->calls = 1;
    context->call = watch.number;
    return watch;
}

/* Whether there are events to be judged. After an error nothing is judged any more, and what runs next says where it is. */
static inline int act_watch_end(struct act_context *_Nonnull context, act_watch watch) {
    context->site = watch.site;
    context->call = watch.outer;
    return context->events != 0;
}

/* Interrupts are lock-free words that a signal handler may set and long computations poll. This one is the process's engine's. */
int *_Nonnull act_process_interrupt(void);
static inline void act_word_set(int *_Nonnull word, int value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }
static inline int act_word_get(const int *_Nonnull word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
static inline int act_interrupt_get(void) { return act_word_get(act_context()->interrupt); }

static inline uint32_t act_derivatives_get(void) { return act_context()->derivatives; }
static inline void act_derivatives_set(uint32_t count) { act_context()->derivatives = count; }

/* Lets the calling thread's stack grow by `bytes` from here. */
static inline void act_stack_allow(uintptr_t bytes) {
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    act_context()->stack_end = bytes < here ? here - bytes : 0;
}
static inline int act_stack_has_room(void) { return (uintptr_t)__builtin_frame_address(0) > act_context()->stack_end; }

/* How many bytes the process may map (`ulimit -v`, `ulimit -d`). */
uintptr_t act_address_space(void);

/* Gives memory that was freed back to the system, where that does not happen by itself. */
void act_memory_trim(void);

/* From now on large blocks are mapped one by one and threads share what is allocated from: slower, but of the address space nothing is set apart. */
void act_memory_keep_apart(void);

/* Whether this build is one for the address sanitizer, which watches the blocks of malloc. */
int act_address_is_checked(void);

/* Tells the processor that this loop only waits. */
static inline void act_spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
