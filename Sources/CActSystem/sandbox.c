/* Landlock and seccomp, which the C library has no functions for; see CActSystem.h. The kernel's interface is part of its ABI, and
   what newer headers would say of it is written down here, so that act builds with old ones. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "CActSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

void act_close_descriptors_but(int first, int second) {
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
        if (i != first && i != second) {
            if (null >= 0) dup2(null, i);
            else close(i);
        }
#if defined(__linux__)
    /* close_range: below, between and above. */
    int low = first < second ? first : second, high = first < second ? second : first;
    if (syscall(436, high < 2 ? 3u : (unsigned)high + 1, ~0u, 0) == 0) {
        for (int i = 3; i < high; i++)
            if (i != low) close(i);
        return;
    }
#endif
    long end = sysconf(_SC_OPEN_MAX);
    if (end < 0 || end > 1 << 16) end = 1 << 16;
    for (int i = 3; i < end; i++)
        if (i != first && i != second) close(i);
}

int act_fork(void) { return fork(); }

#if defined(__linux__)

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---- Landlock ---- */

enum { LANDLOCK_CREATE = 444, LANDLOCK_ADD = 445, LANDLOCK_RESTRICT = 446, BENEATH = 1 };

/* LANDLOCK_ACCESS_FS_…, in the order of their bits. */
enum {
    FS_EXECUTE, FS_WRITE_FILE, FS_READ_FILE, FS_READ_DIR, FS_REMOVE_DIR, FS_REMOVE_FILE, FS_MAKE_CHAR, FS_MAKE_DIR, FS_MAKE_REG,
    FS_MAKE_SOCK, FS_MAKE_FIFO, FS_MAKE_BLOCK, FS_MAKE_SYM, FS_REFER, FS_TRUNCATE, FS_IOCTL_DEV,
};
#define BIT(right) (UINT64_C(1) << (right))

struct landlock_rights {
    uint64_t files, network, scope;
};

struct landlock_beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

int act_landlock_version(void) {
    long version = syscall(LANDLOCK_CREATE, NULL, 0, 1);
    return version > 0 ? (int)version : 0;
}

static int allow(int ruleset, const int *folders, int count, uint64_t rights) {
    const uint64_t of_files = BIT(FS_WRITE_FILE) | BIT(FS_READ_FILE) | BIT(FS_TRUNCATE);
    for (int i = 0; i < count; i++) {
        struct stat information;
        if (fstat(folders[i], &information) != 0) return errno;
        /* A single file may be given too; it has only the rights that files have. */
        struct landlock_beneath rule = {S_ISDIR(information.st_mode) ? rights : rights & of_files, folders[i]};
        if (syscall(LANDLOCK_ADD, ruleset, BENEATH, &rule, 0) != 0) return errno;
    }
    return 0;
}

int act_landlock_confine(const int *writable, int writable_count, const int *readable, int readable_count) {
    int version = act_landlock_version();
    if (version == 0) return ENOSYS;
    struct landlock_rights rights = {BIT(FS_REFER) - 1, 0, 0};
    if (version >= 2) rights.files |= BIT(FS_REFER);
    if (version >= 3) rights.files |= BIT(FS_TRUNCATE);
    if (version >= 5) rights.files |= BIT(FS_IOCTL_DEV);
    /* TCP: to listen and to connect. */
    if (version >= 4) rights.network = 3;
    /* Abstract sockets and signals of processes outside. */
    if (version >= 6) rights.scope = 3;
    size_t size = version >= 6 ? sizeof rights : version >= 4 ? offsetof(struct landlock_rights, scope) : offsetof(struct landlock_rights, network);
    int ruleset = (int)syscall(LANDLOCK_CREATE, &rights, size, 0);
    if (ruleset < 0) return errno;
    uint64_t reading = BIT(FS_READ_FILE) | BIT(FS_READ_DIR);
    uint64_t writing = reading | BIT(FS_WRITE_FILE) | BIT(FS_REMOVE_FILE) | BIT(FS_MAKE_REG) | BIT(FS_TRUNCATE);
    int problem = allow(ruleset, writable, writable_count, writing & rights.files);
    if (problem == 0) problem = allow(ruleset, readable, readable_count, reading);
    if (problem == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) problem = errno;
    if (problem == 0 && syscall(LANDLOCK_RESTRICT, ruleset, 0) != 0) problem = errno;
    close(ruleset);
    return problem;
}

/* ---- seccomp ---- */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#if defined(ARCHITECTURE)

