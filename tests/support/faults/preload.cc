// LD_PRELOAD library: makes chosen file calls of libc fail, fall short or take time, as the control file named by
// HOLDFAST_FAULTS says (rules.h). Without that variable it does nothing. What the sixteen rules do not match
// costs a look at sixteen words.
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/faults/rules.h"

namespace {

using namespace holdfast::faults;

Rule* rules = nullptr;

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

[[gnu::constructor]] void map_rules() {
  const char* path = std::getenv("HOLDFAST_FAULTS");
  if (path == nullptr) return;
  const long fd = ::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
  if (fd < 0) std::abort();  // a test that thinks it injects faults, and does not, is worse than none
  void* at = ::mmap(nullptr, kRules * sizeof(Rule), PROT_READ | PROT_WRITE, MAP_SHARED, static_cast<int>(fd), 0);
  ::syscall(SYS_close, fd);
  if (at == MAP_FAILED) std::abort();
  rules = static_cast<Rule*>(at);
}

template <typename Number>
std::atomic_ref<Number> atomic(Number& number) {
  return std::atomic_ref<Number>(number);
}

bool begins(const char* path, const char* prefix) { return std::strncmp(path, prefix, std::strlen(prefix)) == 0; }

void pause_us(std::uint64_t us) {
  timespec time{static_cast<time_t>(us / 1'000'000), static_cast<long>(us % 1'000'000 * 1000)};
  while (::nanosleep(&time, &time) != 0 && errno == EINTR) {
  }
}

// Takes one of a counter that says how many are left; false when none is.
bool take(std::uint64_t& left) {
  auto counter = atomic(left);
  std::uint64_t now = counter.load();
  while (now != 0) {
    if (now == kForever || counter.compare_exchange_weak(now, now - 1)) return true;
  }
  return false;
}

Rule* hit(Rule& rule) {
  if (take(rule.skip) || !take(rule.times)) return nullptr;
  atomic(rule.hits).fetch_add(1);
  if (atomic(rule.hold).load() != 0) {
    atomic(rule.waiting).fetch_add(1);
    while (atomic(rule.hold).load() != 0) pause_us(200);
    atomic(rule.waiting).fetch_sub(1);
  }
  if (rule.delay_us != 0) pause_us(rule.delay_us);
  return &rule;
}

// The first rule that speaks of the call. `path_of` is asked only when a rule has the operation at all.
template <typename PathOf>
Rule* match(std::uint32_t operations, PathOf path_of) {
  if (rules == nullptr) return nullptr;
  char path[PATH_MAX];
  bool known = false;
  const int saved = errno;
  for (std::size_t i = 0; i < kRules; ++i) {
    Rule& rule = rules[i];
    if (atomic(rule.active).load() == 0 || (rule.operations & operations) == 0) continue;
    if (rule.program[0] != '\0' && std::strcmp(rule.program, program_invocation_short_name) != 0) continue;
    if (!known) path_of(path);
    known = true;
    if (!begins(path, rule.path)) continue;
    Rule* found = hit(rule);
    errno = saved;
    if (found != nullptr) return found;
  }
  errno = saved;
  return nullptr;
}

Rule* match_fd(std::uint32_t operations, int fd) {
  return match(operations, [fd](char* out) {
    char link[40];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const long n = ::syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
    out[n < 0 ? 0 : n] = '\0';
  });
}

Rule* match_path(std::uint32_t operations, int folder, const char* path) {
  return match(operations, [folder, path](char* out) {
    *out = '\0';
    if (path[0] != '/') {
      char link[40];
      std::snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
      const long n = ::syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX / 2);
      out[n < 0 ? 0 : n] = '\0';
      std::strcat(out, "/");
    }
    std::strncat(out, path, PATH_MAX / 2 - 1);
  });
}

// True when the call is to fail; errno is set.
bool fails(const Rule* rule) {
  if (rule == nullptr || rule->error <= 0) return false;
  errno = rule->error;
  return true;
}

bool lies(const Rule* rule) { return rule != nullptr && rule->error == kLie; }

