/* LD_PRELOAD: lets calls of one process fail. FAULTS_FILE holds a switch and, for each of CALLS, the error, the number of
   the first call that fails, the distance of further ones (0: none), the calls that were made and those that failed. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PWRITE, PREAD, FSYNC, FTRUNCATE, OPEN, UNLINK, RENAME, FCNTL, FLOCK, READ, WRITE, WRITEV, STAT, READDIR, SOCKET, CONNECT,
       GETSOCKOPT, SETSOCKOPT, RECV, SEND, ACCEPT, EPOLL_CTL, MMAP, PTHREAD_CREATE, GETRANDOM, BIND, LISTEN, FCHMOD, CALLS };

struct fault { int error, first, step; volatile int made, failed; };
struct control { volatile int is_on; struct fault faults[CALLS]; };
static struct control *control;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_FILE");
    int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *at = (void *)syscall(SYS_mmap, 0, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (at != MAP_FAILED) control = at;
    syscall(SYS_close, file);
}

/* The error that this call is to fail with, or 0. */
static int fails(int call) {
    if (!control || !control->is_on || !control->faults[call].error) return 0;
    struct fault *fault = &control->faults[call];
    int beyond = __sync_add_and_fetch(&fault->made, 1) - fault->first;
    if (beyond < 0 || (beyond && (!fault->step || beyond % fault->step))) return 0;
    __sync_add_and_fetch(&fault->failed, 1);
    return errno = fault->error;
}

#define CALL(which, type, name, parameters, ...) \
    type name parameters { return fails(which) ? -1 : (type)syscall(__VA_ARGS__); }

CALL(PWRITE, ssize_t, pwrite64, (int fd, const void *from, size_t size, off_t at), SYS_pwrite64, fd, from, size, at)
CALL(PREAD, ssize_t, pread64, (int fd, void *to, size_t size, off_t at), SYS_pread64, fd, to, size, at)
CALL(FSYNC, int, fsync, (int fd), SYS_fsync, fd)
CALL(FSYNC, int, fdatasync, (int fd), SYS_fdatasync, fd)
CALL(FTRUNCATE, int, ftruncate64, (int fd, off_t size), SYS_ftruncate, fd, size)
CALL(UNLINK, int, unlink, (const char *path), SYS_unlinkat, AT_FDCWD, path, 0)
CALL(RENAME, int, rename, (const char *from, const char *to), SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0)
CALL(FLOCK, int, flock, (int fd, int how), SYS_flock, fd, how)
CALL(WRITEV, ssize_t, writev, (int fd, const struct iovec *from, int count), SYS_writev, fd, from, count)
CALL(STAT, int, fstat, (int fd, struct stat *to), SYS_fstat, fd, to)
CALL(STAT, int, fstat64, (int fd, struct stat64 *to), SYS_fstat, fd, to)
CALL(STAT, int, stat, (const char *path, struct stat *to), SYS_newfstatat, AT_FDCWD, path, to, 0)
CALL(STAT, int, stat64, (const char *path, struct stat64 *to), SYS_newfstatat, AT_FDCWD, path, to, 0)
CALL(STAT, int, lstat64, (const char *path, struct stat64 *to), SYS_newfstatat, AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW)
CALL(STAT, int, statx, (int fd, const char *path, int how, unsigned what, struct statx *to), SYS_statx, fd, path, how, what, to)
CALL(SOCKET, int, socket, (int domain, int type, int protocol), SYS_socket, domain, type, protocol)
CALL(CONNECT, int, connect, (int fd, const struct sockaddr *to, socklen_t size), SYS_connect, fd, to, size)
CALL(GETSOCKOPT, int, getsockopt, (int fd, int level, int name, void *to, socklen_t *size), SYS_getsockopt, fd, level, name, to, size)
CALL(SETSOCKOPT, int, setsockopt, (int fd, int level, int name, const void *from, socklen_t size), SYS_setsockopt, fd, level, name, from, size)
CALL(RECV, ssize_t, recv, (int fd, void *to, size_t size, int how), SYS_recvfrom, fd, to, size, how, 0, 0)
CALL(SEND, ssize_t, send, (int fd, const void *from, size_t size, int how), SYS_sendto, fd, from, size, how, 0, 0)
CALL(ACCEPT, int, accept4, (int fd, struct sockaddr *from, socklen_t *size, int how), SYS_accept4, fd, from, size, how)
CALL(EPOLL_CTL, int, epoll_ctl, (int fd, int what, int other, struct epoll_event *event), SYS_epoll_ctl, fd, what, other, event)
CALL(GETRANDOM, ssize_t, getrandom, (void *to, size_t size, unsigned how), SYS_getrandom, to, size, how)
CALL(BIND, int, bind, (int fd, const struct sockaddr *to, socklen_t size), SYS_bind, fd, to, size)
CALL(LISTEN, int, listen, (int fd, int most), SYS_listen, fd, most)
CALL(FCHMOD, int, fchmod, (int fd, mode_t mode), SYS_fchmod, fd, mode)

/* The runtime wakes itself by eight bytes to a descriptor of its own, which never fails. */
ssize_t read(int fd, void *to, size_t size) { return size != 8 && fails(READ) ? -1 : (ssize_t)syscall(SYS_read, fd, to, size); }
ssize_t write(int fd, const void *from, size_t size) { return size != 8 && fails(WRITE) ? -1 : (ssize_t)syscall(SYS_write, fd, from, size); }

static int opened(int folder, const char *path, int how, va_list more) {
    mode_t mode = how & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    return fails(OPEN) ? -1 : (int)syscall(SYS_openat, folder, path, how, mode);
}
#define OPENED(name, folder, ...) \
    int name(__VA_ARGS__, const char *path, int how, ...) { va_list more; va_start(more, how); int fd = opened(folder, path, how, more); va_end(more); return fd; }
int open(const char *path, int how, ...) { va_list more; va_start(more, how); int fd = opened(AT_FDCWD, path, how, more); va_end(more); return fd; }
int open64(const char *path, int how, ...) { va_list more; va_start(more, how); int fd = opened(AT_FDCWD, path, how, more); va_end(more); return fd; }
OPENED(openat64, folder, int folder)

static int controlled(int fd, int what, va_list more) { return fails(FCNTL) ? -1 : (int)syscall(SYS_fcntl, fd, what, va_arg(more, long)); }
int fcntl(int fd, int what, ...) { va_list more; va_start(more, what); int is = controlled(fd, what, more); va_end(more); return is; }
int fcntl64(int fd, int what, ...) { va_list more; va_start(more, what); int is = controlled(fd, what, more); va_end(more); return is; }

static void *mapped(void *at, size_t size, int how, int flags, int fd, off_t from) {
    return fails(MMAP) ? MAP_FAILED : (void *)syscall(SYS_mmap, at, size, how, flags, fd, from);
}
void *mmap(void *at, size_t size, int how, int flags, int fd, off_t from) { return mapped(at, size, how, flags, fd, from); }
void *mmap64(void *at, size_t size, int how, int flags, int fd, off_t from) { return mapped(at, size, how, flags, fd, from); }

struct dirent64 *readdir64(DIR *folder) {
    static struct dirent64 *(*real)(DIR *);
    if (fails(READDIR)) return 0;
    if (!real) real = dlsym(RTLD_NEXT, "readdir64");
    return real(folder);
}
int pthread_create(pthread_t *id, const pthread_attr_t *how, void *(*run)(void *), void *with) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (fails(PTHREAD_CREATE)) return errno;
    if (!real) real = dlsym(RTLD_NEXT, "pthread_create");
    return real(id, how, run, with);
}