/* Every kind of process may do this: compute, in threads, with memory, time and signals of its own, and use what is open. */
static const int common_calls[] = {
    SYS_read, SYS_readv, SYS_pread64, SYS_write, SYS_writev, SYS_pwrite64, SYS_lseek, SYS_close, SYS_fstat, SYS_newfstatat, SYS_statx,
    SYS_faccessat, SYS_readlinkat, SYS_getdents64, SYS_fstatfs, SYS_statfs, SYS_getcwd, SYS_dup, SYS_dup3, SYS_pipe2, SYS_ppoll, SYS_pselect6,
    SYS_fadvise64, SYS_munmap, SYS_mremap, SYS_brk, SYS_madvise, SYS_mincore, SYS_membarrier, SYS_futex, SYS_set_robust_list,
    SYS_get_robust_list, SYS_exit, SYS_exit_group, SYS_gettid, SYS_getpid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
    SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_getcpu, SYS_nanosleep, SYS_clock_nanosleep,
    SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_getrusage, SYS_times, SYS_sysinfo, SYS_uname, SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_rt_sigsuspend, SYS_sigaltstack, SYS_restart_syscall,
    SYS_getrandom, SYS_setitimer, SYS_getitimer,
#if defined(SYS_rseq)
    SYS_rseq,
#endif
#if defined(SYS_faccessat2)
    SYS_faccessat2,
#endif
#if defined(SYS_poll)
    SYS_poll, SYS_select, SYS_pipe, SYS_dup2, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_time, SYS_arch_prctl, SYS_alarm,
#endif
};

static const int opening_calls[] = {
    SYS_openat,
#if defined(SYS_open)
    SYS_open,
#endif
};

/* To write files, and to lock them. */
static const int writing_calls[] = {
    SYS_fsync, SYS_fdatasync, SYS_ftruncate, SYS_flock, SYS_fchmod, SYS_unlinkat, SYS_renameat,
#if defined(SYS_renameat2)
    SYS_renameat2,
#endif
};

static const int starting_calls[] = {SYS_wait4, SYS_waitid, SYS_kill, SYS_mmap, SYS_mprotect};

/* Commands of the terminal, without those that type into it. */
static const unsigned terminal_commands[] = {
    0x5401 /* TCGETS */, 0x5402, 0x5403, 0x5404 /* TCSETSF */, 0x5409 /* TCSBRK */, 0x540A /* TCXONC */, 0x540B /* TCFLSH */,
    0x540F /* TIOCGPGRP */, 0x5410 /* TIOCSPGRP */, 0x5411 /* TIOCOUTQ */, 0x5413 /* TIOCGWINSZ */, 0x541B /* FIONREAD */, 0x5421 /* FIONBIO */,
    0x5429 /* TIOCGSID */, 0x5450 /* FIONCLEX */, 0x5451 /* FIOCLEX */, 0x802C542A /* TCGETS2 */, 0x402C542B, 0x402C542C, 0x402C542D /* TCSETSF2 */,
};

/* Commands of fcntl, without those that send signals. */
static const unsigned descriptor_commands[] = {
    F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_DUPFD_CLOEXEC, 36, 37, 38 /* F_OFD_… */, 1032 /* F_GETPIPE_SZ */,
};

static const unsigned process_commands[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_NO_NEW_PRIVS, 0x53564d41 /* PR_SET_VMA */};

/* A filter as it grows; one that does not fit is none. */
struct filter {
    struct sock_filter code[512];
    unsigned count;
};

static void emit(struct filter *filter, struct sock_filter instruction) {
    if (filter->count < sizeof filter->code / sizeof filter->code[0]) filter->code[filter->count] = instruction;
    filter->count++;
}

#define LOAD(field) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define JUMP(test, value, yes, no) (struct sock_filter) BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), (yes), (no))
#define RETURN(answer) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (answer))
#define REFUSE RETURN(SECCOMP_RET_ERRNO | ENOSYS)

static void permit(struct filter *filter, const int *calls, size_t size) {
    for (size_t i = 0; i < size / sizeof *calls; i++) {
        emit(filter, JUMP(BPF_JEQ, (unsigned)calls[i], 0, 1));
        emit(filter, RETURN(SECCOMP_RET_ALLOW));
    }
}

/* The low half of an argument is at this place on both architectures, which are little-endian. */
#define ARGUMENT(index) (offsetof(struct seccomp_data, args) + 8 * (index))

