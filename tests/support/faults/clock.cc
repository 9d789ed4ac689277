// Preloaded into a gateway: its wall clock goes as far ahead or behind as a test says, at run time. The monotonic
// clock and the kernel's own times (of files) are the true ones. tests/support/clock.py holds the other end: a
// file, named by HOLDFAST_CLOCK, with the offset in nanoseconds.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

using Offset = std::atomic<std::int64_t>;
static_assert(Offset::is_always_lock_free && sizeof(Offset) == 8);
constexpr std::int64_t kSecond = 1'000'000'000;

const Offset* open_offset() {
  static const Offset none{0};
  const char* path = std::getenv("HOLDFAST_CLOCK");
  const int fd = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return &none;
  void* at = ::mmap(nullptr, sizeof(Offset), PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  return at == MAP_FAILED ? &none : static_cast<const Offset*>(at);
}

std::int64_t offset() {
  static const Offset* const shared = open_offset();
  return shared->load(std::memory_order_relaxed);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t id, timespec* out) noexcept {
  using Real = int (*)(clockid_t, timespec*);
  static const auto real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "clock_gettime"));
  const int rc = real(id, out);
  if (rc != 0 || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return rc;
  const std::int64_t ns = out->tv_sec * kSecond + out->tv_nsec + offset();
  out->tv_sec = ns / kSecond;
  out->tv_nsec = ns % kSecond;
  return 0;
}

int gettimeofday(timeval* out, void*) noexcept {
  timespec now{};
  const int rc = clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return rc;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

}
