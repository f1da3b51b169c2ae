/* Stands between the gateway and its disk, for tests. All of it is told by the environment:

   FAULT_FOLDER  only files below this folder are meant
   FAULT_SYNC    while this file is there, fsync fails with EIO
   FAULT_LOG     what is done to the files is appended to this one, in its order, so that a test can take back whatever
                 no fsync has made durable: that is what a power cut does
   FAULT_FORGET  fsync of files whose names end like this one is not noted, as if it had never happened
   FAULT_KILL    once this file is there and holds a number n, the process dies instead of doing the n-th thing after

   SQLite's shared memory (-shm) is left out: it is no part of what lasts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static const char *folder, *flag, *forget, *kill_after;
static int log_fd = -1;
static long left = -1;

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("FAULT_LOG");
    folder = getenv("FAULT_FOLDER");
    flag = getenv("FAULT_SYNC");
    forget = getenv("FAULT_FORGET");
    kill_after = getenv("FAULT_KILL");
    if (log) log_fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int ends(const char *path, const char *end) {
    size_t a = strlen(path), b = strlen(end);
    return a >= b && strcmp(path + a - b, end) == 0;
}

static int meant(const char *path) {
    size_t length = folder ? strlen(folder) : 0;
    return length && strncmp(path, folder, length) == 0 && !ends(path, "-shm");
}

static int path_of(int fd, char *path) {
    char link[64];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    errno = before;
    path[length < 0 ? 0 : length] = 0;
    return length > 0 && meant(path);
}

/* Whether this is the thing at which to die. */
static void count(void) {
    if (left < 0 && kill_after) {
        int before = errno;
        FILE *file = fopen(kill_after, "r");
        if (file) {
            if (fscanf(file, "%ld", &left) != 1) left = -1;
            fclose(file);
        }
        errno = before;
    }
    if (left > 0 && --left == 0) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
}

struct head { uint64_t what, name, at, length; };

static void note(char what, const char *path, off_t at, const void *data, size_t length) {
    count();
    if (log_fd < 0) return;
    struct head head = { (uint64_t)what, strlen(path), (uint64_t)at, data ? length : 0 };
    struct iovec parts[3] = { { &head, sizeof head }, { (void *)path, head.name }, { (void *)data, head.length } };
    if (NEXT(writev)(log_fd, parts, 3) < 0) abort();
}

#define LOCKED(does) do { pthread_mutex_lock(&turn); does; pthread_mutex_unlock(&turn); } while (0)

ssize_t write(int fd, const void *data, size_t length) {
    char path[PATH_MAX];
    ssize_t done;
    if (!path_of(fd, path)) return NEXT(write)(fd, data, length);
    off_t at = lseek(fd, 0, SEEK_CUR);
    LOCKED(note('w', path, at, data, length); done = NEXT(write)(fd, data, length));
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    char path[PATH_MAX];
    ssize_t done;
    if (!path_of(fd, path)) return NEXT(pwrite64)(fd, data, length, at);
    LOCKED(note('w', path, at, data, length); done = NEXT(pwrite64)(fd, data, length, at));
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }

int ftruncate64(int fd, off64_t length) {
    char path[PATH_MAX];
    int done;
    if (!path_of(fd, path)) return NEXT(ftruncate64)(fd, length);
    LOCKED(note('t', path, length, NULL, 0); done = NEXT(ftruncate64)(fd, length));
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int unlink(const char *path) {
    int done;
    if (!meant(path)) return NEXT(unlink)(path);
    LOCKED(note('u', path, 0, NULL, 0); done = NEXT(unlink)(path));
    return done;
}

/* Noted before it is done: only what was written by then counts as durable, and nobody is told before it is. */
static int failing(int fd) {
    char path[PATH_MAX];
    if (flag && access(flag, F_OK) == 0) { errno = EIO; return 1; }
    if (path_of(fd, path) && !(forget && ends(path, forget))) LOCKED(note('s', path, 0, NULL, 0));
    return 0;
}

int fsync(int fd) { return failing(fd) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return failing(fd) ? -1 : NEXT(fdatasync)(fd); }