std::uint32_t open_operations(int flags) {
  const bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return kOpen | (makes ? kCreate : 0U);
}

bool open_fails(int folder, const char* path, int flags) {
  return fails(match_path(open_operations(flags), folder, path));
}

std::size_t part_of(const Rule* rule, std::size_t size) {
  return rule == nullptr || rule->part == 0 || rule->part > size ? size : rule->part;
}

// The first `part` bytes of a vector, by the plain call.
template <typename One>
ssize_t write_part(const iovec* parts, int count, std::size_t part, One one) {
  ssize_t done = 0;
  for (int i = 0; i < count && part > 0; ++i) {
    const std::size_t size = parts[i].iov_len < part ? parts[i].iov_len : part;
    const ssize_t n = one(parts[i].iov_base, size, done);
    if (n < 0) return done == 0 ? n : done;
    done += n;
    part -= size;
  }
  return done;
}

ssize_t pwrite_part(int fd, const iovec* parts, int count, off_t at, std::size_t part) {
  static const auto one = real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return write_part(parts, count, part,
                    [fd, at](const void* bytes, size_t size, ssize_t done) { return one(fd, bytes, size, at + done); });
}

void fill_free(const char* path, int fd, struct statvfs* out) {
  const Rule* rule = path != nullptr ? match_path(kStatvfs, AT_FDCWD, path) : match_fd(kStatvfs, fd);
  if (rule == nullptr) return;
  out->f_bfree = out->f_bavail = rule->value / out->f_frsize;
  out->f_ffree = out->f_favail = rule->inodes;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto next = real<ssize_t(int, const void*, size_t)>("write");
  const Rule* rule = match_fd(kWrite, fd);
  return fails(rule) ? -1 : next(fd, bytes, part_of(rule, size));
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static const auto next = real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  const Rule* rule = match_fd(kWrite, fd);
  return fails(rule) ? -1 : next(fd, bytes, part_of(rule, size), at);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) { return pwrite(fd, bytes, size, at); }

ssize_t writev(int fd, const iovec* parts, int count) {
  static const auto next = real<ssize_t(int, const iovec*, int)>("writev");
  static const auto one = real<ssize_t(int, const void*, size_t)>("write");
  const Rule* rule = match_fd(kWrite, fd);
  if (fails(rule)) return -1;
  if (rule == nullptr || rule->part == 0) return next(fd, parts, count);
  return write_part(parts, count, rule->part, [fd](const void* bytes, size_t size, ssize_t) { return one(fd, bytes, size); });
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  static const auto next = real<ssize_t(int, const iovec*, int, off_t)>("pwritev");
  const Rule* rule = match_fd(kWrite, fd);
  if (fails(rule)) return -1;
  return rule == nullptr || rule->part == 0 ? next(fd, parts, count, at) : pwrite_part(fd, parts, count, at, rule->part);
}

ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t at) { return pwritev(fd, parts, count, at); }

// Python's pwritev.
ssize_t pwritev2(int fd, const iovec* parts, int count, off_t at, int flags) {
  static const auto next = real<ssize_t(int, const iovec*, int, off_t, int)>("pwritev2");
  const Rule* rule = match_fd(kWrite, fd);
  if (fails(rule)) return -1;
  return rule == nullptr || rule->part == 0 ? next(fd, parts, count, at, flags)
                                            : pwrite_part(fd, parts, count, at, rule->part);
}

ssize_t pwritev64v2(int fd, const iovec* parts, int count, off64_t at, int flags) {
  return pwritev2(fd, parts, count, at, flags);
}

ssize_t read(int fd, void* bytes, size_t size) {
  static const auto next = real<ssize_t(int, void*, size_t)>("read");
  return fails(match_fd(kRead, fd)) ? -1 : next(fd, bytes, size);
}

ssize_t pread(int fd, void* bytes, size_t size, off_t at) {
  static const auto next = real<ssize_t(int, void*, size_t, off_t)>("pread");
  return fails(match_fd(kRead, fd)) ? -1 : next(fd, bytes, size, at);
}

