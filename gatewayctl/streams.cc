#include "gatewayctl/streams.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "gatewayctl/invocation.h"

namespace holdfast::gatewayctl {

void hold_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The wrong way round: to use it fails as if it were closed.
    if (::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) return;
  }
}

int finish_output(int exit_code) {
  const bool failed = std::ferror(stdout) != 0;
  errno = 0;
  if (std::fflush(stdout) == 0 && !failed) return exit_code;
  const int err = errno;  // 0: it failed earlier
  pollfd about{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  if (::poll(&about, 1, 0) == 1 && (about.revents & POLLERR) != 0) return exit_code;
  const std::string why = err != 0 ? base::fail_errno("standard output", err).error().text : "standard output did not take everything";
  return report({base::Kind::kTemporary, why});
}

}  // namespace holdfast::gatewayctl
