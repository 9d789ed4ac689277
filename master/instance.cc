#include "master/instance.h"

#include <cerrno>
#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/text.h"

namespace holdfast::master {
namespace {

base::Result<base::UniqueFd> open_lock(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd) return base::fail_errno(path, errno);
  return fd;
}

// flock() that ends with EINTR when the time is up.
bool lock_within(int fd, unsigned seconds) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
  std::fprintf(stderr, "master: waiting for the daemons of an earlier master to end\n");
  struct sigaction wake{}, before{};
  wake.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &wake, &before);
  ::alarm(seconds);
  const bool locked = ::flock(fd, LOCK_EX) == 0;
  ::alarm(0);
  ::sigaction(SIGALRM, &before, nullptr);
  return locked;
}

std::string holder_of(const std::string& path) {
  const auto text = base::read_file(path, 64);
  const auto pid = text ? base::to_number(base::trim(*text)) : std::nullopt;
  return pid ? fmt::format(" (pid {})", *pid) : "";
}

}  // namespace

base::Result<Instance> Instance::take(const std::string& run_folder, unsigned patience_seconds) {
  Instance out;
  const std::string path = run_folder + "/master.lock";
  auto master = open_lock(path);
  if (!master) return std::unexpected(master.error());
  if (::flock(master->get(), LOCK_EX | LOCK_NB) != 0) {
    return base::fail(base::Kind::kUnavailable, fmt::format("another master{} is running with {}", holder_of(path), run_folder));
  }
  auto daemons = open_lock(run_folder + "/daemons.lock");
  if (!daemons) return std::unexpected(daemons.error());
  if (!lock_within(daemons->get(), patience_seconds)) {
    return base::fail(base::Kind::kUnavailable, fmt::format("daemons of an earlier master still run with {}", run_folder));
  }
  if (::ftruncate(master->get(), 0) != 0) return base::fail_errno(path, errno);
  if (auto written = base::pwrite_all(master->get(), fmt::format("{}\n", ::getpid()), 0); !written) {
    return std::unexpected(written.error());
  }
  out.master_ = std::move(*master);
  out.daemons_ = std::move(*daemons);
  return out;
}

}  // namespace holdfast::master