ssize_t pread64(int fd, void* bytes, size_t size, off64_t at) { return pread(fd, bytes, size, at); }

int fsync(int fd) {
  static const auto next = real<int(int)>("fsync");
  const Rule* rule = match_fd(kFsync, fd);
  if (lies(rule)) return 0;
  return fails(rule) ? -1 : next(fd);
}

int fdatasync(int fd) {
  static const auto next = real<int(int)>("fdatasync");
  const Rule* rule = match_fd(kFdatasync, fd);
  if (lies(rule)) return 0;
  return fails(rule) ? -1 : next(fd);
}

int msync(void* at, size_t size, int flags) {
  static const auto next = real<int(void*, size_t, int)>("msync");
  return fails(match(kMsync, [](char* out) { *out = '\0'; })) ? -1 : next(at, size, flags);
}

int openat(int folder, const char* path, int flags, ...) {
  static const auto next = real<int(int, const char*, int, ...)>("openat");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (open_operations(flags) & kCreate) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_fails(folder, path, flags) ? -1 : next(folder, path, flags, mode);
}

int open(const char* path, int flags, ...) {
  static const auto next = real<int(const char*, int, ...)>("open");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (open_operations(flags) & kCreate) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_fails(AT_FDCWD, path, flags) ? -1 : next(path, flags, mode);
}

int openat64(int folder, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (open_operations(flags) & kCreate) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return openat(folder, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (open_operations(flags) & kCreate) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open(path, flags, mode);
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto next = real<int(const char*, mode_t)>("mkdir");
  return fails(match_path(kMkdir, AT_FDCWD, path)) ? -1 : next(path, mode);
}

int rename(const char* from, const char* to) noexcept {
  static const auto next = real<int(const char*, const char*)>("rename");
  if (fails(match_path(kRename, AT_FDCWD, from)) || fails(match_path(kRename, AT_FDCWD, to))) return -1;
  return next(from, to);
}

int unlink(const char* path) noexcept {
  static const auto next = real<int(const char*)>("unlink");
  const Rule* rule = match_path(kUnlink, AT_FDCWD, path);
  if (lies(rule)) return 0;
  return fails(rule) ? -1 : next(path);
}

int ftruncate(int fd, off_t size) noexcept {
  static const auto next = real<int(int, off_t)>("ftruncate");
  return fails(match_fd(kTruncate, fd)) ? -1 : next(fd, size);
}

int ftruncate64(int fd, off64_t size) noexcept { return ftruncate(fd, size); }

int fallocate(int fd, int mode, off_t at, off_t size) {
  static const auto next = real<int(int, int, off_t, off_t)>("fallocate");
  return fails(match_fd(kAllocate, fd)) ? -1 : next(fd, mode, at, size);
}

int fallocate64(int fd, int mode, off64_t at, off64_t size) { return fallocate(fd, mode, at, size); }

// Returns the error, and leaves errno alone.
int posix_fallocate(int fd, off_t at, off_t size) {
  static const auto next = real<int(int, off_t, off_t)>("posix_fallocate");
  const Rule* rule = match_fd(kAllocate, fd);
  return rule != nullptr && rule->error > 0 ? rule->error : next(fd, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size) { return posix_fallocate(fd, at, size); }

int statvfs(const char* path, struct statvfs* out) noexcept {
  static const auto next = real<int(const char*, struct statvfs*)>("statvfs");
  const int rc = next(path, out);
  if (rc == 0) fill_free(path, -1, out);
  return rc;
}

int statvfs64(const char* path, struct statvfs64* out) noexcept {
  return statvfs(path, reinterpret_cast<struct statvfs*>(out));
}

int fstatvfs(int fd, struct statvfs* out) noexcept {
  static const auto next = real<int(int, struct statvfs*)>("fstatvfs");
  const int rc = next(fd, out);
  if (rc == 0) fill_free(nullptr, fd, out);
  return rc;
}

int fstatvfs64(int fd, struct statvfs64* out) noexcept {
  return fstatvfs(fd, reinterpret_cast<struct statvfs*>(out));
}

}  // extern "C"
