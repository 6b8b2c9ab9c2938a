/* Folders and drafts; see CActSystem.h. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "CActSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

int act_open_folder(int at, const char *name) {
#if defined(O_PATH)
    const int search = O_PATH;
#elif defined(O_SEARCH)
    const int search = O_SEARCH;
#else
    const int search = O_RDONLY;
#endif
    return openat(at, name, search | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

enum { FREE, MAKING, NOTED, ENDING };
static atomic_int draft_state;
static int draft_folder;
static char draft_name[64];

static void wait_a_moment(void) { poll(NULL, 0, 1); }

/* Whether the state was `from`, and is `to` now. Once the process is about to end this does not return. */
static int draft_moves(int from, int to) {
    int seen = from;
    if (atomic_compare_exchange_strong(&draft_state, &seen, to)) return 1;
    while (seen == ENDING) wait_a_moment();
    return 0;
}

int act_draft_begin(int folder, const char *name, unsigned mode, int *is_noted) {
    /* On this thread a handler would wait for what it interrupts; on others they wait for us. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    *is_noted = strlen(name) < sizeof draft_name && draft_moves(FREE, MAKING);
    int made = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode), problem = errno;
    if (*is_noted) {
        strcpy(draft_name, name);
        draft_folder = folder;
        *is_noted = made >= 0;
        atomic_store(&draft_state, made >= 0 ? NOTED : FREE);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = problem;
    return made;
}

void act_draft_end(void) { draft_moves(NOTED, FREE); }

void act_draft_discard(void) {
    int saved = errno, state = atomic_load(&draft_state);
    while (state != ENDING) {
        if (state == MAKING) {
            wait_a_moment();
            state = atomic_load(&draft_state);
        } else if (atomic_compare_exchange_strong(&draft_state, &state, ENDING)) {
            if (state == NOTED) unlinkat(draft_folder, draft_name, 0);
            break;
        }
    }
    errno = saved;
}
