/* Folders and drafts; see CActSystem.h. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "CActSystem.h"

#include <errno.h>
#include <fcntl.h>
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

enum { FREE, CLAIMED, NOTED };
static atomic_int draft_state;
static int draft_folder;
static char draft_name[64];

int act_draft_begin(int folder, const char *name) {
    int expected = FREE;
    if (strlen(name) >= sizeof draft_name || !atomic_compare_exchange_strong(&draft_state, &expected, CLAIMED)) return 0;
    strcpy(draft_name, name);
    draft_folder = folder;
    atomic_store(&draft_state, NOTED);
    return 1;
}

void act_draft_end(void) { atomic_store(&draft_state, FREE); }

void act_draft_discard(void) {
    int saved = errno;
    if (atomic_load(&draft_state) == NOTED) unlinkat(draft_folder, draft_name, 0);
    errno = saved;
}
