/* What act asks of the system that the C library has no function for, or no one function on every system. */
#ifndef CACTSYSTEM_H
#define CACTSYSTEM_H

#include <time.h>

/* Seconds on a clock that only goes forward, from some moment on. */
static inline double act_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* How many bytes the stack of the first thread may take. */
unsigned long act_stack_limit(void);
/* Calls a function on a stack of so many bytes, on this thread; on its own where there is no memory for another. Threads that are
   started later have such stacks too, if they do not ask for others. */
void act_on_stack(unsigned long bytes, void (*_Nonnull body)(void));

/* Opens a folder to find names in, not to list it; a link is not followed. As openat: a descriptor, or -1 with errno set. */
int act_open_folder(int at, const char *_Nonnull name);

/* The file that is being written and has not got its name yet: who ends the process removes it. One at a time is noted; others are
   left to the next save into their folder. */

/* Makes a file that nobody has, and notes it: no handler runs between the two. As openat; says whether it is noted. */
int act_draft_begin(int folder, const char *_Nonnull name, unsigned mode, int *_Nonnull is_noted);
/* It has its name, or is removed. */
void act_draft_end(void);
/* Removes it, for the process is about to end: from now on who makes a draft, or ends one, waits for that. A signal handler may call this. */
void act_draft_discard(void);

/* The sandbox of the system. What is given up here cannot be had again, by this process or those that it starts. Threads that run
   already keep what they have of files: call these while there is one. */

/* Which version of Landlock the kernel has; 0: none. */
int act_landlock_version(void);
/* From now on files can be opened only below these folders: to read and write, and to read. Of what an old version of Landlock does
   not know nothing is given up. Returns 0 or an errno. */
int act_landlock_confine(const int *_Nullable writable, int writable_count, const int *_Nullable readable, int readable_count);

/* What a process may still ask of the system. */
enum act_calls {
    /* To compute, and to read and write files: no sockets, no other processes, no new code. */
    ACT_CALLS_PROGRAM,
    /* Also to start processes like itself, and to load libraries. */
    ACT_CALLS_STARTER,
    /* To draw: no files are written. */
    ACT_CALLS_DRAWING,
    /* As before, and no files are opened. */
    ACT_CALLS_DRAWING_BLIND,
};
/* Lets all threads call the system for this alone; everything else is answered as if it did not exist. Returns 0 or an errno. */
int act_filter_calls(enum act_calls calls);

/* Leaves descriptors 0, 1 and 2 to nothing and closes the others but two. */
void act_close_descriptors_but(int first, int second);

/* The processor that this thread runs on; negative where that is not known. */
int act_processor(void);

/* Moves this thread to another processor than that one; afterwards it may run on each that it could run on before. Systems put a new thread
   beside its maker if the other processors seem busy at that moment, and take tens of milliseconds to part them. 0 if it stays. */
int act_leave_processor(int processor);

/* Starts a process that is a copy of this one; call it while there is one thread. As fork. */
int act_fork(void);

#if defined(__APPLE__)
/* Applies a profile of the system's sandbox. Returns 0 or -1. */
int act_sandbox_profile(const char *_Nonnull profile);
#endif

#endif
