// Preloaded into a process under test (LD_PRELOAD). It keeps the durable image of one folder: what a disk would still
// hold if the power went now. A file's content enters the image when it is flushed (fsync, fdatasync), a file's name
// when its folder is. It logs, with CLOCK_MONOTONIC in nanoseconds, the return of each flush and the start of each
// write to the peers of interest (serial devices, TCP ports), so that their order can be proven.
//
//   SHIM_FOLDER    the folder that is watched, not its subfolders
//   SHIM_IMAGE     an existing folder: `names` has a line "inode name" a file, `INODE` its content
//   SHIM_LOG       lines "nanoseconds operation target length bytes-in-hex", the first 64 bytes of what is sent
//   SHIM_PEERS     comma-separated: path prefixes of devices, and tcp:PORT
//   SHIM_FULL      while a file of this name exists, writes in the folder fail with ENOSPC
//   SHIM_FLUSH_MS  every flush in the folder takes this much longer
//   SHIM_KILL      a file of this name says when to kill the process: "write N", "flush N" or "flushed N" are the start of
//                  the N-th write, the start and the end of the N-th flush of the journal's files since the file is there
//   SHIM_LIE       flushes return without flushing: a disk, or `synchronous=OFF`, that only says so
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS 65536
enum { OTHER, WATCHED, FOLDER, PEER };
static unsigned char kinds[DESCRIPTORS];
static char *targets[DESCRIPTORS];
static const char *folder, *image, *full, *peers, *killer;
static int reached_count;
static int log_descriptor = -1;
static long flush_ms;
static int lie;

#define REAL(name) ((__typeof__(&name))real(#name, &real_##name))
#define DECLARE(name) static void *real_##name
DECLARE(open); DECLARE(openat); DECLARE(close); DECLARE(write); DECLARE(writev); DECLARE(pwrite); DECLARE(ftruncate);
DECLARE(fsync); DECLARE(fdatasync); DECLARE(connect); DECLARE(send); DECLARE(sendto); DECLARE(sendmsg);
DECLARE(unlink); DECLARE(rename);

static void *real(const char *name, void **slot) {
  if (!*slot) *slot = dlsym(RTLD_NEXT, name);
  return *slot;
}

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void note(long long at, const char *operation, const char *target, size_t length, const unsigned char *bytes) {
  char line[PATH_MAX + 256];
  if (log_descriptor < 0) return;
  int end = snprintf(line, sizeof line - 140, "%lld %s %s %zu ", at, operation, target ? target : "-", length);
  for (size_t i = 0; bytes && i < length && i < 64; i++) end += sprintf(line + end, "%02x", bytes[i]);
  line[end++] = '\n';
  ssize_t ignored = REAL(write)(log_descriptor, line, end);
  (void)ignored;
}

