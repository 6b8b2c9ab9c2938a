/* Gives up rights by one layer of the sandbox alone and says what is left: `confined files FOLDER OUTSIDE` by Landlock,
   `confined calls|drawing OUTSIDE` by the filter of calls. Prints a line for each attempt, or `none` where the kernel has no such layer.
   `confined without-files|without-both PROGRAM ARG…` runs a program as on a kernel that has no Landlock, or no filters either. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "CActSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void say(const char *what, int is_done) { printf("%s: %s\n", what, is_done ? "done" : "refused"); }

static const char *below(const char *folder, const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int opens(const char *path, int flags) {
    int descriptor = open(path, flags, 0644);
    if (descriptor >= 0) close(descriptor);
    return descriptor >= 0;
}

static void try_files(const char *inside, const char *outside) {
    char from[4096];
    say("read inside", opens(below(inside, "file"), O_RDONLY));
    say("write inside", opens(below(inside, "file"), O_WRONLY | O_TRUNC));
    say("make inside", opens(below(inside, "new"), O_WRONLY | O_CREAT | O_EXCL));
    snprintf(from, sizeof from, "%s", below(inside, "new"));
    say("rename inside", rename(from, below(inside, "renamed")) == 0);
    say("remove inside", unlink(below(inside, "renamed")) == 0);
    say("make a link inside", symlink("/", below(inside, "link")) == 0);
    say("make a folder inside", mkdir(below(inside, "folder"), 0755) == 0);
    say("read through a link", opens(below(inside, "out"), O_RDONLY));
    say("read outside", opens(below(outside, "file"), O_RDONLY));
    say("write outside", opens(below(outside, "file"), O_WRONLY));
    say("truncate outside", truncate(below(outside, "file"), 0) == 0);
    say("make outside", opens(below(outside, "new"), O_WRONLY | O_CREAT));
    say("remove outside", unlink(below(outside, "file")) == 0);
    say("list outside", opendir(outside) != NULL);
    snprintf(from, sizeof from, "%s", below(inside, "file"));
    say("move outside", rename(from, below(outside, "moved")) == 0);
    say("link from outside", link(below(outside, "file"), from) == 0);
    say("read /etc/passwd", opens("/etc/passwd", O_RDONLY));
    say("read /proc/self/environ", opens("/proc/self/environ", O_RDONLY));
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    int ended = -1;
    say("run a program", child > 0 && waitpid(child, &ended, 0) == child && ended == 0);
}

static void *in_thread(void *argument) { return argument; }

static void try_calls(const char *outside) {
    say("compute", malloc(1 << 24) != NULL);
    pthread_t thread;
    int starts = pthread_create(&thread, NULL, in_thread, NULL) == 0;
    if (starts) pthread_join(thread, NULL);
    say("start a thread", starts);
    say("read a file", opens(below(outside, "file"), O_RDONLY));
    int made = open(below(outside, "made"), O_WRONLY | O_CREAT, 0644);
    say("write a file", made >= 0 && fchmod(made, 0600) == 0 && renameat(AT_FDCWD, below(outside, "made"), AT_FDCWD, below(outside, "made")) == 0);
    say("internet socket", socket(AF_INET, SOCK_STREAM, 0) >= 0);
    say("local socket", socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
    int pair[2];
    say("socket pair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pid_t child = fork();
    if (child == 0) _exit(0);
    say("start a process", child > 0);
    char *const arguments[] = {(char *)"true", NULL};
    /* Last of all if it is not refused: then nothing follows. */
    say("trace", ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    say("signal another process", kill(getppid(), 0) == 0);
    say("read another process", syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0) == 0);
    say("new code", mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say("data as code", mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
    char letter = 'x';
    errno = 0;
    say("type into the terminal", ioctl(0, TIOCSTI, &letter) == 0 || errno != ENOSYS);
    errno = 0;
    say("new namespace", unshare(0) == 0);
    say("mount", syscall(SYS_mount, NULL, NULL, NULL, 0, NULL) == 0 || errno != ENOSYS);
    say("program of the kernel", syscall(SYS_bpf, 0, NULL, 0) == 0 || errno != ENOSYS);
    say("rings", syscall(425, 0, NULL) == 0 || errno != ENOSYS);
    say("keys", syscall(SYS_keyctl, 0, 0, 0, 0, 0) >= 0 || errno != ENOSYS);
    say("change the owner", syscall(SYS_fchownat, AT_FDCWD, below(outside, "file"), 0, 0, 0) == 0);
    say("limits of another process", syscall(SYS_prlimit64, getppid(), 0, NULL, NULL) == 0);
    execv("/bin/true", arguments);
    say("run a program", 0);
}

/* Answers that there are no such calls. */
static int run_without(int filters_too, char **program) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, filters_too ? SYS_seccomp : 444, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 444, 0, 1),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 446, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    struct sock_fprog filter = {sizeof code / sizeof code[0], code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) return puts("none") < 0;
    execv(program[0], program);
    return 126;
}

int main(int count, char **arguments) {
    if (count > 2 && strncmp(arguments[1], "without-", 8) == 0) return run_without(strcmp(arguments[1], "without-both") == 0, arguments + 2);
    setvbuf(stdout, NULL, _IONBF, 0);
    const char *layer = count > 2 ? arguments[1] : "";
    int status = 0;
    if (strcmp(layer, "files") == 0 && count == 4) {
        int folder = open(arguments[2], O_RDONLY | O_DIRECTORY);
        status = act_landlock_confine(&folder, 1, NULL, 0);
        if (status == 0) try_files(arguments[2], arguments[3]);
    } else if (strcmp(layer, "calls") == 0 || strcmp(layer, "drawing") == 0) {
        status = act_filter_calls(layer[0] == 'c' ? ACT_CALLS_PROGRAM : ACT_CALLS_DRAWING_BLIND);
        if (status == 0) try_calls(arguments[2]);
    } else {
        return 2;
    }
    if (status != 0) puts("none");
    return 0;
}

#else

int main(void) {
    puts("none");
    return 0;
}

#endif