/* A call with an argument that is one of some values; the upper half is not looked at, as the kernel looks at an int only. */
static void permit_values(struct filter *filter, int call, int argument, const unsigned *values, size_t size) {
    unsigned count = (unsigned)(size / sizeof *values);
    emit(filter, JUMP(BPF_JEQ, (unsigned)call, 0, 2 * count + 2));
    emit(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(argument)));
    for (unsigned i = 0; i < count; i++) {
        emit(filter, JUMP(BPF_JEQ, values[i], 0, 1));
        emit(filter, RETURN(SECCOMP_RET_ALLOW));
    }
    emit(filter, REFUSE);
}

/* A call whose argument has all of the bits `set` and none of `clear`. */
static void permit_bits(struct filter *filter, int call, int argument, unsigned set, unsigned clear) {
    emit(filter, JUMP(BPF_JEQ, (unsigned)call, 0, 6));
    emit(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(argument)));
    emit(filter, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, set | clear));
    emit(filter, JUMP(BPF_JEQ, set, 0, 1));
    emit(filter, RETURN(SECCOMP_RET_ALLOW));
    emit(filter, REFUSE);
    emit(filter, REFUSE);
}

int act_filter_calls(enum act_calls calls) {
    struct filter filter = {.count = 0};
    /* Numbers mean other calls on another architecture. */
    emit(&filter, LOAD(arch));
    emit(&filter, JUMP(BPF_JEQ, ARCHITECTURE, 1, 0));
    emit(&filter, RETURN(SECCOMP_RET_KILL_PROCESS));
    emit(&filter, LOAD(nr));
    permit(&filter, common_calls, sizeof common_calls);
    if (calls != ACT_CALLS_DRAWING_BLIND) permit(&filter, opening_calls, sizeof opening_calls);
    if (calls == ACT_CALLS_PROGRAM) permit(&filter, writing_calls, sizeof writing_calls);
    if (calls == ACT_CALLS_STARTER) permit(&filter, starting_calls, sizeof starting_calls);

    permit_values(&filter, SYS_ioctl, 1, terminal_commands, sizeof terminal_commands);
    permit_values(&filter, SYS_fcntl, 1, descriptor_commands, sizeof descriptor_commands);
    permit_values(&filter, SYS_prctl, 0, process_commands, sizeof process_commands);
    const unsigned own[] = {(unsigned)getpid()}, self[] = {0};
    /* What a process that was forked later does to itself counts as done to another. */
    permit_values(&filter, SYS_tgkill, 0, own, sizeof own);
    if (calls != ACT_CALLS_STARTER) permit_values(&filter, SYS_kill, 0, own, sizeof own);
    permit_values(&filter, SYS_prlimit64, 0, self, sizeof self);
    const unsigned executable = 4 /* PROT_EXEC */, is_thread = 0x00010000 /* CLONE_THREAD */;
    const unsigned namespaces = 0x7E020080 /* CLONE_NEW… */;
    permit_bits(&filter, SYS_clone, 0, calls == ACT_CALLS_STARTER ? 0 : is_thread, namespaces);
    if (calls != ACT_CALLS_STARTER) {
        permit_bits(&filter, SYS_mmap, 2, 0, executable);
        permit_bits(&filter, SYS_mprotect, 2, 0, executable);
    } else {
        /* The filter that its copies take on. */
        const int filtering[] = {SYS_seccomp};
        permit(&filter, filtering, sizeof filtering);
    }
    emit(&filter, REFUSE);
    if (filter.count > sizeof filter.code / sizeof filter.code[0]) return E2BIG;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    struct sock_fprog program = {(unsigned short)filter.count, filter.code};
    /* All threads take it, or none. */
    long status = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    return status == 0 ? 0 : status > 0 ? EBUSY : errno;
}

#else

int act_filter_calls(enum act_calls calls) {
    (void)calls;
    return ENOSYS;
}

#endif

#else

int act_landlock_version(void) { return 0; }

int act_landlock_confine(const int *writable, int writable_count, const int *readable, int readable_count) {
    (void)writable, (void)writable_count, (void)readable, (void)readable_count;
    return ENOSYS;
}

int act_filter_calls(enum act_calls calls) {
    (void)calls;
    return ENOSYS;
}

#if defined(__APPLE__)

#include <sandbox.h>

int act_sandbox_profile(const char *profile) {
    char *problem = NULL;
    /* Deprecated, and the only way there is for a program that is not an app. */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
    int status = sandbox_init(profile, 0, &problem);
    if (problem != NULL) sandbox_free_error(problem);
#pragma clang diagnostic pop
    return status;
}

#endif
#endif