__attribute__((constructor)) static void begin(void) {
  char resolved[PATH_MAX];
  const char *wanted = getenv("SHIM_FOLDER"), *log = getenv("SHIM_LOG");
  if (wanted && realpath(wanted, resolved)) folder = strdup(resolved);
  image = getenv("SHIM_IMAGE");
  full = getenv("SHIM_FULL");
  peers = getenv("SHIM_PEERS");
  killer = getenv("SHIM_KILL");
  lie = getenv("SHIM_LIE") != NULL;
  flush_ms = getenv("SHIM_FLUSH_MS") ? atol(getenv("SHIM_FLUSH_MS")) : 0;
  if (log) log_descriptor = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_peer(const char *name) {
  for (const char *p = peers; p && *p;) {
    size_t length = strcspn(p, ",");
    if (length && strncmp(name, p, length) == 0 && (strncmp(p, "tcp:", 4) != 0 || strlen(name) == length)) return 1;
    p += length + (p[length] == ',');
  }
  return 0;
}

static void forget(int fd) {
  if (fd < 0 || fd >= DESCRIPTORS || kinds[fd] == OTHER) return;
  kinds[fd] = OTHER;
  free(targets[fd]);
  targets[fd] = NULL;
}

static void remember(int fd, int kind, const char *target) {
  if (fd < 0 || fd >= DESCRIPTORS) return;
  forget(fd);
  targets[fd] = strdup(target);
  kinds[fd] = kind;
}

static int kind_of(int fd) { return fd >= 0 && fd < DESCRIPTORS ? kinds[fd] : OTHER; }

static void opened(int fd, const char *asked) {
  char link[64], path[PATH_MAX];
  if (fd < 0 || fd == log_descriptor) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = 0;
  forget(fd);
  size_t n = folder ? strlen(folder) : 0;
  if (n && strcmp(path, folder) == 0) remember(fd, FOLDER, path);
  else if (n && strncmp(path, folder, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/')) remember(fd, WATCHED, path + n + 1);
  else if (is_peer(path) || is_peer(asked)) remember(fd, PEER, asked);
}

static void copy_content(int fd) {
  char from[64], to[PATH_MAX], temporary[PATH_MAX + 8], block[65536];
  struct stat status;
  if (!image || fstat(fd, &status) != 0) return;
  snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
  snprintf(to, sizeof to, "%s/%llu", image, (unsigned long long)status.st_ino);
  snprintf(temporary, sizeof temporary, "%s.tmp", to);
  int in = REAL(open)(from, O_RDONLY | O_CLOEXEC), out = REAL(open)(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  for (ssize_t got; in >= 0 && out >= 0 && (got = read(in, block, sizeof block)) > 0;)
    if (REAL(write)(out, block, got) != got) abort();
  if (in >= 0) REAL(close)(in);
  if (out >= 0) REAL(close)(out);
  REAL(rename)(temporary, to);
}

static void copy_names(void) {
  char to[PATH_MAX], temporary[PATH_MAX + 8];
  if (!image) return;
  snprintf(to, sizeof to, "%s/names", image);
  snprintf(temporary, sizeof temporary, "%s.tmp", to);
  FILE *out = fopen(temporary, "w");
  DIR *entries = opendir(folder);
  for (struct dirent *entry; out && entries && (entry = readdir(entries));)
    if (entry->d_type == DT_REG) fprintf(out, "%llu %s\n", (unsigned long long)entry->d_ino, entry->d_name);
  if (entries) closedir(entries);
  if (out) fclose(out);
  REAL(rename)(temporary, to);
}

static void reached(const char *point, int fd) {
  char wanted[32] = "";
  int count = 0;
  if (!targets[fd] || strncmp(targets[fd], "journal.db", 10) != 0) return;
  FILE *file = killer ? fopen(killer, "re") : NULL;
  if (!file) {
    reached_count = 0;
    return;
  }
  if (fscanf(file, "%31s %d", wanted, &count) == 2 && strcmp(wanted, point) == 0 && ++reached_count == count)
    kill(getpid(), SIGKILL);
  fclose(file);
}

static int flushed(int fd, int (*flush)(int)) {
  int kind = kind_of(fd);
  if (kind != WATCHED && kind != FOLDER) return flush(fd);
  if (lie) return 0;
  reached("flush", fd);
  int result = flush(fd);
  if (flush_ms) nanosleep(&(struct timespec){flush_ms / 1000, flush_ms % 1000 * 1000000}, NULL);
  if (result == 0) {
    if (kind == WATCHED) copy_content(fd);
    else copy_names();
    note(now(), "flush", targets[fd], 0, NULL);
    reached("flushed", fd);
  }
  return result;
}

static int is_refused(int fd) {
  if (kind_of(fd) != WATCHED || !full || access(full, F_OK) != 0) return 0;
  errno = ENOSPC;
  return 1;
}

static void written(int fd, const void *bytes, size_t length) {
  if (kind_of(fd) == PEER) note(now(), "send", targets[fd], length, bytes);
  if (kind_of(fd) == WATCHED) note(now(), "write", targets[fd], length, NULL);
}

static void written_parts(int fd, const struct iovec *parts, int count) {
  for (int i = 0; i < count && kind_of(fd) != OTHER; i++) written(fd, parts[i].iov_base, parts[i].iov_len);
}

#define OPEN(name, parameters, arguments, asked)                                    \
  int name parameters {                                                             \
    va_list rest;                                                                   \
    va_start(rest, flags);                                                          \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;         \
    va_end(rest);                                                                   \
    int fd = arguments;                                                             \
    opened(fd, asked);                                                              \
    return fd;                                                                      \
  }
OPEN(open, (const char *path, int flags, ...), REAL(open)(path, flags, mode), path)
OPEN(open64, (const char *path, int flags, ...), REAL(open)(path, flags | O_LARGEFILE, mode), path)
OPEN(openat, (int at, const char *path, int flags, ...), REAL(openat)(at, path, flags, mode), path)
OPEN(openat64, (int at, const char *path, int flags, ...), REAL(openat)(at, path, flags | O_LARGEFILE, mode), path)

int close(int fd) {
  forget(fd);
  return REAL(close)(fd);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  if (is_refused(fd)) return -1;
  written(fd, bytes, length);
  return REAL(write)(fd, bytes, length);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (is_refused(fd)) return -1;
  written_parts(fd, parts, count);
  return REAL(writev)(fd, parts, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  if (is_refused(fd)) return -1;
  if (kind_of(fd) == WATCHED) reached("write", fd);
  written(fd, bytes, length);
  return REAL(pwrite)(fd, bytes, length, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return pwrite(fd, bytes, length, offset); }

int ftruncate(int fd, off_t length) {
  if (kind_of(fd) == WATCHED) note(now(), "truncate", targets[fd], length, NULL);
  return REAL(ftruncate)(fd, length);
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

int fsync(int fd) { return flushed(fd, REAL(fsync)); }
int fdatasync(int fd) { return flushed(fd, REAL(fdatasync)); }

int unlink(const char *path) {
  int result = REAL(unlink)(path);
  if (folder && strncmp(path, folder, strlen(folder)) == 0) note(now(), "unlink", path, 0, NULL);
  return result;
}

int rename(const char *from, const char *to) {
  int result = REAL(rename)(from, to);
  if (folder && strncmp(to, folder, strlen(folder)) == 0) note(now(), "rename", to, 0, NULL);
  return result;
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  char name[16];
  int port = address->sa_family == AF_INET    ? ((const struct sockaddr_in *)address)->sin_port
             : address->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                              : 0;
  snprintf(name, sizeof name, "tcp:%d", ntohs(port));
  if (port && is_peer(name)) remember(fd, PEER, name);
  return REAL(connect)(fd, address, length);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  written(fd, bytes, length);
  return REAL(send)(fd, bytes, length, flags);
}

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to, socklen_t size) {
  written(fd, bytes, length);
  return REAL(sendto)(fd, bytes, length, flags, to, size);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  written_parts(fd, message->msg_iov, message->msg_iovlen);
  return REAL(sendmsg)(fd, message, flags);
}
